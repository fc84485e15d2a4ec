//! The dependencies of one file, each read when it is asked for first.
//!
//! Most of what metadata lists belongs to extras that nobody asks for. What was kept of a file
//! therefore says beside each line which extras its marker names, and whether it can hold
//! without any, so that a line that cannot matter is not read.

mod packed;

use std::fmt;
use std::ops::{Deref, Index};
use std::sync::{Arc, OnceLock};

use pep508_rs::ExtraName;

use self::packed::{Line, Packed};
use super::requirement::{self, Parsed};
use super::{Dependency, Metadata};

/// The dependencies of one file, in file order.
#[derive(Clone, Default)]
pub struct Requires {
    entries: Vec<Entry>,
    /// Where the lines lie of which nothing is made yet.
    packed: Option<Arc<Packed>>,
}

#[derive(Clone)]
struct Entry {
    /// Made where it was parsed, or at the first use of a line that was kept.
    dependency: OnceLock<Arc<Dependency>>,
    origin: Origin,
}

/// What a dependency was read from, and on what it hangs beside the environment.
#[derive(Clone)]
enum Origin {
    /// This line of what was kept.
    Kept(u32),
    /// A line that was read just now.
    Read(Box<ReadLine>),
    /// No line: nothing is known of it.
    None,
}

#[derive(Clone)]
struct ReadLine {
    text: Box<str>,
    /// Whether it can hold where no extra is asked for.
    without: bool,
    /// The extras that its marker names.
    extras: Vec<ExtraName>,
}

/// The extras that a file provides: normalised, sorted, without repetition.
#[derive(Clone, Default)]
pub struct Extras {
    names: OnceLock<Vec<ExtraName>>,
    /// Where they lie that are not read yet.
    packed: Option<Arc<Packed>>,
}

impl Requires {
    /// None.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            packed: None,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            requires: self,
            entries: self.entries.iter(),
        }
    }

    /// Those that can hold for one who asks for an extra, and do not hold without it; for one
    /// who asks for none, those that can hold then. Some of them may not hold all the same:
    /// their markers say it.
    pub fn candidates<'s>(
        &'s self,
        extra: Option<&'s ExtraName>,
    ) -> impl Iterator<Item = &'s Dependency> {
        let can_hold = move |entry: &&Entry| match (&entry.origin, extra) {
            (Origin::None, _) => true,
            (Origin::Read(line), None) => line.without,
            (Origin::Read(line), Some(extra)) => line.extras.contains(extra),
            (Origin::Kept(line), extra) => {
                let Some(packed) = &self.packed else {
                    return true;
                };
                let line = place(*line);
                match extra {
                    None => packed.holds_without(line),
                    Some(extra) => packed.names(line, extra),
                }
            }
        };
        let entries = self.entries.iter().filter(can_hold);
        entries.map(|entry| self.dependency(entry))
    }

    /// Keeps those that the function wants.
    pub fn retain(&mut self, wanted: impl Fn(&Dependency) -> bool) {
        let packed = self.packed.as_deref();
        self.entries
            .retain(|entry| wanted(entry.dependency(packed)));
    }

    /// Adds one at the end.
    pub fn add(&mut self, dependency: Dependency) {
        self.entries.push(Entry {
            dependency: OnceLock::from(Arc::new(dependency)),
            origin: Origin::None,
        });
    }

    /// Adds what was read from a line.
    pub(super) fn push(&mut self, parsed: Parsed, text: String) {
        self.entries.push(Entry {
            origin: Origin::Read(Box::new(ReadLine {
                text: text.into(),
                without: parsed.dependency.marker.evaluate_extras(&[]),
                extras: parsed.extras_named,
            })),
            dependency: OnceLock::from(Arc::new(parsed.dependency)),
        });
    }

    fn dependency<'s>(&'s self, entry: &'s Entry) -> &'s Dependency {
        entry.dependency(self.packed.as_deref())
    }
}

impl Entry {
    fn dependency(&self, packed: Option<&Packed>) -> &Dependency {
        self.dependency.get_or_init(|| {
            let text = match &self.origin {
                Origin::Kept(line) => packed.and_then(|packed| packed.text(place(*line))),
                Origin::Read(line) => Some(&*line.text),
                Origin::None => None,
            };
            // The line was read before it was kept.
            let parsed = text.and_then(|text| requirement::parse(text).ok());
            Arc::new(parsed.map_or_else(Dependency::never, |parsed| parsed.dependency))
        })
    }
}

