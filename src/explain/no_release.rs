//! That none of the releases in a range can be chosen, and what keeps them away.

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::text;
use crate::solve::Unusable;

/// How many tags are named.
const MAX_TAGS: usize = 6;

/// Releases in a range, none of which can be chosen.
pub(super) struct Away<'a> {
    package: &'a PackageName,
    rejected: &'a [(Version, Unusable)],
    /// They are all that there are.
    pub(super) all: bool,
}

impl<'a> Away<'a> {
    /// Of releases that cannot be chosen, ascending.
    pub(super) fn new(package: &'a PackageName, rejected: &'a [(Version, Unusable)]) -> Self {
        Self {
            package,
            rejected,
            all: false,
        }
    }

    /// The release whose reason tells most, and what sets it apart from newer ones.
    ///
    /// That a build exists and does not run here tells more than that others do not exist;
    /// and what a policy of the user's keeps away may well not run here either.
    pub(super) fn telling(&self) -> Option<(&'a Version, &'a Unusable, String)> {
        let not_running = |reason: &Unusable| matches!(reason, Unusable::Accelerator { .. });
        let newest = |what: &dyn Fn(&Unusable) -> bool| {
            self.rejected.iter().rfind(|(_, reason)| what(reason))
        };
        if let Some((version, reason)) = newest(&not_running) {
            let apart = "the newest that has a wheel".to_owned();
            return Some((version, reason, apart));
        }
        let (version, reason) =
            newest(&|reason| !by_policy(reason)).or_else(|| self.rejected.last())?;
        let newer = || {
            self.rejected
                .iter()
                .filter(|(other, _)| other > version)
                .map(|(_, reason)| reason)
        };
        let has = |what: &dyn Fn(&Unusable) -> bool| newer().any(what);
        let mut apart = "the newest".to_owned();
        if has(&|reason| matches!(reason, Unusable::PreRelease)) {
            apart.push_str(" final one");
        }
        if has(&|reason| matches!(reason, Unusable::Yanked { .. })) {
            apart.push_str(" not yanked");
        }
        if has(&|reason| matches!(reason, Unusable::TooNew)) {
            apart.push_str(" before the cut-off");
        }
        Some((version, reason, apart))
    }

    /// The whole sentence, with the words for one release's reason.
    pub(super) fn sentence(
        &self,
        python: &str,
        unusable: impl Fn(&Unusable) -> String,
    ) -> Option<String> {
        let package = self.package;
        let (version, reason, apart) = self.telling()?;
        if self.rejected.len() == 1 {
            return Some(format!("{package} {version} {}", unusable(reason)));
        }
        let count = self.rejected.len();
        let of = if self.all { "" } else { " in that range" };
        let each = format!("each of the {count} releases of {package}{of}");
        let all =
            |what: &dyn Fn(&Unusable) -> bool| self.rejected.iter().all(|(_, reason)| what(reason));
        let is_same = |other: &Unusable| {
            // Builds that do not run differ in no more than their numbers.
            other == reason
                || matches!(
                    (other, reason),
                    (Unusable::Accelerator { .. }, Unusable::Accelerator { .. })
                )
        };
        if all(&is_same) {
            return Some(format!("{each} {}", unusable(reason)));
        }
        if all(&|other| matches!(other, Unusable::Python { .. })) {
            let (first, last) = (self.rejected.first()?, self.rejected.last()?);
            let needs = |(version, reason): &(Version, Unusable)| match reason {
                Unusable::Python { requires } => format!("{version} needs {requires}"),
                _ => version.to_string(),
            };
            let ends = text::list(&[needs(first), needs(last)]);
            return Some(format!(
                "{each} needs another Python than {python}, which the target has: {ends}"
            ));
        }
        if all(&|other| matches!(other, Unusable::NoSuitableFile { found } if !found.is_empty())) {
            // The same of all; the tags are those of the one that is told.
            let what = unusable(reason);
            let what = what.replace(" (its wheels", &format!(" (the wheels of {version}"));
            return Some(format!("{each} {what}"));
        }
        Some(format!(
            "none of the {count} releases of {package}{of} can be chosen: {apart}, \
             {version}, {}",
            unusable(reason)
        ))
    }
}

