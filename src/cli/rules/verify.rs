//! `mlresolve rules verify`: rules against the wheels on both sides of their bounds.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use pep440_rs::Version;
use serde::Serialize;

use super::super::args::{Format, VerifyArgs};
use super::super::error::{CliError, Exit};
use super::super::session::WheelSession;
use super::super::{rule_folders, say, tell};
use super::boundary::{self, Platform};
use super::checks::{Check, Checks, Verdict};
use super::probe::Probe;
use super::{evidence, runs};
use crate::RuleSet;
use crate::rules::{Rule, RuleKind, RuleOrigin, RuleSource, VersionRange, When};
use crate::solve::Facts as _;

/// What is told of one rule.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    id: String,
    kind: &'static str,
    pub(super) verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    pub(super) checks: Vec<Check>,
    errors: Vec<String>,
    sources: Vec<String>,
    #[serde(skip)]
    network: bool,
}

/// Checks the rules, several at once, and tells of them in order.
pub(super) fn run(args: &VerifyArgs) -> Result<Exit, CliError> {
    let set = match &args.rules {
        Some(folder) => folder_rules(folder)?,
        None => rule_folders::rules(&[], &[])?,
    };
    let rules = named(&set, &args.ids)?;
    let session = WheelSession::open(&args.wheels)?;
    let probe = Probe::new(session.registry()?);
    let platforms = Platform::all()?;
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let mut told = Told::default();
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.clamp(1, 16) {
            let (send, next, rules) = (send.clone(), &next, &rules);
            let (set, probe, platforms) = (&set, &probe, &platforms);
            scope.spawn(move || {
                while let Some((at, rule)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    rules.get(at).map(|rule| (at, rule))
                } {
                    // The receiver goes only after all senders.
                    let _ = send.send((at, verify(rule, set, probe, platforms)));
                }
            });
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (at, report) in receive {
            waiting.insert(at, report);
            while let Some(report) = waiting.remove(&due) {
                told.tell(args, &report)?;
                due += 1;
            }
        }
        Ok::<(), CliError>(())
    })?;
    Ok(told.exit(args))
}

/// The rules that are named, sorted; all where none is.
fn named(set: &RuleSet, ids: &[String]) -> Result<Vec<Arc<Rule>>, CliError> {
    let ids = rule_folders::ignored(set, ids)?;
    Ok(set
        .iter()
        .filter(|rule| ids.is_empty() || ids.contains(&rule.id))
        .map(Arc::clone)
        .collect())
}

/// The rules of a folder alone: it may be the one that the program's own come from.
pub(super) fn folder_rules(folder: &Path) -> Result<RuleSet, CliError> {
    let files = rule_folders::files(folder)?;
    RuleSet::load(files.iter().map(|(id, text)| RuleSource {
        id,
        origin: RuleOrigin::Folder(folder.display().to_string()),
        text,
    }))
    .map_err(|error| CliError::diagnostic(Exit::Usage, error))
}

/// How many rules ended how.
#[derive(Default)]
struct Told {
    agree: usize,
    bound_elsewhere: usize,
    disagree: usize,
    not_decidable: usize,
    network: bool,
}

impl Told {
    fn tell(&mut self, args: &VerifyArgs, report: &Report) -> Result<(), CliError> {
        match report.verdict {
            Verdict::Agree => self.agree += 1,
            Verdict::BoundElsewhere => self.bound_elsewhere += 1,
            Verdict::Disagree => self.disagree += 1,
            Verdict::NotDecidable => self.not_decidable += 1,
        }
        self.network |= report.network;
        match args.format {
            Format::Text => tell(&text(report)),
            Format::Json => {
                let line = serde_json::to_string(report)
                    .map_err(|error| CliError::usage(error.to_string()))?;
                tell(&format!("{line}\n"));
            }
        }
        if let Some(folder) = &args.rules
            && args.write
            && report.verdict <= Verdict::BoundElsewhere
        {
            evidence::write(&folder.join(format!("{}.toml", report.id)), report)?;
        }
        Ok(())
    }

    fn exit(&self, args: &VerifyArgs) -> Exit {
        if args.format == Format::Text {
            say(&format!(
                "{} agree, {} end where metadata or another rule takes over, {} disagree, {} are not \
                 decidable from binaries",
                self.agree, self.bound_elsewhere, self.disagree, self.not_decidable
            ));
        }
        if self.disagree > 0 {
            Exit::Unsolvable
        } else if self.network {
            Exit::Network
        } else {
            Exit::Done
        }
    }
}

/// Holds one rule against the wheels.
pub(super) fn verify(
    rule: &Rule,
    set: &RuleSet,
    probe: &Probe<'_>,
    platforms: &[Platform],
) -> Report {
    let mut report = Report {
        id: rule.id.to_string(),
        kind: rule.kind.name(),
        verdict: Verdict::NotDecidable,
        why: None,
        checks: Vec::new(),
        errors: Vec::new(),
        sources: rule.sources.clone(),
        network: false,
    };
    let Some(when) = numpy_abi(&rule.kind) else {
        report.why = Some("binaries do not tell what a rule of this kind says".to_owned());
        return report;
    };
    if runs::not_of_binaries(rule) {
        report.why = Some("its evidence is no binary: `resolver-rules/try` runs it".to_owned());
        return report;
    }
    match probe.registry.page(&when.package) {
        Ok(page) => match boundary::files(&page) {
            Ok(files) => {
                let checks = Checks {
                    rule,
                    when,
                    set,
                    page: &page,
                    probe,
                };
                checks.all(&files, platforms, &mut report);
            }
            Err(error) => report.fail("", &error),
        },
        Err(error) => report.fail("", &CliError::from_fact(&error)),
    }
    report.conclude();
    report
}

