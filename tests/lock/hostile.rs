//! Whatever is read: an answer or an error, never a panic.

use mlresolve::lock::{Format, RenderOptions, read_pylock, read_requirements, render};
use proptest::prelude::*;

use crate::sample;

fn written(format: Format) -> String {
    let options = RenderOptions {
        format,
        ..RenderOptions::default()
    };
    render(&sample::lock(), &options)
}

/// A good text with a piece taken out and another put in.
fn spoiled(text: &str, at: usize, length: usize, with: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = at % (letters.len() + 1);
    let end = (at + length).min(letters.len());
    letters[..at]
        .iter()
        .copied()
        .chain(with.chars())
        .chain(letters[end..].iter().copied())
        .collect()
}

/// Pieces that mean something to one reader or the other.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,3}",
        "[\\\\#\n\r;@=\\[\\]{}\"' -]{0,4}",
        Just(" --hash=sha256:".to_owned()),
        Just("\n-e git+\n".to_owned()),
        Just("9999999999999999999999".to_owned()),
        Just("2024-13-45T99:99:99".to_owned()),
        Just("# via ".to_owned()),
        Just("𝔘\u{301}\u{0}".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text(text in "(?s).{0,200}") {
        read_requirements(&text);
        let _ = read_pylock(&text, "pylock.toml").map_err(|error| error.to_string());
    }

    #[test]
    fn spoiled_requirements(at in any::<usize>(), length in 0usize..20, with in piece()) {
        let read = read_requirements(&spoiled(&written(Format::Requirements), at, length, &with));
        // What was read can be written and compared.
        render(&read.lock, &RenderOptions::default());
        prop_assert!(read.lock.same_consequences(&read.lock));
    }

    #[test]
    fn spoiled_pylock(at in any::<usize>(), length in 0usize..20, with in piece()) {
        let text = spoiled(&written(Format::Pylock), at, length, &with);
        match read_pylock(&text, "pylock.toml") {
            Ok(lock) => {
                let again = render(&lock, &RenderOptions { format: Format::Pylock, ..RenderOptions::default() });
                prop_assert_eq!(read_pylock(&again, "pylock.toml").unwrap(), lock);
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(message.starts_with("pylock.toml:"), "{}", message);
            }
        }
    }
}

#[test]
fn deep_nesting_is_an_error() {
    let deep = format!("x = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let error = read_pylock(&deep, "pylock.toml").unwrap_err();
    assert!(error.to_string().starts_with("pylock.toml:1:"), "{error}");
}
