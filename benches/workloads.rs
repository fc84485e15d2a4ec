//! Three fixed pieces of work, whose instructions `benches/instructions` counts.
//!
//!     workloads page|solve|write TIMES
//!
//! does the piece so many times after it made ready. The difference between the counts of one
//! time and of none is what the piece itself costs.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads its arguments and files, and prints"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::Path;

use mlresolve::explain::{Study, why};
use mlresolve::fetch::snapshot::{Snapshot, SnapshotFacts};
use mlresolve::lock::{
    Format, HashListing, InstallerOptions, Lock, LockContext, RenderOptions, TargetRecord, render,
};
use mlresolve::metadata::{Page, WheelName};
use mlresolve::request::Request;
use mlresolve::solve::Solution;
use mlresolve::{Outcome, RuleSet, Target, solve};
use url::Url;

const INDEX: &str = "https://index.example/simple/";
const STACK: &str =
    include_str!("../tests/stacks/embeddings-numpy2-migration/requirements-full.in");
const PACKAGES: usize = 145;
const CUTOFF: &str = "2026-11-02T00:00:00Z";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [work, times, ..] = &words[..] else {
        println!("workloads page|solve|write TIMES");
        return;
    };
    let times: usize = times.parse().expect("a number");
    match work.as_str() {
        "page" => pages(times),
        "solve" => Stack::ready().solves(times),
        "write" => Stack::ready().writes(times),
        other => panic!("no workload `{other}`"),
    }
}

/// Reads a page of 5,000 files, as JSON and as HTML.
fn pages(times: usize) {
    let name = support::name("wide");
    let url: Url = format!("{INDEX}wide/").parse().expect("a URL");
    let (json, html) = (page::json(5_000), page::html(5_000));
    for _ in 0..times {
        for (kind, body) in [
            ("application/vnd.pypi.simple.v1+json", &json),
            ("text/html", &html),
        ] {
            let read = Page::parse(&name, INDEX, &url, kind, black_box(body.as_bytes()));
            let read = black_box(read).expect("a page");
            assert_eq!((read.files.len(), read.skipped), (5_000, 0), "{kind}");
        }
    }
}

/// A recorded stack, with everything that its solve reads at hand.
struct Stack {
    request: Request,
    target: Target,
    rules: RuleSet,
    facts: SnapshotFacts,
    solution: Option<Box<Solution>>,
}

impl Stack {
    fn ready() -> Self {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/index/stacks-py311.snapshot");
        let snapshot = Snapshot::open(&path).expect("a snapshot");
        let lines: Vec<&str> = STACK
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .collect();
        let mut request = support::request(&lines);
        request.policy.exclude_newer = Some(CUTOFF.parse().expect("an instant"));
        let mut stack = Self {
            request,
            target: support::target(),
            rules: RuleSet::embedded().unwrap_or_else(|errors| panic!("{errors}")),
            facts: SnapshotFacts::new(vec![snapshot], &INDEX.parse().expect("a URL")),
            solution: None,
        };
        // Facts are read when they are first asked for.
        stack.solution = Some(stack.solved());
        stack
    }

    fn solved(&self) -> Box<Solution> {
        match solve(&self.request, &self.target, &self.rules, &self.facts) {
            Ok(Outcome::Solved(solution)) => solution,
            other => panic!("the stack has an answer, not {other:?}"),
        }
    }

    fn solves(&self, times: usize) {
        for _ in 0..times {
            let solution = black_box(self.solved());
            assert!(solution.packages.len() >= PACKAGES);
        }
    }

    /// Writes the lock in both formats, and says why one pin is as it is.
    fn writes(&self, times: usize) {
        let solution = self.solution.as_ref().expect("solved when made ready");
        for _ in 0..times {
            for format in [Format::Requirements, Format::Pylock] {
                let text = black_box(self.lock(solution, format));
                assert!(text.lines().count() > PACKAGES);
            }
            let study = Study::new(&self.target, &self.rules, &self.facts);
            let answer = why(&support::name("pillow"), &study, &self.request, solution);
            let answer = answer.expect("facts").expect("it is there");
            assert!(!black_box(answer.render()).is_empty());
        }
    }

