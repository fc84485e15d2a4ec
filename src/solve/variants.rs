//! The wheel variants of a distribution's releases (PEP 825, draft): which of the labels that a
//! release's wheels have suit the target, the best first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pep440_rs::Version;

use super::facts::{FactError, Facts};
use super::outcome::ChosenVariant;
use crate::metadata::{FileId, Page, ReleaseRows, UnreadableFiles, wheel_of_shape};
use crate::rules::RuleSet;
use crate::target::Target;
use crate::variants::{DriverCuda, NULL, Suitable, Support, VariantsJson, judge};

/// The files of a release that has labelled wheels, apart by what they are built for.
#[derive(Debug)]
pub(crate) struct Grouped {
    /// The best first; the ordinary wheels and the source distributions last.
    pub(crate) groups: Vec<(ChosenVariant, Vec<FileId>)>,
    /// Why the other labels do not suit.
    pub(crate) refused: Vec<(String, String)>,
}

impl Grouped {
    /// Why nothing of a release serves, where no label suits. Where one does, its files tell.
    pub(crate) fn none_because(&self) -> Option<String> {
        if self.groups.iter().any(|(group, _)| group.label.is_some()) {
            return None;
        }
        let (label, reason) = self.refused.first()?;
        let more = match self.refused.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        Some(format!(
            "has no wheel variant that suits: `{label}` {reason}{more}"
        ))
    }
}

/// The groups of each release on a page that has labelled wheels, of which `admitted` lets at
/// least one be taken; none where the target takes no variants.
///
/// # Errors
///
/// [`FactError::Failed`] where what labels stand for could not be had.
pub(crate) fn grouped(
    page: &Page,
    target: &Target,
    rules: &RuleSet,
    facts: &impl Facts,
    admitted: impl Fn((u32, &ReleaseRows<'_>), FileId, &Version) -> Result<bool, UnreadableFiles>,
) -> Result<BTreeMap<Version, Grouped>, FactError> {
    if target.accelerator.variants.is_none() {
        return Ok(BTreeMap::new());
    }
    let files = &page.files;
    let shapes: Vec<Option<String>> = files
        .shapes()
        .map(|shape| wheel_of_shape(shape)?.variant)
        .collect();
    let label = |id: FileId| {
        let shape = usize::try_from(files.row(id)?.shape).ok()?;
        shapes.get(shape)?.as_deref()
    };
    let mut labelled: Vec<(Version, ReleaseRows<'_>, Labelled<'_>)> = Vec::new();
    let unreadable = |error| FactError::unreadable(&page.name, error);
    for (place, release) in (0..).zip(files.releases()) {
        let mut labels = Labelled::new();
        for id in release.files() {
            if let Some(label) = label(id) {
                labels.entry(label).or_default().push(id);
            }
        }
        let Ok(version) = release.version.parse() else {
            continue;
        };
        let mut is_admitted = false;
        for id in labels.values().flatten() {
            is_admitted |= admitted((place, &release), *id, &version).map_err(unreadable)?;
        }
        if is_admitted {
            labelled.push((version, release, labels));
        }
    }
    let mut of_each = Vec::new();
    for (_, _, labels) in &labelled {
        let firsts: Vec<FileId> = labels
            .values()
            .filter_map(|ids| ids.first().copied())
            .collect();
        let firsts = files.some(&firsts);
        of_each.push(firsts.map_err(unreadable)?);
    }
    for firsts in &of_each {
        facts.hint_variants(page, &firsts.iter().collect::<Vec<_>>());
    }
    let cuda = driver_cuda(rules, target);
    let mut grouped = BTreeMap::new();
    for ((version, release, labels), firsts) in labelled.into_iter().zip(&of_each) {
        let document = match facts.variants(page, &firsts.iter().collect::<Vec<_>>()) {
            Ok(document) => Ok(document),
            Err(error @ FactError::Failed { .. }) => return Err(error),
            Err(error) => Err(format!(
                "cannot be judged: what it stands for is not told: {error}"
            )),
        };
        let mut of_release = of_release(&labels, document, target, cuda);
        if let Some((_, ordinary)) = of_release.groups.last_mut() {
            ordinary.extend(release.files().filter(|id| label(*id).is_none()));
        }
        grouped.insert(version, of_release);
    }
    Ok(grouped)
}

/// The files of a release by their labels.
type Labelled<'p> = BTreeMap<&'p str, Vec<FileId>>;

fn of_release(
    labels: &Labelled<'_>,
    document: Result<Arc<VariantsJson>, String>,
    target: &Target,
    cuda: Option<DriverCuda>,
) -> Grouped {
    let (mut suitable, mut refused) = (Vec::new(), Vec::new());
    let names: BTreeSet<&str> = labels.keys().copied().collect();
    match &document {
        Ok(document) => {
            let judged = judge(document, &names, &Support::of(document, target, cuda));
            (suitable, refused) = (judged.suitable, judged.refused);
        }
        Err(reason) => {
            for label in names {
                if label == NULL {
                    let label = label.to_owned();
                    let properties = Vec::new();
                    suitable.push(Suitable { label, properties });
                } else {
                    refused.push((label.to_owned(), reason.clone()));
                }
            }
        }
    }
    let document = document.ok();
    let mut groups: Vec<(ChosenVariant, Vec<FileId>)> = suitable
        .into_iter()
        .map(|Suitable { label, properties }| {
            let files = labels.get(label.as_str()).cloned().unwrap_or_default();
            let variant = ChosenVariant {
                label: Some(label),
                properties,
                document: document.clone(),
                refused: refused.clone(),
            };
            (variant, files)
        })
        .collect();
    let ordinary = ChosenVariant {
        label: None,
        properties: Vec::new(),
        document,
        refused: refused.clone(),
    };
    groups.push((ordinary, Vec::new()));
    Grouped { groups, refused }
}

/// The CUDA that the target's driver is for, as far as the families' files tell: at least the
/// latest whose toolkit came with a driver that is not newer, and before the first whose
/// toolkit came with a newer one. A CUDA that is asked for stands for a driver of its own.
fn driver_cuda(rules: &RuleSet, target: &Target) -> Option<DriverCuda> {
    let two = |version: &Version| {
        let mut numbers = version.release().iter().copied();
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    let Some(driver) = &target.accelerator.driver else {
        let asked = target.virtual_version("cuda")?;
        let (major, minor) = two(&asked);
        return Some(DriverCuda::exactly(major, minor));
    };
    let labels = super::labels::of_all_families(rules)
        .filter(|label| label.marker.evaluate(&target.markers, &[]));
    let (mut at_least, mut before) = (None, None);
    for label in labels {
        let Some(cuda) = label.provides.get("cuda").map(two) else {
            continue;
        };
        let runs = label.needs.get("driver");
        if runs.is_some_and(|needed| needed.contains(driver)) {
            // Whatever release of this major it is for.
            at_least = at_least.max(Some((cuda.0, 0)));
        }
        match &label.toolkit_driver {
            Some(toolkit) if toolkit <= driver => at_least = at_least.max(Some(cuda)),
            Some(_) => before = Some(before.map_or(cuda, |known: (u64, u64)| known.min(cuda))),
            None => {}
        }
    }
    let at_least = at_least?;
    let next_major = (at_least.0.saturating_add(1), 0);
    Some(DriverCuda {
        at_least,
        before: before
            .filter(|before| *before > at_least)
            .unwrap_or(next_major),
    })
}
