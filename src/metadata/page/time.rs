//! Upload times as the public index writes them.

/// The nanoseconds since 1970 of a time that is written as `2026-01-02T03:04:05Z`, with up to nine
/// decimals of the second; `None` for one that is written otherwise, which may be one all the same.
pub(super) fn usual(text: &str) -> Option<i64> {
    let (fixed, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = *fixed
    else {
        return None;
    };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    // As far as 64 bits go; a leap second is left to others.
    let is_usual = (1970..2262).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    is_usual.then_some(())?;
    let nanoseconds = match rest {
        b"Z" => 0,
        [b'.', decimals @ .., b'Z'] if (1..=9).contains(&decimals.len()) => {
            let mut nanoseconds = 0;
            for place in 0..9 {
                let digit = decimals.get(place).copied().map_or(Some(0), digit)?;
                nanoseconds = nanoseconds * 10 + digit;
            }
            nanoseconds
        }
        _ => return None,
    };
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from the first of 1970 to a day after it (Gregorian calendar).
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Leap years up to the end of the year before.
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Option<i64> {
        let time: Timestamp = text.parse().ok()?;
        i64::try_from(time.as_nanosecond()).ok()
    }

    proptest! {
        #[test]
        fn a_usual_time_is_what_the_library_reads(
            (year, month, day) in (1968..2264, 0..14, 0..33),
            (hour, minute, second) in (0..26, 0..62, 0..62),
            decimals in "(\\.[0-9]{0,10})?",
            zone in "(Z|z|\\+00:00|)",
        ) {
            let text =
                format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{decimals}{zone}");
            if let Some(read) = usual(&text) {
                prop_assert_eq!(Some(read), told(&text), "{}", text);
            } else if let Some(time) = told(&text) {
                // What is left to the library is not what indexes write.
                let is_usual = zone == "Z" && second < 60 && time >= 0 && year < 2262;
                prop_assert!(!is_usual, "{}", text);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}", digits in "[-0-9T:.Z]{18,32}") {
            prop_assert_eq!(usual(&text).is_some_and(|it| Some(it) != told(&text)), false);
            prop_assert_eq!(usual(&digits).is_some_and(|it| Some(it) != told(&digits)), false);
        }
    }

    #[test]
    fn the_ends_of_the_range_are_held() {
        assert_eq!(usual("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            usual("2024-02-29T12:00:00.5Z"),
            told("2024-02-29T12:00:00.5Z")
        );
        assert_eq!(usual("2100-02-29T12:00:00Z"), None);
        assert_eq!(
            usual("2261-12-31T23:59:59.999999999Z"),
            told("2261-12-31T23:59:59.999999999Z")
        );
        assert_eq!(usual("2026-01-02T03:04:05"), None);
    }
}
