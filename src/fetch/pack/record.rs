//! What goes into a pack: asked of an index, from the names that somebody gives.

use std::collections::{BTreeMap, BTreeSet};

use pep440_rs::VersionSpecifiers;
use pep508_rs::PackageName;

use super::PackedWheel;
use crate::ExtraName;
use crate::fetch::guess::Guesses;
use crate::fetch::registry::{Answer, Registry};
use crate::metadata::{DependencySource, File, FileKind, Metadata, WheelName};

/// Of one distribution not more wheels are recorded.
const MOST_WHEELS: usize = 240;

/// Something that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wish {
    /// The distribution.
    pub name: PackageName,
    /// The specifiers, as text.
    range: String,
    /// The extras.
    pub extras: Vec<ExtraName>,
}

impl Wish {
    /// A wish for a release in a range, with extras.
    pub fn new(name: PackageName, range: &VersionSpecifiers, extras: Vec<ExtraName>) -> Self {
        Self {
            name,
            range: range.to_string(),
            extras,
        }
    }

    fn range(&self) -> VersionSpecifiers {
        self.range
            .parse()
            .unwrap_or_else(|_| VersionSpecifiers::empty())
    }
}

/// How much is recorded.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// How many of the newest releases of each distribution.
    pub newest: usize,
    /// How many distributions at most.
    pub names: usize,
}

/// What was recorded.
#[derive(Debug, Default)]
pub struct Recorded {
    /// The wheels.
    pub wheels: Vec<PackedWheel>,
    /// Names of which the index gave no page or no wheel, and wheels that could not be read.
    pub left_out: BTreeSet<String>,
}

/// Follows wishes, and what is required of releases that serve them, until nothing new is
/// asked for: for each world the newest release in range, and some of the newest of all.
/// `files` are recorded as well, and not followed.
pub fn record(
    registry: &Registry,
    worlds: &[Guesses],
    wishes: BTreeSet<Wish>,
    files: Vec<File>,
    extent: Extent,
    say: &dyn Fn(&str),
) -> Recorded {
    let mut recorder = Recorder {
        registry,
        worlds,
        extent,
        names: BTreeSet::new(),
        wheels: BTreeMap::new(),
        counts: BTreeMap::new(),
        left_out: BTreeSet::new(),
    };
    let (mut known, mut wave) = (wishes.clone(), wishes);
    while !wave.is_empty() {
        let new = recorder.follow(&wave);
        wave = new.difference(&known).cloned().collect();
        known.extend(wave.iter().cloned());
        say(&format!(
            "{} distributions, {} wheels; {} further wishes",
            recorder.names.len(),
            recorder.wheels.len(),
            wave.len()
        ));
    }
    let mut begun = Vec::new();
    for file in files {
        if let FileKind::Wheel(wheel) = &file.kind {
            let answer = recorder.wheel(&wheel.name, &file);
            begun.extend(answer.map(|answer| (file.filename.clone(), answer)));
        }
    }
    for (filename, answer) in begun {
        if registry.wait(&filename, answer).is_err() {
            recorder.left_out.insert(filename);
        }
    }
    recorder.finish()
}

struct Recorder<'r> {
    registry: &'r Registry,
    worlds: &'r [Guesses],
    extent: Extent,
    names: BTreeSet<PackageName>,
    /// By URL.
    wheels: BTreeMap<String, File>,
    /// How many there are of each distribution.
    counts: BTreeMap<PackageName, usize>,
    left_out: BTreeSet<String>,
}

impl Recorder<'_> {
    /// Serves the wishes, and gives what is required of the releases that do.
    fn follow(&mut self, wishes: &BTreeSet<Wish>) -> BTreeSet<Wish> {
        let mut asked = Vec::new();
        for wish in wishes {
            let is_known = self.names.contains(&wish.name);
            if is_known || self.names.len() < self.extent.names {
                self.names.insert(wish.name.clone());
                asked.push((wish, self.registry.world().page(&wish.name)));
            }
        }
        let mut begun = Vec::new();
        for (wish, answer) in asked {
            let Ok(page) = self.registry.wait(wish.name.as_ref(), answer) else {
                self.left_out.insert(wish.name.to_string());
                continue;
            };
            let (range, any) = (wish.range(), VersionSpecifiers::empty());
            for world in self.worlds {
                let newest = world.wheels(&page, &any).take(self.extent.newest);
                let in_range = world.wheels(&page, &range).take(1);
                let ids: BTreeSet<_> = newest.chain(in_range).collect();
                for file in ids.into_iter().filter_map(|id| page.files.file(id).ok()) {
                    if let Some(answer) = self.wheel(&wish.name, &file) {
                        begun.push((wish, world, file, answer));
                    }
                }
            }
        }
        let mut new = BTreeSet::new();
        for (wish, world, file, answer) in begun {
            match self.registry.wait(&file.filename, answer) {
                Ok(metadata) => new.extend(required(&metadata, world, &wish.extras)),
                Err(_) => {
                    self.left_out.insert(file.filename.clone());
                }
            }
        }
        new
    }

    fn wheel(&mut self, name: &PackageName, file: &File) -> Option<Answer<Metadata>> {
        file.sha256()?;
        if !self.wheels.contains_key(&file.url) {
            let count = self.counts.entry(name.clone()).or_default();
            if *count >= MOST_WHEELS {
                return None;
            }
            *count += 1;
            self.wheels.insert(file.url.clone(), file.clone());
        }
        self.registry.world().metadata(file)
    }

    fn finish(mut self) -> Recorded {
        // What was fetched is being written to the cache, from which it is taken.
        self.registry.cache().flush();
        let mut wheels = Vec::new();
        for file in self.wheels.values() {
            match self.packed(file) {
                Some(wheel) => wheels.push(wheel),
                None => _ = self.left_out.insert(file.filename.clone()),
            }
        }
        Recorded {
            wheels,
            left_out: self.left_out,
        }
    }

    fn packed(&self, file: &File) -> Option<PackedWheel> {
        let FileKind::Wheel(WheelName { name, .. }) = &file.kind else {
            return None;
        };
        let headers = self.registry.world().wheels.kept_headers(file)?;
        let expected = Some((name, &file.version));
        let whole = Metadata::parse(&headers, expected).ok()?;
        let headers = Metadata::telling_headers(&headers);
        // What is left out must not matter.
        let same = Metadata::parse(&headers, expected).is_ok_and(|it| it == whole);
        let days = file.upload_time.map(|time| time.as_second() / 86_400);
        same.then(|| PackedWheel {
            sha256: file.sha256().unwrap_or_default().to_owned(),
            name: name.clone(),
            version: file.version.clone(),
            uploaded: days
                .and_then(|days| days.try_into().ok())
                .unwrap_or_default(),
            headers,
        })
    }
}

/// What metadata asks for in a world.
fn required<'m>(
    metadata: &'m Metadata,
    world: &'m Guesses,
    extras: &'m [ExtraName],
) -> impl Iterator<Item = Wish> + 'm {
    metadata
        .requires_dist
        .iter()
        .filter(|dependency| world.counts(dependency, extras))
        .filter_map(|dependency| match &dependency.source {
            DependencySource::Specifiers(range) => Some(Wish::new(
                dependency.name.clone(),
                range,
                dependency.extras.clone(),
            )),
            DependencySource::Url(_) => None,
        })
}
