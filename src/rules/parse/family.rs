//! A family's file: members, labels, binaries.

use std::collections::BTreeMap;

use pep440_rs::Version;

use super::super::decode::Table;
use super::super::{
    Architecture, FamilyBinary, FamilyExtension, FamilyLabel, LocalScheme, RuleError,
    RuleErrorKind, RuleKind, VersionRange, keys,
};
use super::{
    Spans, check_url, read_marker, read_name, read_names, read_needs, read_range, read_version,
};

/// Reads what a rule of kind `family` says.
pub(super) fn read(table: &Table<'_>, spans: &mut Spans) -> Result<RuleKind, RuleError> {
    let members = table.require("members")?;
    spans.when = members.span.clone();
    spans.then = members.span.clone();
    let labels = table
        .tables("label", &[keys::LABEL])?
        .iter()
        .map(read_label)
        .collect::<Result<Vec<_>, _>>()?;
    let binaries = table
        .tables("binary", &[keys::BINARY])?
        .iter()
        .map(|binary| read_binary(binary, &labels))
        .collect::<Result<_, _>>()?;
    let extensions = table
        .tables("extension", &[keys::EXTENSION])?
        .iter()
        .map(read_extension)
        .collect::<Result<_, _>>()?;
    Ok(RuleKind::Family {
        name: table.require_text("family")?.value.to_owned(),
        members: read_names(table, &table.texts(&members)?)?,
        labels,
        binaries,
        extensions,
    })
}

fn read_extension(extension: &Table<'_>) -> Result<FamilyExtension, RuleError> {
    let packages = extension.require("packages")?;
    let local = extension.require("local")?;
    let local = extension.texts(&local)?;
    Ok(FamilyExtension {
        packages: read_names(extension, &extension.texts(&packages)?)?,
        built_for: read_name(extension, &extension.require_text("built-for")?)?,
        local: local
            .iter()
            .map(|text| {
                LocalScheme::parse(text.value).ok_or_else(|| {
                    let kind = RuleErrorKind::UnknownValue {
                        what: "scheme of a local version",
                        value: text.value.to_owned(),
                    };
                    extension.error(kind, text).with_help(
                        "write it as `cu{cuda}torch{release}cxx11abi{abi}`, or with `{label}` \
                         or `{digits}`",
                    )
                })
            })
            .collect::<Result<_, _>>()?,
    })
}

fn read_label(label: &Table<'_>) -> Result<FamilyLabel, RuleError> {
    let index = label.require_text("index")?;
    check_url(label, &index)?;
    let accelerator = label.require_text("accelerator")?;
    let accelerator = label.word(&accelerator, "accelerator", keys::ACCELERATORS)?;
    Ok(FamilyLabel {
        name: label.require_text("name")?.value.to_owned(),
        accelerator: accelerator.to_owned(),
        index: index.value.to_owned(),
        marker: read_marker(label)?,
        needs: match label.get("needs") {
            Some(_) => read_needs(label)?,
            None => BTreeMap::new(),
        },
        provides: read_provides(label)?,
        toolkit_driver: label
            .get_text("toolkit-driver")?
            .map(|text| read_version(label, &text))
            .transpose()?,
    })
}

fn read_binary(binary: &Table<'_>, known: &[FamilyLabel]) -> Result<FamilyBinary, RuleError> {
    let labels = binary.texts(&binary.require("labels")?)?;
    for label in &labels {
        if !known.iter().any(|other| other.name == label.value) {
            let kind = RuleErrorKind::UnknownValue {
                what: "label of this family",
                value: label.value.to_owned(),
            };
            return Err(binary
                .error(kind, label)
                .with_help("name one of its `[[label]]` tables"));
        }
    }
    let architectures = match binary.get("architectures") {
        Some(raw) => binary
            .texts(&raw)?
            .iter()
            .map(|text| {
                Architecture::parse(text.value).ok_or_else(|| {
                    let kind = RuleErrorKind::UnknownValue {
                        what: "GPU architecture",
                        value: text.value.to_owned(),
                    };
                    binary
                        .error(kind, text)
                        .with_help("write it as `9.0`, or `12.0+PTX` where there is PTX of it")
                })
            })
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    Ok(FamilyBinary {
        package: read_name(binary, &binary.require_text("package")?)?,
        versions: match binary.get("version") {
            Some(raw) => read_range(binary, &binary.texts(&raw)?)?,
            None => VersionRange::any(),
        },
        labels: labels.iter().map(|label| label.value.to_owned()).collect(),
        marker: read_marker(binary)?,
        architectures,
        provides: read_provides(binary)?,
        cxx11_abi: match binary.get("cxx11-abi") {
            Some(_) => Some(binary.flag("cxx11-abi")?),
            None => None,
        },
    })
}

/// What a build brings, by virtual package.
fn read_provides(table: &Table<'_>) -> Result<BTreeMap<String, Version>, RuleError> {
    if table.get("provides").is_none() {
        return Ok(BTreeMap::new());
    }
    let provides = table.require_table("provides", &[keys::VIRTUAL_PACKAGES])?;
    provides
        .entries()
        .map(|raw| {
            let version = read_version(&provides, &provides.text(&raw)?)?;
            Ok((raw.key.to_owned(), version))
        })
        .collect()
}
