//! TOML values as text, laid out one way only.

use std::fmt::Write as _;

/// A basic string, escaped (TOML 1.0).
pub(super) fn string(value: &str) -> String {
    let mut text = String::with_capacity(value.len() + 2);
    text.push('"');
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // Other controls must be escaped. Those that end a line for some readers
            // (U+0085, U+2028, U+2029) are too, so that a diff shows them.
            letter if letter.is_control() || ('\u{2028}'..='\u{2029}').contains(&letter) => {
                let _ = write!(text, "\\u{:04X}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
    text
}

/// A key: bare where it can be.
pub(super) fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if bare { name.to_owned() } else { string(name) }
}

/// `{ name = value, … }`, of values that are text already.
pub(super) fn inline_table<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{} = {value}", key(name)))
        .collect();
    if pairs.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", pairs.join(", "))
    }
}

/// A JSON value on one line; `None` for `null`, and for numbers, which TOML has otherwise.
pub(super) fn json(value: &serde_json::Value) -> Option<String> {
    Some(match value {
        serde_json::Value::Null | serde_json::Value::Number(_) => return None,
        serde_json::Value::Bool(value) => value.to_string(),
        serde_json::Value::String(text) => string(text),
        serde_json::Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(json).collect();
            format!("[{}]", items.join(", "))
        }
        serde_json::Value::Object(members) => inline_table(
            members
                .iter()
                .filter_map(|(name, value)| Some((name.as_str(), json(value)?))),
        ),
    })
}

/// An array of values that are text already, one to a line, so that a diff shows one
/// changed value as one changed line.
pub(super) fn array(values: impl IntoIterator<Item = String>) -> String {
    let mut text = String::from("[");
    for value in values {
        text.push_str("\n    ");
        text.push_str(&value);
        text.push(',');
    }
    if text.len() > 1 {
        text.push('\n');
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::{array, inline_table, key, string};

    #[test]
    fn strings_are_escaped() {
        assert_eq!(
            string("a\"b\\c\nd\te\u{7f}\u{1}"),
            r#""a\"b\\c\nd\te\u007F\u0001""#
        );
        assert_eq!(string("é 数 \u{2028}"), "\"é 数 \\u2028\"");
    }

    #[test]
    fn keys_are_bare_where_they_can_be() {
        assert_eq!(key("sha256"), "sha256");
        assert_eq!(key("torch/numpy1-abi"), "\"torch/numpy1-abi\"");
        assert_eq!(key(""), "\"\"");
    }

    #[test]
    fn empty_ones_stay_on_a_line() {
        assert_eq!(array([]), "[]");
        assert_eq!(
            array(["1".to_owned(), "2".to_owned()]),
            "[\n    1,\n    2,\n]"
        );
        assert_eq!(inline_table([]), "{}");
        assert_eq!(inline_table([("a b", "1".to_owned())]), "{ \"a b\" = 1 }");
    }
}
