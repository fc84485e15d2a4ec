//! The target as PEP 751 tells it: `requires-python` and `environments`.

use crate::lock::TargetRecord;

/// The Python versions that the lock serves: those of the target's minor version, from
/// its patch number on where it has one.
pub(super) fn requires_python(target: &TargetRecord) -> Option<String> {
    match target.python_release().as_slice() {
        [major, minor] => Some(format!("=={major}.{minor}.*")),
        [major, minor, patch, ..] => Some(format!(">={major}.{minor}.{patch},=={major}.{minor}.*")),
        _ => None,
    }
}

/// The marker that holds on the target: `sys_platform == 'linux' and …`.
pub(super) fn marker(target: &TargetRecord) -> Option<String> {
    let terms: Vec<String> = target
        .markers
        .iter()
        .map(|(variable, value)| {
            let quote = if value.contains('\'') { '"' } else { '\'' };
            format!("{variable} == {quote}{value}{quote}")
        })
        .collect();
    (!terms.is_empty()).then(|| terms.join(" and "))
}

/// The values that such a marker states; `None` where it is of another shape.
pub(super) fn values(marker: &str) -> Option<Vec<(String, String)>> {
    let mut values = Vec::new();
    let mut rest = marker.trim();
    loop {
        let (variable, after) = rest.split_once("==")?;
        let variable = variable.trim();
        let plain = variable
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if variable.is_empty() || !plain {
            return None;
        }
        let after = after.trim_start();
        let quote = after
            .chars()
            .next()
            .filter(|first| "'\"".contains(*first))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        values.push((variable.to_owned(), value.to_owned()));
        let after = after.trim_start();
        if after.is_empty() {
            return Some(values);
        }
        rest = after.strip_prefix("and ")?;
    }
}