impl Report {
    /// The verdict of the wheels that have binaries; the others leave it open. Those that are
    /// bound elsewhere say nothing where a later release shows that the rule ends rightly.
    fn conclude(&mut self) {
        let telling = || {
            let binaries = self.checks.iter().filter(|check| check.shown.binaries);
            binaries.filter(|check| check.verdict != Verdict::BoundElsewhere || !check.followed)
        };
        let worst = telling().map(|check| check.verdict).max();
        let speaks = telling().any(|check| check.affected);
        if !speaks && self.errors.is_empty() {
            self.why = Some("no release that it speaks of has a wheel with binaries".to_owned());
        }
        self.verdict = match worst {
            Some(Verdict::Agree | Verdict::BoundElsewhere)
                if !speaks || !self.errors.is_empty() =>
            {
                Verdict::NotDecidable
            }
            Some(worst) => worst,
            None => Verdict::NotDecidable,
        };
    }

    pub(super) fn fail(&mut self, what: &str, error: &CliError) {
        self.network |= error.exit == Exit::Network;
        let colon = if what.is_empty() { "" } else { ": " };
        self.errors
            .push(format!("{what}{colon}{}", error.message()));
    }
}

/// Which releases a rule holds to be NumPy 1 only; `None` where it says something else.
///
/// A bound below the last NumPy 1 is about the Python API, of which binaries say nothing.
fn numpy_abi(kind: &RuleKind) -> Option<&When> {
    let RuleKind::Constrain {
        when,
        package,
        versions,
        inherited: false,
    } = kind
    else {
        return None;
    };
    let is_bound = |versions: &VersionRange| {
        versions.contains(&Version::new([1, 26, 4])) && !versions.contains(&Version::new([2, 0, 0]))
    };
    (package.as_ref() == "numpy" && is_bound(versions)).then_some(when)
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Agree => "agree",
        Verdict::BoundElsewhere => "bound elsewhere",
        Verdict::Disagree => "disagree",
        Verdict::NotDecidable => "not decidable",
    }
}

fn text(report: &Report) -> String {
    let mut page = format!("{}: {}", report.id, word(report.verdict));
    if let Some(why) = &report.why {
        let _ = write!(page, " ({why})");
    }
    page.push('\n');
    for check in &report.checks {
        let side = if check.affected {
            "affected"
        } else {
            "unaffected"
        };
        let mark = match check.verdict {
            Verdict::Agree => String::new(),
            verdict => format!(" [{}]", word(verdict)),
        };
        let note = check
            .note
            .map_or_else(String::new, |note| format!(" ({note})"));
        let _ = writeln!(
            page,
            "  {} {} {side}{mark}: {}\n    {}{note}",
            check.platform, check.version, check.shown.file, check.shown.finding
        );
    }
    for error in &report.errors {
        let _ = writeln!(page, "  error: {error}");
    }
    if report.verdict == Verdict::NotDecidable {
        for source in &report.sources {
            let _ = writeln!(page, "  source: {source}");
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::super::probe::Shown;
    use super::*;
    use crate::scan::NumpyAbi;

    #[test]
    fn wheels_without_binaries_do_not_weigh() {
        let check = |affected, verdict, binaries| Check {
            platform: "linux",
            version: "1".to_owned(),
            affected,
            verdict,
            followed: false,
            shown: Shown {
                file: "demo-1.whl".to_owned(),
                sha256: None,
                abi: NumpyAbi::None,
                finding: String::new(),
                binaries,
            },
            note: None,
        };
        let concluded = |checks| {
            let mut report = Report {
                id: "demo/rule".to_owned(),
                kind: "constrain",
                verdict: Verdict::NotDecidable,
                why: None,
                checks,
                errors: Vec::new(),
                sources: Vec::new(),
                network: false,
            };
            report.conclude();
            (report.verdict, report.why.is_some())
        };
        let telling = check(true, Verdict::Agree, true);
        let stub = || check(true, Verdict::NotDecidable, false);
        assert_eq!(concluded(vec![telling, stub()]), (Verdict::Agree, false));
        assert_eq!(concluded(vec![stub()]), (Verdict::NotDecidable, true));
        let unaffected = check(false, Verdict::Agree, true);
        assert_eq!(concluded(vec![unaffected]), (Verdict::NotDecidable, true));
        let telling = || check(true, Verdict::Agree, true);
        let bound = |followed| Check {
            followed,
            ..check(false, Verdict::BoundElsewhere, true)
        };
        assert_eq!(
            concluded(vec![telling(), bound(false)]),
            (Verdict::BoundElsewhere, false)
        );
        let free = check(false, Verdict::Agree, true);
        assert_eq!(
            concluded(vec![telling(), bound(true), free]),
            (Verdict::Agree, false)
        );
        let wrong = check(false, Verdict::Disagree, true);
        assert_eq!(
            concluded(vec![telling(), bound(true), wrong]),
            (Verdict::Disagree, false)
        );
    }
}
