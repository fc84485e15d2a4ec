//! The dependencies of one file, each read when it is asked for first.
//!
//! Most of what metadata lists belongs to extras that nobody asks for. What was kept of a file
//! therefore says beside each line which extras its marker names, and whether it can hold
//! without any, so that a line that cannot matter is not read.

use std::fmt;
use std::ops::Index;
use std::sync::OnceLock;

use pep508_rs::ExtraName;
use serde::{Deserialize, Serialize};

use super::requirement;
use super::{Dependency, Metadata, Repair, repair};

/// The dependencies of one file, in file order.
#[derive(Clone, Default)]
pub struct Requires(Vec<Entry>);

#[derive(Clone)]
struct Entry {
    /// Made where it was parsed, or at the first use of a line that was kept.
    dependency: OnceLock<Dependency>,
    /// The line as it was written; empty where there was none.
    text: Box<str>,
    scope: Scope,
}

/// On what a dependency hangs beside the environment.
#[derive(Clone)]
enum Scope {
    /// Not known yet.
    Unknown,
    Known {
        /// Whether it can hold where no extra is asked for.
        without: bool,
        /// The extras that its marker names.
        extras: Box<[ExtraName]>,
    },
}

/// One dependency as it is kept.
#[derive(Serialize, Deserialize)]
struct KeptEntry<'r> {
    text: &'r str,
    without: bool,
    #[serde(borrow)]
    extras: Vec<&'r str>,
}

/// Metadata as it is kept. Name and version are known to whoever asks for it.
#[derive(Serialize, Deserialize)]
struct Kept<'r> {
    requires_python: Option<&'r str>,
    #[serde(borrow)]
    requires: Vec<KeptEntry<'r>>,
    provides_extras: Vec<&'r str>,
    /// Before, after, and the place in [`repair::KINDS`].
    repairs: Vec<(&'r str, &'r str, u8)>,
}

impl Requires {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Those that can hold for one who asks for an extra, and do not hold without it; for one
    /// who asks for none, those that can hold then. Some of them may not hold all the same:
    /// their markers say it.
    pub fn candidates<'s>(
        &'s self,
        extra: Option<&'s ExtraName>,
    ) -> impl Iterator<Item = &'s Dependency> {
        let can_hold = move |entry: &&Entry| match (&entry.scope, extra) {
            (Scope::Unknown, _) => true,
            (Scope::Known { without, .. }, None) => *without,
            (Scope::Known { extras, .. }, Some(extra)) => extras.contains(extra),
        };
        self.0.iter().filter(can_hold).map(Entry::dependency)
    }

    /// Keeps those that the function wants.
    pub fn retain(&mut self, wanted: impl Fn(&Dependency) -> bool) {
        self.0.retain(|entry| wanted(entry.dependency()));
    }

    /// Adds one at the end.
    pub fn add(&mut self, dependency: Dependency) {
        self.push(dependency, String::new());
    }

    pub(super) fn push(&mut self, dependency: Dependency, text: String) {
        self.0.push(Entry {
            dependency: OnceLock::from(dependency),
            text: text.into(),
            scope: Scope::Unknown,
        });
    }
}

impl Entry {
    fn dependency(&self) -> &Dependency {
        self.dependency.get_or_init(|| {
            // The line was read before it was kept.
            let parsed = requirement::parse(&self.text);
            parsed.map_or_else(|_| Dependency::never(), |parsed| parsed.dependency)
        })
    }
}

impl Metadata {
    /// The metadata as bytes, to be kept beside what it was read from; `None` where reading
    /// them would not give the same again.
    pub fn pack(&self) -> Option<Vec<u8>> {
        let requires_python = self.requires_python.as_ref().map(ToString::to_string);
        let scopes: Option<Vec<(bool, Vec<ExtraName>)>> = self
            .requires_dist
            .0
            .iter()
            .map(|entry| {
                let parsed = requirement::parse(&entry.text).ok()?;
                let dependency = entry.dependency();
                let without = dependency.marker.evaluate_extras(&[]);
                (parsed.dependency == *dependency).then_some((without, parsed.extras_named))
            })
            .collect();
        let scopes = scopes?;
        let requires = self.requires_dist.0.iter().zip(&scopes);
        let repairs = self.repairs.iter().map(|repair| {
            let kind = repair::KINDS.iter().position(|kind| *kind == repair.what)?;
            let kind = u8::try_from(kind).ok()?;
            Some((repair.before.as_str(), repair.after.as_str(), kind))
        });
        let kept = Kept {
            requires_python: requires_python.as_deref(),
            requires: requires
                .map(|(entry, (without, extras))| KeptEntry {
                    text: &entry.text,
                    without: *without,
                    extras: extras.iter().map(AsRef::as_ref).collect(),
                })
                .collect(),
            provides_extras: self.provides_extras.iter().map(AsRef::as_ref).collect(),
            repairs: repairs.collect::<Option<_>>()?,
        };
        let bytes = postcard::to_allocvec(&kept).ok()?;
        let read = Self::unpack(&bytes, &self.name, &self.version)?;
        (read == *self).then_some(bytes)
    }