/// Whether it is a policy that keeps a release away, and not what the release is.
pub(super) fn by_policy(reason: &Unusable) -> bool {
    matches!(
        reason,
        Unusable::TooNew | Unusable::NoUploadTime | Unusable::PreRelease | Unusable::Yanked { .. }
    )
}

/// What a release's wheels are for, given their tags: the platforms of those for the target's
/// Python, else the Pythons.
pub(super) fn wheels_for(found: &[String], python: &Version) -> String {
    let tags: Vec<Vec<&str>> = found
        .iter()
        .map(|tag| tag.splitn(3, '-').collect())
        .collect();
    if tags.iter().any(|tag| tag.len() != 3) {
        return format!("its wheels are for {}", few(found.to_vec()));
    }
    let (major, minor) = match python.release() {
        [major, minor, ..] => (*major, *minor),
        [major] => (*major, 0),
        [] => (0, 0),
    };
    let own = format!("cp{major}{minor}");
    // Of pure Python, or for the stable ABI of this Python or an older one.
    let up_to = |tag: &str, start: &str| {
        tag.strip_prefix(start)
            .and_then(|rest| rest.strip_prefix(&major.to_string()))
            .is_some_and(|rest| rest.is_empty() || rest.parse().is_ok_and(|it: u64| it <= minor))
    };
    let runs = |python: &str, abi: &str| {
        python == own || up_to(python, "py") || abi == "abi3" && up_to(python, "cp")
    };
    let mut platforms: Vec<String> = Vec::new();
    let mut pythons: Vec<String> = Vec::new();
    for tag in &tags {
        let mut named = tag[0].split('.');
        if named.any(|python| tag[1].split('.').any(|abi| runs(python, abi))) {
            // The first of several names of one platform will do.
            let platform = tag[2].split('.').next().unwrap_or_default().to_owned();
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        let python = tag[0].to_owned();
        if !pythons.contains(&python) {
            pythons.push(python);
        }
    }
    if platforms.is_empty() {
        // `cp39` before `cp310`.
        pythons.sort_by_key(|tag| (tag.len(), tag.clone()));
        format!("its wheels are for {}", few(pythons))
    } else {
        format!(
            "its wheels for Python {major}.{minor} are for {}",
            few(platforms)
        )
    }
}

fn few(mut words: Vec<String>) -> String {
    let more = words.len().saturating_sub(MAX_TAGS);
    if more > 0 {
        words.truncate(MAX_TAGS);
        words.push(format!("{more} more"));
    }
    text::list(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minor(minor: u64) -> Version {
        Version::new([3, minor])
    }

    #[test]
    fn wheels_are_told_by_what_the_target_lacks() {
        let tags = |of: &[&str]| of.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let found = tags(&[
            "cp310-cp310-win_amd64",
            "cp311-cp311-macosx_11_0_arm64",
            "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
            "cp39-cp39-win_amd64",
        ]);
        assert_eq!(
            wheels_for(&found, &minor(11)),
            "its wheels for Python 3.11 are for macosx_11_0_arm64 and manylinux_2_17_x86_64"
        );
        assert_eq!(
            wheels_for(&found, &minor(13)),
            "its wheels are for cp39, cp310 and cp311"
        );
        assert_eq!(
            wheels_for(
                &tags(&["py3-none-win_amd64", "cp39-abi3-macosx_11_0_arm64"]),
                &minor(13)
            ),
            "its wheels for Python 3.13 are for win_amd64 and macosx_11_0_arm64"
        );
        let many: Vec<String> = (30..40)
            .map(|minor| format!("cp{minor}-none-any"))
            .collect();
        assert_eq!(
            wheels_for(&many, &minor(13)),
            "its wheels are for cp30, cp31, cp32, cp33, cp34, cp35 and 4 more"
        );
        assert_eq!(
            wheels_for(&tags(&["the wheel variant x"]), &minor(13)),
            "its wheels are for the wheel variant x"
        );
    }
}
