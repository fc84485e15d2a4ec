//! Instants, dates and ages in options, such as `--exclude-newer`.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};

use super::error::CliError;

/// The word that lifts a cut-off.
pub(crate) const NO_CUTOFF: &str = "off";

/// The instant before which files are seen.
///
/// An RFC 3339 instant is taken as it is. A date admits that whole day, in UTC, so that
/// the same words mean the same everywhere. An age (`30 days`, `P30D`) counts back from
/// `now`.
///
/// # Errors
///
/// Where the text is none of these.
pub(crate) fn cutoff(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    instant("--exclude-newer", text, now)
}

/// The instant that the value of an option names, as [`cutoff`] reads it.
///
/// # Errors
///
/// Where the text is none of these.
pub(crate) fn instant(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let wrong = |text: &str| {
        CliError::usage(format!(
            "`{option} {text}` is neither an instant, a date nor an age"
        ))
        .hint("write `2026-11-01`, `2026-11-01T12:00:00Z` or `30 days`")
    };
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if let Ok(date) = text.parse::<Date>() {
        return date
            .checked_add(1.day())
            .and_then(|next| next.to_zoned(TimeZone::UTC))
            .map(|zoned| zoned.timestamp())
            .map_err(|_| wrong(text));
    }
    let span: Span = text.parse().map_err(|_| wrong(text))?;
    // Days and weeks are of 24 hours each: no calendar can make two machines differ.
    let duration: SignedDuration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong(text))?;
    now.checked_sub(duration.abs()).map_err(|_| wrong(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let now: Timestamp = "2026-11-21T00:00:00Z".parse().expect("an instant");
        cutoff(text, now).map_or_else(|_| "refused".to_owned(), |instant| instant.to_string())
    }

    #[test]
    fn dates_admit_their_whole_day() {
        assert_eq!(at("2026-11-01"), "2026-11-02T00:00:00Z");
        assert_eq!(at("2026-11-01T12:00:00Z"), "2026-11-01T12:00:00Z");
        assert_eq!(at("7 days"), "2026-11-14T00:00:00Z");
        assert_eq!(at("P2W"), "2026-11-07T00:00:00Z");
        assert_eq!(at("yesterday"), "refused");
    }
}