    /// Reads what [`Metadata::pack`] wrote of the metadata of a release; `None` where the
    /// bytes are none of it.
    pub fn unpack(
        bytes: &[u8],
        name: &pep508_rs::PackageName,
        version: &pep440_rs::Version,
    ) -> Option<Self> {
        let kept: Kept<'_> = postcard::from_bytes(bytes).ok()?;
        let requires_python = kept.requires_python.map(str::parse).transpose().ok()?;
        let names = |names: Vec<&str>| -> Option<Vec<ExtraName>> {
            names.into_iter().map(|name| name.parse().ok()).collect()
        };
        let requires = kept.requires.into_iter().map(|entry| {
            Some(Entry {
                dependency: OnceLock::new(),
                text: entry.text.into(),
                scope: Scope::Known {
                    without: entry.without,
                    extras: names(entry.extras)?.into(),
                },
            })
        });
        let repairs = kept.repairs.into_iter().map(|(before, after, kind)| {
            Some(Repair {
                before: before.to_owned(),
                after: after.to_owned(),
                what: repair::KINDS.get(usize::from(kind))?,
            })
        });
        Some(Self {
            name: name.clone(),
            version: version.clone(),
            requires_python,
            requires_dist: Requires(requires.collect::<Option<_>>()?),
            provides_extras: names(kept.provides_extras)?,
            repairs: repairs.collect::<Option<_>>()?,
        })
    }
}

/// All dependencies of a file, in file order.
pub struct Iter<'s>(std::slice::Iter<'s, Entry>);

impl<'s> Iterator for Iter<'s> {
    type Item = &'s Dependency;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Entry::dependency)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<'s> IntoIterator for &'s Requires {
    type Item = &'s Dependency;
    type IntoIter = Iter<'s>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Dependency> for Requires {
    fn from_iter<T: IntoIterator<Item = Dependency>>(dependencies: T) -> Self {
        let mut requires = Self::new();
        for dependency in dependencies {
            requires.push(dependency, String::new());
        }
        requires
    }
}

impl Index<usize> for Requires {
    type Output = Dependency;

    fn index(&self, place: usize) -> &Dependency {
        self.0[place].dependency()
    }
}

impl PartialEq for Requires {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Requires {}

impl fmt::Debug for Requires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let text = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n\
            Requires-Python: >=3.8.*,\nProvides-Extra: all\nProvides-Extra: a-b\n\
            Requires-Dist: always\n\
            Requires-Dist: windows[x,y] (>=1.0.*) ; sys_platform == 'win32'\n\
            Requires-Dist: in-all>=2 ; extra == 'all' and python_version < '3.13'\n\
            Requires-Dist: either; extra == 'A_B' or os_name == 'nt'\n\
            Requires-Dist: unless; extra != 'all'\n\
            Requires-Dist: direct @ https://files.example/d.zip ; extra == 'all'\n";
        Metadata::parse(text.as_bytes(), None).expect("it is metadata")
    }

    fn names(metadata: &Metadata, extra: Option<&str>) -> Vec<String> {
        let extra: Option<ExtraName> = extra.map(|name| name.parse().expect("a name"));
        let candidates = metadata.requires_dist.candidates(extra.as_ref());
        candidates.map(|it| it.name.to_string()).collect()
    }

    #[test]
    fn what_was_kept_is_read_as_it_was_and_only_where_it_can_matter() {
        let metadata = metadata();
        assert_eq!(metadata.repairs.len(), 3);
        let bytes = metadata.pack().expect("it can be kept");
        let read = || Metadata::unpack(&bytes, &metadata.name, &metadata.version);
        let kept = read().expect("it was kept");
        assert_eq!(
            names(&kept, None),
            ["always", "windows", "either", "unless"]
        );
        let unread = |entry: &&Entry| entry.dependency.get().is_none();
        assert_eq!(kept.requires_dist.0.iter().filter(unread).count(), 2);
        assert_eq!(names(&kept, Some("all")), ["in-all", "unless", "direct"]);
        assert_eq!(names(&kept, Some("a.b")), ["either"]);
        assert_eq!(names(&kept, Some("other")), [""; 0]);
        assert_eq!(kept, metadata);
        for end in 0..bytes.len() {
            let cut = Metadata::unpack(&bytes[..end], &metadata.name, &metadata.version);
            assert_eq!(cut, None, "cut at {end}");
        }
    }

    #[test]
    fn what_has_no_text_is_not_kept() {
        let mut metadata = metadata();
        metadata.requires_dist = metadata.requires_dist.iter().cloned().collect();
        assert_eq!(metadata.pack(), None);
        assert_eq!(names(&metadata, None).len(), 6, "nothing is known of it");
    }
}
