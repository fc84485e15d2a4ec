//! Made-up worlds of any size, the same on every machine.

use mlresolve::Target;

use crate::support::Toy;

/// A small generator of numbers (splitmix64), so that worlds never change.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let limit = u64::try_from(limit.max(1)).unwrap_or(u64::MAX);
        usize::try_from(mixed % limit).unwrap_or_default()
    }
}

/// An index of `packages` distributions with `releases` releases each, and lines that pull
/// all of it in.
///
/// Distributions ask for two to six others that come later in the list, mostly near, some of
/// them hubs that many ask for. Most bounds are from below; every seventh distribution's
/// newest two releases ask for a hub that is older than its newest, so some must give way.
pub(crate) fn world(packages: usize, releases: usize) -> (Toy, Vec<String>) {
    let mut numbers = Numbers(7);
    let mut toy = Toy::default();
    let hubs = (packages / 50).max(1);
    for package in 0..packages {
        let wishes = 2 + numbers.below(5);
        let mut wanted: Vec<(usize, usize)> = Vec::new();
        for _ in 0..wishes {
            let left = packages - package - 1;
            let other = package + 1 + numbers.below(left.min(40));
            wanted.push((other, numbers.below(releases.div_ceil(2))));
        }
        wanted.push((package + 1, 0));
        if package < packages - hubs {
            wanted.push((packages - 1 - numbers.below(hubs), releases / 3));
        }
        wanted.retain(|(other, _)| (package + 1..packages).contains(other));
        wanted.sort_unstable();
        wanted.dedup_by_key(|(other, _)| *other);
        for release in 0..releases {
            let capped = package % 7 == 0 && release >= releases.saturating_sub(2);
            let requires: Vec<String> = wanted
                .iter()
                .map(|(other, low)| {
                    let cap = releases.saturating_sub(1);
                    if capped && *other >= packages - hubs && *low < cap {
                        format!("p{other}>=1.{low},<1.{cap}")
                    } else {
                        format!("p{other}>=1.{low}")
                    }
                })
                .collect();
            let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
            toy.release(&format!("p{package}"), &format!("1.{release}"), &requires);
        }
    }
    let mut lines = vec!["p0".to_owned()];
    lines.extend((0..packages / 20).map(|line| format!("p{}", line * 20 + 1)));
    (toy, lines)
}

/// Different targets: Pythons and platforms.
pub(crate) fn targets(count: usize) -> Vec<Target> {
    let pythons = ["3.10", "3.11", "3.12", "3.13"];
    let platforms = [
        "x86_64-manylinux_2_28",
        "x86_64-manylinux_2_17",
        "x86_64-manylinux_2_31",
        "x86_64-manylinux_2_34",
        "x86_64-manylinux_2_35",
        "x86_64-manylinux_2_39",
        "aarch64-manylinux_2_28",
        "aarch64-manylinux_2_17",
        "aarch64-manylinux_2_31",
        "aarch64-manylinux_2_34",
        "aarch64-manylinux_2_35",
        "aarch64-manylinux_2_39",
        "aarch64-apple-darwin",
        "x86_64-apple-darwin",
        "x86_64-pc-windows-msvc",
        "linux",
    ];
    (0..count)
        .map(|number| {
            let python = pythons[number % pythons.len()];
            let platform = platforms[number / pythons.len() % platforms.len()];
            Target::declared(python, platform).expect("a target")
        })
        .collect()
}
