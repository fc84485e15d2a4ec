//! Evidence in a rule's file, written without touching the rest of it.

use std::path::Path;

use jiff::Timestamp;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::super::error::CliError;
use super::super::output::write_atomically;
use super::probe::{Shown, verdict};
use super::runs::is_run;
use super::verify::Report;

/// Records what the wheels showed in the rule's file, and that it was checked today.
pub(super) fn write(path: &Path, report: &Report) -> Result<(), CliError> {
    let failed = |detail: String| {
        CliError::usage(format!(
            "cannot record evidence in `{}`: {detail}",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let shown = report.checks.iter().map(|check| &check.shown);
    let new = recorded(&text, shown, &today()).map_err(failed)?;
    if new == text {
        return Ok(());
    }
    write_atomically(path, new.as_bytes())
}

/// Today's date, in UTC.
pub(super) fn today() -> String {
    let instant = Timestamp::now().to_string();
    instant
        .split_once('T')
        .map_or_else(String::new, |(date, _)| date.to_owned())
}

/// The text with the evidence in it. What it has about a file stays where it comes to the
/// same verdict: it may say more than a scan does that stops early.
fn recorded<'a>(
    text: &str,
    shown: impl Iterator<Item = &'a Shown>,
    date: &str,
) -> Result<String, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    if let Some(checked) = document.get_mut("checked").and_then(Item::as_value_mut) {
        let decor = checked.decor().clone();
        *checked = date.into();
        *checked.decor_mut() = decor;
    }
    // New tables stand where the others do: before the cases, which come last.
    let position = first_case(&document);
    let tables = document
        .entry("evidence")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()))
        .as_array_of_tables_mut()
        .ok_or("`evidence` is no array of tables")?;
    for shown in shown {
        let known = tables.iter_mut().find(|table| {
            text_of(table, "file") == Some(&shown.file)
                && !text_of(table, "finding").is_some_and(is_run)
        });
        if let Some(table) = known {
            update(table, shown);
        } else {
            let mut table = Table::new();
            table.insert("file", value(&shown.file));
            update(&mut table, shown);
            table.decor_mut().set_prefix("\n");
            let last = tables.iter().filter_map(Table::position).max();
            table.set_position(last.or(position));
            tables.push(table);
        }
    }
    Ok(document.to_string())
}

fn first_case(document: &DocumentMut) -> Option<isize> {
    ["hit", "miss"]
        .iter()
        .filter_map(|key| document.get(key)?.as_array_of_tables())
        .flat_map(ArrayOfTables::iter)
        .filter_map(Table::position)
        .min()
        .map(|position| position - 1)
}

fn text_of<'t>(table: &'t Table, key: &str) -> Option<&'t str> {
    table.get(key)?.as_str()
}

fn update(table: &mut Table, shown: &Shown) {
    if let Some(sha256) = &shown.sha256
        && text_of(table, "sha256") != Some(sha256)
    {
        table.insert("sha256", value(sha256));
    }
    let same =
        text_of(table, "finding").is_some_and(|finding| finding.starts_with(verdict(shown.abi)));
    if !same {
        table.insert("finding", value(&shown.finding));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::NumpyAbi;

    const RULE: &str = r#"# Why it is so.
kind = "constrain" # a comment
checked = "2026-01-01"
when = { package = "demo", version = "<2" }

[[evidence]]
file = "demo-1.whl"
finding = "NumPy 1 only: all 7 modules"

[[hit]]
have = ["demo==1", "numpy==2.0.0"]
"#;

    fn shown(file: &str, abi: NumpyAbi) -> Shown {
        Shown {
            file: file.to_owned(),
            sha256: Some("ab".repeat(32)),
            abi,
            finding: format!("{}: `demo.so` says so", verdict(abi)),
            binaries: true,
        }
    }

    #[test]
    fn evidence_is_added_and_the_rest_stays() {
        let all = [
            shown("demo-1.whl", NumpyAbi::Numpy1Only),
            shown("demo-2.whl", NumpyAbi::Numpy2Capable),
        ];
        let once = recorded(RULE, all.iter(), "2026-11-21").expect("a document");
        let hash = "ab".repeat(32);
        let expected = RULE.replace("2026-01-01", "2026-11-21").replace(
            "all 7 modules\"\n",
            &format!(
                "all 7 modules\"\nsha256 = \"{hash}\"\n\n[[evidence]]\nfile = \"demo-2.whl\"\n\
                     sha256 = \"{hash}\"\nfinding = \"NumPy 2 capable: `demo.so` says so\"\n"
            ),
        );
        assert_eq!(once, expected);
        let twice = recorded(&once, all.iter(), "2026-11-21").expect("a document");
        assert_eq!(twice, once);
    }

    #[test]
    fn what_a_run_showed_stays() {
        let rule = RULE.replace("NumPy 1 only: all 7 modules", "run: wrong beside numpy 2");
        let now = [shown("demo-1.whl", NumpyAbi::Numpy1Layout)];
        let text = recorded(&rule, now.iter(), "2026-11-21").expect("a document");
        assert!(
            text.contains("finding = \"run: wrong beside numpy 2\""),
            "{text}"
        );
        assert!(
            text.contains("finding = \"NumPy 1 layout: `demo.so` says so\""),
            "{text}"
        );
    }

    #[test]
    fn a_finding_that_no_longer_holds_is_replaced() {
        let now = [shown("demo-1.whl", NumpyAbi::None)];
        let text = recorded(RULE, now.iter(), "2026-11-21").expect("a document");
        assert!(
            text.contains("finding = \"no NumPy C-ABI: `demo.so` says so\""),
            "{text}"
        );
        assert!(!text.contains("all 7 modules"), "{text}");
    }

    #[test]
    fn the_first_evidence_stands_before_the_cases() {
        let rule = RULE.replace(
            "[[evidence]]\nfile = \"demo-1.whl\"\nfinding = \"NumPy 1 only: all 7 modules\"\n\n",
            "",
        );
        let now = [shown("demo-1.whl", NumpyAbi::Numpy1Only)];
        let text = recorded(&rule, now.iter(), "2026-11-21").expect("a document");
        let at = |what: &str| text.find(what);
        assert!(at("[[evidence]]") < at("[[hit]]"), "{text}");
    }
}
