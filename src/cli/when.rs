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
/// `now`, to the beginning of that hour, or of that minute where it is less than a day: what
/// was locked a moment ago was locked with the same cut-off.
///
/// # Errors
///
/// Where the text is none of these.
pub(crate) fn cutoff(text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    let found = instant("--exclude-newer", text, now)?;
    if text.trim().parse::<Span>().is_err() {
        return Ok(found);
    }
    let is_long = now.duration_since(found) >= SignedDuration::from_hours(24);
    let step = if is_long { 3_600 } else { 60 };
    let seconds = found.as_second();
    // The first second that can be told may lie within an hour.
    let begun = Timestamp::from_second(seconds - seconds.rem_euclid(step));
    Ok(begun.unwrap_or(found))
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

    #[test]
    fn an_age_counts_from_the_hour() {
        let at = |text: &str, now: &str| {
            let now: Timestamp = now.parse().expect("an instant");
            let found = cutoff(text, now).map(|instant| instant.to_string());
            found.unwrap_or_else(|_| "refused".to_owned())
        };
        for now in ["2026-11-21T10:00:00Z", "2026-11-21T10:59:59.999999999Z"] {
            assert_eq!(at("30 days", now), "2026-10-22T10:00:00Z");
        }
        assert_eq!(
            at("90 minutes", "2026-11-21T10:00:31Z"),
            "2026-11-21T08:30:00Z"
        );
        let instant = "2026-11-01T12:34:56.5Z";
        assert_eq!(at(instant, "2026-11-21T10:00:31Z"), instant);
    }
}