    fn lock(&self, solution: &Solution, format: Format) -> String {
        let suits = |wheel: &WheelName| self.target.wheel_priority(wheel).is_some();
        let context = LockContext {
            suits: &suits,
            target: TargetRecord::of(&self.target),
            version: "0".to_owned(),
            command: "mlresolve lock".to_owned(),
            indexes: vec![INDEX.to_owned()],
            public_index: Some(INDEX.to_owned()),
            options: InstallerOptions::default(),
            rules: &self.rules,
            base: None,
            ignored_rules: Vec::new(),
            hashes: match format {
                Format::Pylock => HashListing::Files,
                Format::Requirements => HashListing::Hashes,
            },
            computed_hashes: BTreeMap::new(),
            projects: BTreeMap::new(),
            folder: None,
        };
        let lock = Lock::from_solution(solution, &self.request, context).expect("a lock");
        let options = RenderOptions {
            format,
            ..RenderOptions::default()
        };
        render(&lock, &options)
    }
}

/// A page as a large index has it.
mod page {
    use std::fmt::Write as _;

    const TAGS: [&str; 10] = [
        "cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-cp311-manylinux_2_28_aarch64",
        "cp311-cp311-macosx_11_0_arm64",
        "cp311-cp311-win_amd64",
        "cp312-cp312-manylinux_2_28_x86_64",
        "cp312-cp312-musllinux_1_2_x86_64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-cp313t-manylinux_2_28_x86_64",
        "",
    ];

    /// File name, path, sha256 and day of the number-th file.
    fn file(number: usize) -> (String, String, String, String) {
        let release = number / TAGS.len();
        let (major, minor, micro) = (release / 50, release % 50 / 5, release % 5);
        let name = match TAGS[number % TAGS.len()] {
            "" => format!("wide-{major}.{minor}.{micro}.tar.gz"),
            tags => format!("wide-{major}.{minor}.{micro}-{tags}.whl"),
        };
        let digest = format!("{:064x}", number * 0x0001_0001_0001);
        let path = format!(
            "packages/{:02x}/{:02x}/{:060x}/{name}",
            number % 256,
            number / 256,
            number
        );
        let day = format!("20{:02}-{:02}-{:02}", 10 + major, 1 + minor, 1 + micro);
        (name, path, digest, day)
    }

    pub(super) fn json(files: usize) -> String {
        let mut text = String::from(r#"{"meta":{"api-version":"1.1"},"name":"wide","files":["#);
        for number in 0..files {
            let (name, path, digest, day) = file(number);
            let comma = if number == 0 { "" } else { "," };
            write!(
                text,
                r#"{comma}{{"core-metadata":{{"sha256":"{digest}"}},"data-dist-info-metadata":{{"sha256":"{digest}"}},"filename":"{name}","hashes":{{"sha256":"{digest}"}},"provenance":null,"requires-python":">=3.9","size":{},"upload-time":"{day}T10:11:12.131415Z","url":"https://files.example/{path}","yanked":false}}"#,
                1_000_000 + number
            )
            .expect("a string takes all");
        }
        text.push_str("]}");
        text
    }

    pub(super) fn html(files: usize) -> String {
        let mut text = String::from("<!DOCTYPE html>\n<html><body>\n<h1>Links for wide</h1>\n");
        for number in 0..files {
            let (name, path, digest, day) = file(number);
            writeln!(
                text,
                r#"<a href="https://files.example/{path}#sha256={digest}" data-upload-time="{day}T10:11:12.131415Z" data-requires-python="&gt;=3.9">{name}</a><br/>"#
            )
            .expect("a string takes all");
        }
        text.push_str("</body></html>\n");
        text
    }
}
