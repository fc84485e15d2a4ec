//! The name a user may have meant.

/// The candidate nearest to what was written, where one is near enough to be meant.
/// The first of equals wins.
pub(super) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    if written.is_empty() {
        return None;
    }
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(&written, &candidate.to_lowercase());
        let length = written.chars().count().max(candidate.chars().count());
        let near = distance * 5 <= length * 2 || candidate.to_lowercase().starts_with(&written);
        if near && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}
