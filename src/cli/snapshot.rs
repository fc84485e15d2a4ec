//! `mlresolve snapshot`.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{Format, RecordArgs};
use super::error::{CliError, Exit};
use super::recorded::Recorded;
use super::session::Session;
use super::{base_report, conflict, inputs, output, say, settings, tell, why};
use crate::fetch::indexes::Index;
use crate::fetch::snapshot::{About, Hosts, Recording, Snapshot};
use crate::solve::{Facts, Memo, Outcome, solve_again};

/// Locks each input by itself, explains what has no solution, and writes down every fact
/// that this needed.
pub(crate) fn record(args: &RecordArgs) -> Result<Exit, CliError> {
    let resolve = match settings::settings(&args.resolve, None)? {
        Some(settings) => settings::resolve(&args.resolve, &settings),
        None => args.resolve.clone(),
    };
    let recording = Recording::default();
    let mut default = Index::standard();
    for input in inputs::inputs(&resolve.inputs)? {
        let mut one = resolve.clone();
        one.inputs = vec![input.clone()];
        let mut session = Session::open(&one, &Recorded::default())?;
        if !session.request.base.changeable.is_empty() {
            learn_base(&mut session, &recording);
        }
        if let Some(url) = &session.places.index {
            default = Index::new(url).map_err(|error| CliError::usage(error.to_string()))?;
        }
        match solved(&session, &recording)? {
            Outcome::Solved(solution) => {
                let recorder = recording.of(session.facts.facts());
                let facts: &dyn Facts = &recorder;
                for question in &args.why {
                    // That nothing asks for a name is no reason to record nothing.
                    why::answer(&session, facts, question).ok();
                }
                say(&format!(
                    "recorded `{input}`: {} distributions",
                    solution.packages.len()
                ));
            }
            Outcome::Unsolvable(_) => {
                learn_base(&mut session, &recording);
                let recorder = recording.of(session.facts.facts());
                conflict::explained(&session, &recorder)?;
                if !session.request.base.packages.is_empty() {
                    base_report::remedy(&session, &recorder)?;
                }
                say(&format!("recorded `{input}`: it has no solution"));
            }
        }
    }
    let about = About {
        recorded: Timestamp::now(),
        purpose: args.purpose.clone(),
        program: concat!("mlresolve ", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let hosts = if args.anonymous {
        Hosts::Example(default.url)
    } else {
        Hosts::AsRecorded
    };
    let bytes = recording
        .write(about, &hosts)
        .map_err(|error| CliError::usage(format!("the snapshot was not written: {error}")))?;
    output::write_atomically(&args.output, &bytes)?;
    say(&format!(
        "wrote `{}`: {} bytes",
        args.output.display(),
        bytes.len()
    ));
    Ok(Exit::Done)
}

fn solved(session: &Session, recording: &Recording) -> Result<Outcome, CliError> {
    let recorder = recording.of(session.facts.facts());
    let facts: &dyn Facts = &recorder;
    let (request, target, rules) = (&session.request, &session.target, &session.rules);
    Ok(solve_again(
        request,
        target,
        rules,
        &facts,
        &Memo::default(),
    )?)
}

/// As `lock` does before it explains what a base refuses.
fn learn_base(session: &mut Session, recording: &Recording) {
    let recorder = recording.of(session.facts.facts());
    let base = Arc::make_mut(&mut session.request.base);
    super::base::learn(base, &session.target, &recorder);
}

/// Says what a snapshot holds.
pub(crate) fn info(file: &Path, format: Format) -> Result<Exit, CliError> {
    let snapshot = Snapshot::open(file).map_err(|error| {
        CliError::usage(format!("cannot read `{}`: {error}", file.display()))
            .hint("`mlresolve snapshot record` makes one")
    })?;
    let about = snapshot.about();
    let names: Vec<&str> = snapshot.names().map(AsRef::as_ref).collect();
    match format {
        Format::Json => {
            let json = serde_json::json!({
                "recorded": about.recorded.to_string(),
                "for": about.purpose,
                "program": about.program,
                "bytes": snapshot.size(),
                "distributions": names,
                "metadata": snapshot.metadata_count(),
            });
            tell(&format!("{json}\n"));
        }
        Format::Text => {
            let purpose = if about.purpose.is_empty() {
                "nothing in particular"
            } else {
                &about.purpose
            };
            tell(&format!(
                "recorded {} by {}, for {purpose}\n{} distributions, metadata of {} files, {} bytes\n",
                about.recorded,
                about.program,
                names.len(),
                snapshot.metadata_count(),
                snapshot.size()
            ));
        }
    }
    Ok(Exit::Done)
}