fn place(line: u32) -> usize {
    usize::try_from(line).unwrap_or(usize::MAX)
}

impl Metadata {
    /// The metadata as bytes, to be kept beside what it was read from; `None` where reading
    /// them would not give the same again.
    pub fn pack(&self) -> Option<Vec<u8>> {
        let requires = &self.requires_dist;
        let packed = requires.packed.as_deref();
        let named: Vec<Vec<ExtraName>> = requires
            .entries
            .iter()
            .map(|entry| match (&entry.origin, packed) {
                (Origin::Kept(line), Some(packed)) => packed.extras(place(*line)),
                (Origin::Read(line), _) => line.extras.clone(),
                _ => Vec::new(),
            })
            .collect();
        let lines = requires.entries.iter().zip(&named).map(|(entry, extras)| {
            let (text, without) = match (&entry.origin, packed) {
                (Origin::Kept(line), Some(packed)) => {
                    let line = place(*line);
                    (packed.text(line)?, packed.holds_without(line))
                }
                (Origin::Read(line), _) => (&*line.text, line.without),
                _ => return None,
            };
            Some(Line {
                text,
                without,
                extras,
            })
        });
        let lines: Vec<Line<'_>> = lines.collect::<Option<_>>()?;
        let bytes = packed::pack(self, &lines)?;
        // Lines are kept as they are, and read as they were.
        let read = Self::unpack(&bytes, &self.name, &self.version)?;
        let same = read.requires_python == self.requires_python
            && read.provides_extras == self.provides_extras
            && read.repairs == self.repairs
            && read.requires_dist.len() == self.requires_dist.len();
        same.then_some(bytes)
    }

    /// Reads what [`Metadata::pack`] wrote of the metadata of a release; `None` where the
    /// bytes are none of it.
    pub fn unpack(
        bytes: &[u8],
        name: &pep508_rs::PackageName,
        version: &pep440_rs::Version,
    ) -> Option<Self> {
        let (packed, requires_python, repairs) = Packed::read(bytes)?;
        let packed = Arc::new(packed);
        let entries = (0..packed.len()).map(|line| {
            Some(Entry {
                dependency: OnceLock::new(),
                origin: Origin::Kept(u32::try_from(line).ok()?),
            })
        });
        Some(Self {
            may_differ: false,
            name: name.clone(),
            version: version.clone(),
            requires_python: requires_python.map(str::parse).transpose().ok()?,
            requires_dist: Requires {
                entries: entries.collect::<Option<_>>()?,
                packed: Some(Arc::clone(&packed)),
            },
            provides_extras: Extras {
                names: OnceLock::new(),
                packed: Some(packed),
            },
            repairs,
        })
    }
}

impl Deref for Extras {
    type Target = [ExtraName];

    fn deref(&self) -> &[ExtraName] {
        let provided = || {
            self.packed
                .as_ref()
                .map_or_else(Vec::new, |it| it.provided())
        };
        self.names.get_or_init(provided)
    }
}

impl FromIterator<ExtraName> for Extras {
    /// They may come in any order, and repeat themselves.
    fn from_iter<T: IntoIterator<Item = ExtraName>>(names: T) -> Self {
        let mut names: Vec<ExtraName> = names.into_iter().collect();
        names.sort_unstable();
        names.dedup();
        Self {
            names: OnceLock::from(names),
            packed: None,
        }
    }
}

impl<'s> IntoIterator for &'s Extras {
    type Item = &'s ExtraName;
    type IntoIter = std::slice::Iter<'s, ExtraName>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Extras {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Extras {}

impl fmt::Debug for Extras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// All dependencies of a file, in file order.
pub struct Iter<'s> {
    requires: &'s Requires,
    entries: std::slice::Iter<'s, Entry>,
}

impl<'s> Iterator for Iter<'s> {
    type Item = &'s Dependency;

    fn next(&mut self) -> Option<Self::Item> {
        let requires = self.requires;
        self.entries.next().map(|entry| requires.dependency(entry))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.entries.size_hint()
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
            requires.add(dependency);
        }
        requires
    }
}

impl Index<usize> for Requires {
    type Output = Dependency;

    fn index(&self, place: usize) -> &Dependency {
        self.dependency(&self.entries[place])
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
        assert_eq!(kept.requires_dist.entries.iter().filter(unread).count(), 2);
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
