//! One page of what several indexes and places have of a distribution.

use std::collections::BTreeSet;
use std::sync::Arc;

use pep508_rs::PackageName;

use super::find_links::LinkPlace;
use crate::metadata::{File, Page, UnreadableFiles};

/// What places with links have of a distribution.
#[derive(Default)]
pub(super) struct Linked {
    pub(super) files: Vec<File>,
    /// The first place that has some.
    pub(super) from: Option<String>,
}

impl Linked {
    pub(super) fn extend(&mut self, place: &LinkPlace, files: Vec<File>) {
        if !files.is_empty() {
            self.from.get_or_insert_with(|| place.address());
        }
        self.files.extend(files);
    }
}

/// One page of all that was found. Of files with the same name the first counts; those
/// that the user named places for come first.
pub(super) fn merged(
    name: &PackageName,
    linked: Vec<File>,
    linked_from: Option<String>,
    mut found: Vec<Arc<Page>>,
) -> Result<Option<Arc<Page>>, UnreadableFiles> {
    if linked.is_empty() && found.len() <= 1 {
        return Ok(found.pop());
    }
    let index = found.first().map(|page| page.index.clone());
    let Some(index) = index.or(linked_from) else {
        return Ok(None);
    };
    let skipped = found
        .iter()
        .fold(0, |sum: u32, page| sum.saturating_add(page.skipped));
    let mut files: Vec<File> = Vec::new();
    let mut names = BTreeSet::new();
    let mut all = linked;
    for page in &found {
        all.extend(page.files.all()?);
    }
    for file in all {
        if names.insert(file.filename.clone()) {
            files.push(file);
        }
    }
    Ok(Some(Arc::new(Page::new(
        name.clone(),
        index,
        &files,
        skipped,
    ))))
}
