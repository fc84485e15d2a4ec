//! One page of what several indexes and places have of a distribution.

use std::collections::BTreeSet;
use std::sync::Arc;

use pep508_rs::PackageName;

use crate::metadata::{File, Page, UnreadableFiles};

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
