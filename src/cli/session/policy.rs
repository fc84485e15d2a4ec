//! What may be chosen, from the options and from the files that are read.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use jiff::Timestamp;
use pep508_rs::PackageName;

use super::super::args::ResolveArgs;
use super::super::error::CliError;
use super::super::when;
use crate::RuleSet;
use crate::fetch::indexes::Index;
use crate::request::{BuildPolicy, FormatControl, FormatOption, Inputs, Policy};
use crate::rules::RuleKind;

pub(super) fn policy(
    args: &ResolveArgs,
    read: &Inputs,
    rules: &RuleSet,
) -> Result<Policy, CliError> {
    let mut formats = FormatControl::default();
    for (option, value) in &read.options.formats {
        take_format(&mut formats, *option, &value.value)?;
    }
    for value in &args.no_binary {
        take_format(&mut formats, FormatOption::NoBinary, value)?;
    }
    for value in &args.only_binary {
        take_format(&mut formats, FormatOption::OnlyBinary, value)?;
    }
    let build = match (&args.build, args.no_build) {
        (Some(value), _) if value == ":all:" => BuildPolicy::Freely,
        (Some(value), _) => {
            return Err(
                CliError::usage(format!("`--build {value}` is not understood"))
                    .hint("`--build :all:` takes source distributions like wheels"),
            );
        }
        (None, true) => BuildPolicy::Never,
        (None, false) => BuildPolicy::LastResort,
    };
    let exclude_newer = args
        .exclude_newer
        .as_deref()
        .filter(|text| *text != when::NO_CUTOFF)
        .map(|text| when::cutoff(text, Timestamp::now()))
        .transpose()?;
    Ok(Policy {
        prereleases: args.pre || read.options.pre,
        exclude_newer,
        exclude_newer_off: args
            .exclude_newer_index
            .iter()
            .map(|text| exempted(text))
            .collect::<Result<_, _>>()?,
        wheels: formats.wheels(),
        sdists: formats.sdists(),
        build,
        providers: args
            .provider
            .iter()
            .map(|text| provider(text, rules))
            .collect::<Result<_, _>>()?,
    })
}

fn take_format(
    formats: &mut FormatControl,
    option: FormatOption,
    value: &str,
) -> Result<(), CliError> {
    formats.take(option, value).map_err(|part| {
        CliError::usage(format!(
            "`{part}` is neither a distribution nor `:all:` or `:none:`"
        ))
        .hint("`--only-binary` and `--no-binary` take names separated by commas")
    })
}

/// `URL=off`.
fn exempted(text: &str) -> Result<String, CliError> {
    let url = text.strip_suffix("=off").ok_or_else(|| {
        CliError::usage(format!("`--exclude-newer-index {text}` is not understood"))
            .hint("write `--exclude-newer-index https://index.example/simple/=off`")
    })?;
    Index::new(url)
        .map(|index| index.url.to_string())
        .map_err(|error| CliError::usage(error.to_string()))
}

/// `SLOT=NAME`.
fn provider(text: &str, rules: &RuleSet) -> Result<(String, PackageName), CliError> {
    let wrong = |message: String, hint: &str| Err(CliError::usage(message).hint(hint));
    let Some((slot, name)) = text.split_once('=') else {
        return wrong(
            format!("`--provider {text}` is not understood"),
            "write `--provider cv2=opencv-python-headless`",
        );
    };
    let Ok(name) = PackageName::from_str(name) else {
        return wrong(format!("`{name}` is no name of a distribution"), "");
    };
    let slots: BTreeMap<&str, &[PackageName]> = rules
        .iter()
        .filter_map(|rule| match &rule.kind {
            RuleKind::Slot {
                import, members, ..
            } => Some((import.as_str(), members.as_slice())),
            _ => None,
        })
        .collect();
    match slots.get(slot) {
        None => {
            let known: Vec<&str> = slots.keys().copied().collect();
            wrong(
                format!("no rule knows a slot `{slot}`"),
                &format!("the slots are {}", known.join(", ")),
            )
        }
        Some(members) if !members.contains(&name) => {
            let known: Vec<&str> = members.iter().map(AsRef::as_ref).collect();
            wrong(
                format!("`{name}` does not install into `{slot}`"),
                &format!("these do: {}", known.join(", ")),
            )
        }
        Some(_) => Ok((slot.to_owned(), name)),
    }
}
