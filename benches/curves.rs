//! What a solve costs as its world grows: time, memory and looks, on made-up worlds.
//!
//!     cargo bench --bench curves                # all sizes, as Markdown
//!     cargo bench --bench curves -- packages 1000
//!
//! Each size runs in a process of its own, so that the peak of memory is its own. Sizes are
//! 10 to 10,000 distributions for one target, and 1 to 64 targets over one world; then the
//! ladders of `tests/ladders.rs`. The exponent is fitted to the times: 1 is linear.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and its own arguments, and prints"
)]

#[path = "worlds/grown.rs"]
mod grown;
#[path = "../tests/support/mod.rs"]
mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use mlresolve::{Outcome, RuleSet, Target, solve};
use support::ladders;

/// The sizes of each curve.
const CURVES: [(&str, &[usize]); 3] = [
    ("packages", &[10, 30, 100, 300, 1_000, 3_000, 10_000]),
    ("releases", &[10, 30, 100, 300, 1_000]),
    ("targets", &[1, 2, 4, 8, 16, 32, 64]),
];

/// Runs of each size; the least time counts.
const RUNS: usize = 3;

/// What one size took.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    seconds: f64,
    /// Bytes at the peak above what the world itself holds; 0 where it cannot be known.
    memory: u64,
    /// Packages in the answers.
    packages: usize,
    /// Releases that were looked into.
    looks: usize,
}

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [curve, size] => {
            let cost = measure(curve, size.parse().expect("a size"));
            println!(
                "{} {} {} {}",
                cost.seconds, cost.memory, cost.packages, cost.looks
            );
        }
        _ => report(),
    }
}

/// Solves a world of this size, in this process.
fn measure(curve: &str, size: usize) -> Cost {
    let (packages, releases, targets) = match curve {
        "packages" => (size, 10, 1),
        "releases" => (200, size, 1),
        _ => (200, 10, size),
    };
    let (toy, lines) = grown::world(packages, releases);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let request = support::request(&lines);
    let targets = grown::targets(targets);
    let mut cost = Cost::default();
    memory::forget_peak();
    let before = memory::now();
    for run in 0..RUNS {
        let start = Instant::now();
        let packages = targets
            .iter()
            .map(|target| solved(&request, target, &toy))
            .sum();
        let seconds = start.elapsed().as_secs_f64();
        if run == 0 {
            cost.memory = memory::peak().saturating_sub(before);
        }
        if run == 0 || seconds < cost.seconds {
            cost.seconds = seconds;
        }
        cost.packages = packages;
    }
    cost.looks = toy.looks();
    cost
}

fn solved(request: &mlresolve::Request, target: &Target, toy: &support::Toy) -> usize {
    match solve(request, target, &RuleSet::default(), toy) {
        Ok(Outcome::Solved(solution)) => solution.packages.len(),
        other => panic!("a made-up world has an answer, not {other:?}"),
    }
}

/// Measures a size in a process of its own.
fn apart(curve: &str, size: usize) -> Cost {
    let program = std::env::current_exe().expect("this program");
    let said = Command::new(program)
        .args([curve, &size.to_string()])
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let numbers: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let &[seconds, memory, packages, looks] = &numbers[..] else {
        panic!("{curve} {size}: {}", String::from_utf8_lossy(&said.stderr));
    };
    let whole = |number: f64| format!("{number:.0}").parse().expect("a count");
    Cost {
        seconds,
        memory: whole(memory),
        packages: usize::try_from(whole(packages)).expect("a count"),
        looks: usize::try_from(whole(looks)).expect("a count"),
    }
}

fn report() {
    let build = if cfg!(debug_assertions) {
        "not optimised"
    } else {
        "optimised"
    };
    println!("# Cost curves (build: {build})\n");
    for (curve, sizes) in CURVES {
        println!("| {curve} | ms | ms for each | MiB | packages chosen | looks |");
        println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
        let mut times = Vec::new();
        let mut peaks = Vec::new();
        for &size in sizes {
            let cost = apart(curve, size);
            let milliseconds = cost.seconds * 1000.0;
            println!(
                "| {size} | {milliseconds:.2} | {:.4} | {:.1} | {} | {} |",
                milliseconds / float(size),
                float_bytes(cost.memory) / f64::from(1 << 20),
                cost.packages,
                cost.looks
            );
            times.push((float(size), cost.seconds));
            peaks.push((float(size), float_bytes(cost.memory)));
        }
        println!(
            "\nExponent over the larger half: time {:.2}, memory {:.2}.\n",
            exponent(&times),
            exponent(&peaks)
        );
    }
    climb();
}

/// The ladders: what each took, and the looks, which `tests/ladders.rs` bounds.
fn climb() {
    println!("| ladder | releases | looks | ms |");
    println!("| --- | ---: | ---: | ---: |");
    for ladder in ladders::all() {
        let request = support::request(&ladder.lines);
        let target = support::target();
        let mut best = Duration::MAX;
        for _ in 0..RUNS {
            let start = Instant::now();
            solved(&request, &target, &ladder.toy);
            best = best.min(start.elapsed());
        }
        println!(
            "| {} | {} | {} | {:.2} |",
            ladder.name,
            ladder.releases,
            ladder.toy.looks(),
            best.as_secs_f64() * 1000.0
        );
    }
}

/// The slope of a line through the logarithms of the larger half of the points.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let half = &points[points.len() / 2..];
    let logs: Vec<(f64, f64)> = half
        .iter()
        .filter(|(_, cost)| *cost > 0.0)
        .map(|(size, cost)| (size.ln(), cost.ln()))
        .collect();
    let count = float(logs.len());
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |sum, point| (sum.0 + point.0, sum.1 + point.1));
    let (x, y) = (x / count, y / count);
    let above: f64 = logs.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = logs.iter().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}

fn float(size: usize) -> f64 {
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "fewer bytes than a float counts"
)]
fn float_bytes(bytes: u64) -> f64 {
    bytes as f64
}

/// This process's memory, as Linux tells it; 0 elsewhere.
mod memory {
    fn line(field: &str) -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim_start_matches(':').trim().strip_suffix("kB"))
            .and_then(|number| number.trim().parse::<u64>().ok())
            .map_or(0, |kilobytes| kilobytes << 10)
    }

    /// Bytes held now.
    pub(super) fn now() -> u64 {
        line("VmRSS")
    }

    /// The most bytes that were held since the last [`forget_peak`].
    pub(super) fn peak() -> u64 {
        line("VmHWM")
    }

    /// Starts a new peak, where the system lets it.
    pub(super) fn forget_peak() {
        drop(std::fs::write("/proc/self/clear_refs", "5"));
    }
}
