//! What the cut-off lets be seen of a release.

use super::super::facts::FactError;
use super::Admission;
use crate::metadata::{FileId, FileRow, Files, Page, ReleaseRows, Uploads};

/// Which files of a release the cut-off lets be seen.
pub(super) enum Sight {
    All,
    None(Unseen),
    /// By the files' places in their release: what hides each.
    Each(Vec<Option<Unseen>>),
}

/// Why a file is not looked at.
#[derive(Clone, Copy)]
pub(super) enum Unseen {
    TooNew,
    NoUploadTime,
    Refused,
    Yanked,
}

impl Sight {
    /// What hides the file at a place of its release.
    pub(super) fn hides(&self, place: u32) -> Option<Unseen> {
        match self {
            Self::All => None,
            Self::None(unseen) => Some(*unseen),
            Self::Each(hidden) => {
                let place = usize::try_from(place).ok()?;
                hidden.get(place).copied().flatten()
            }
        }
    }
}

/// The files of a release, each with what the cut-off hides it by; where only some of them
/// count, those.
pub(super) fn each<'p>(
    files: &'p Files,
    rows: &ReleaseRows<'_>,
    sight: &Sight,
    only: Option<&[FileId]>,
) -> impl Iterator<Item = (FileId, FileRow<'p>, Option<Unseen>)> {
    let class = files.class(rows.class);
    rows.files()
        .zip(class)
        .zip(0..)
        .map(|((id, row), place)| (id, row, sight.hides(place)))
        .filter(move |(id, _, _)| only.is_none_or(|only| only.contains(id)))
}

/// The cut-off as it holds for one page.
pub(super) fn cutoff(page: &Page, admission: &Admission<'_>) -> Result<Option<i64>, FactError> {
    let policy = admission.policy;
    let Some(instant) = policy.exclude_newer else {
        return Ok(None);
    };
    if policy.exclude_newer_off.contains(&page.index) {
        return Ok(None);
    }
    let mut releases = page.files.releases();
    if page.files.is_empty() || releases.any(|it| it.uploads != Uploads::Unknown) {
        let nanoseconds = instant.as_nanosecond();
        let limit = if nanoseconds < 0 { i64::MIN } else { i64::MAX };
        return Ok(Some(i64::try_from(nanoseconds).unwrap_or(limit)));
    }
    if admission.of_builds {
        return Ok(None);
    }
    Err(FactError::Failed {
        message: format!(
            "there is a cut-off (`--exclude-newer`), but the index `{}` gives no upload times for `{}`",
            page.index, page.name
        ),
        hint: Some(format!(
            "take everything on that index, whatever its age, with `--exclude-newer-index {}=off`",
            page.index
        )),
    })
}
