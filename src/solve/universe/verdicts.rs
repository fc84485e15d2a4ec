//! Verdicts on what the pages of all distributions repeat: tags and Pythons.

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;

use indexmap::IndexMap;
use pep440_rs::VersionSpecifiers;

use crate::metadata::{is_document, wheel_of_shape};
use crate::target::{TagPriority, Target};

/// Verdicts on what the pages of all distributions repeat, for one target.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    shapes: RefCell<IndexMap<String, Shape>>,
    /// Whether a `Requires-Python` admits the target's Python.
    pythons: RefCell<IndexMap<String, bool>>,
}

/// A wheel's place among the wheels of its release, as [`crate::target::WheelOrder`].
pub(super) type Order = (TagPriority, Option<(u64, String)>);

/// The verdict on a shape.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A source distribution's.
    Sdist { is_tar_gz: bool },
    /// A wheel's; `None` where it does not suit.
    Wheel(Option<Rc<Order>>),
    /// That of a labelled wheel, where the target takes no wheel variants: installers that know
    /// none cannot even read such a name.
    Labelled,
    /// That of the file that tells of a release's wheel variants. It is no part of the release
    /// that anybody installs.
    Document,
}

impl Verdicts {
    pub(super) fn shape(&self, shape: &str, target: &Target) -> Shape {
        if let Some(known) = self.shapes.borrow().get(shape) {
            return known.clone();
        }
        let verdict = match shape.strip_suffix(".whl") {
            Some(tags) => of_wheel(shape, tags, target),
            None if is_document(shape) => Shape::Document,
            None => Shape::Sdist {
                is_tar_gz: shape == "tar.gz",
            },
        };
        let mut shapes = self.shapes.borrow_mut();
        shapes.insert(shape.to_owned(), verdict.clone());
        verdict
    }

    pub(super) fn python(&self, requires: &str, target: &Target) -> bool {
        if let Some(known) = self.pythons.borrow().get(requires) {
            return *known;
        }
        // What a page says and nobody can read is left to the file's own metadata.
        let admits = VersionSpecifiers::from_str(requires)
            .map_or(true, |specifiers| target.admits_python(&specifiers));
        let mut pythons = self.pythons.borrow_mut();
        pythons.insert(requires.to_owned(), admits);
        admits
    }
}

/// The verdict on a wheel with these tags.
fn of_wheel(shape: &str, tags: &str, target: &Target) -> Shape {
    let mut parts = tags.split('-');
    let plain = (parts.next(), parts.next(), parts.next(), parts.next());
    // With three parts there is neither a build number nor a label.
    if let (Some(python), Some(abi), Some(platform), None) = plain {
        let is_whole = |tags: &str| tags.split('.').all(|tag| !tag.is_empty());
        let is_whole = [python, abi, platform].into_iter().all(is_whole);
        let priority = is_whole.then(|| target.tags_priority(python, abi, platform));
        return Shape::Wheel(priority.flatten().map(|priority| Rc::new((priority, None))));
    }
    let Some(wheel) = wheel_of_shape(shape) else {
        return Shape::Wheel(None);
    };
    if wheel.variant.is_some() && target.accelerator.variants.is_none() {
        return Shape::Labelled;
    }
    let order = target.wheel_order(&wheel).map(|order| {
        let build = order.build.map(|(number, rest)| (number, rest.to_owned()));
        Rc::new((order.priority, build))
    });
    Shape::Wheel(order)
}
