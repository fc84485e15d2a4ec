//! The markers that a pylock.toml has beside PEP 508's: `'x' in extras` and
//! `'x' in dependency_groups` (PEP 751, "Environment markers").

/// A marker that is always true, and one that never is.
const ALWAYS: &str = "python_version >= '0'";
const NEVER: &str = "python_version < '0'";

/// A marker of a pylock.toml as PEP 508 has markers, for an installation without extras, of
/// these dependency groups.
pub fn plain_marker(marker: &str, groups: &[&str]) -> String {
    let mut plain = String::with_capacity(marker.len());
    let mut rest = marker;
    while let Some(start) = rest.find(['\'', '"']) {
        let (before, from) = rest.split_at(start);
        plain.push_str(before);
        let quote = if from.starts_with('"') { "\"" } else { "'" };
        let mut parts = from.splitn(3, quote);
        let (Some(_), Some(name), Some(after)) = (parts.next(), parts.next(), parts.next()) else {
            plain.push_str(from);
            return plain;
        };
        if let Some((is_in, list, after)) = membership(after) {
            let is_selected = list == "dependency_groups" && groups.contains(&name);
            plain.push_str(if is_selected == is_in { ALWAYS } else { NEVER });
            rest = after;
        } else {
            plain.extend([quote, name, quote]);
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

/// `in extras` or `not in dependency_groups` at the front: whether it is `in`, which list, and
/// what follows.
fn membership(text: &str) -> Option<(bool, &str, &str)> {
    let text = text.trim_start();
    let (is_in, text) = match text.strip_prefix("not") {
        Some(rest) => (false, rest.trim_start()),
        None => (true, text),
    };
    let text = text.strip_prefix("in")?;
    let list = text.trim_start();
    if list.len() == text.len() {
        return None;
    }
    ["extras", "dependency_groups"]
        .into_iter()
        .find_map(|name| {
            let rest = list.strip_prefix(name)?;
            let ends = !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
            ends.then_some((is_in, name, rest))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_and_groups_are_decided_and_the_rest_stays() {
        for (marker, plain) in [
            ("sys_platform == 'win32'", "sys_platform == 'win32'"),
            ("'tests' in extras", NEVER),
            ("\"tests\" not  in extras", ALWAYS),
            ("'dev' in dependency_groups", NEVER),
            (
                "os_name == \"nt\" and ('default' in dependency_groups)",
                "os_name == \"nt\" and (python_version >= '0')",
            ),
            ("'linux' in sys_platform", "'linux' in sys_platform"),
            ("'a' in extras_of", "'a' in extras_of"),
            ("'open", "'open"),
        ] {
            assert_eq!(plain_marker(marker, &["default"]), plain, "{marker}");
        }
    }
}
