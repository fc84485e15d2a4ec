//! Environment markers (PEP 508), as metadata and users write them.
//!
//! `pep508_rs` keeps and evaluates them, but its reader drops comparisons that it cannot make,
//! which would turn a condition into none, and panics on some that are well formed
//! (`python_version ~= '3.0'`). So the text is taken apart first: what is known to go wrong is
//! put in other words or refused.

use std::fmt::Write as _;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{ExtraName, MarkerTree, MarkerWarningKind, Pep508ErrorSource};

use self::diagram::Extent;
use super::repair::{self, Repair};
use super::variant;

mod diagram;

/// How deeply parentheses may be nested; the reader behind this one recurses.
const DEEPEST: usize = 32;

/// How many digits a number in a version may have; the reader behind this one counts up.
const MOST_DIGITS: usize = 9;

/// Reads an environment marker (PEP 508), repairing what the published list allows.
///
/// # Errors
///
/// What is wrong with it, in words; also where a comparison in it has no meaning, such as
/// `python_version > 'three'`.
///
/// ```
/// use mlresolve::metadata::parse_marker;
///
/// let (marker, repairs) = parse_marker("python_version ~= '3.8' and extra == 'Test'").unwrap();
/// assert_eq!(
///     marker.try_to_string().unwrap(),
///     "python_full_version >= '3.8' and python_full_version < '4' and extra == 'test'"
/// );
/// assert!(repairs.is_empty());
/// assert!(parse_marker("python_version > 'three'").is_err());
/// ```
pub fn parse_marker(text: &str) -> Result<(MarkerTree, Vec<Repair>), String> {
    Marker::parse(text).map(|marker| (marker.tree, marker.repairs))
}

/// Reads a marker that is long, in which each comparison is one that `pep508_rs` reads; `None`
/// where it is not long, so that no care is needed.
///
/// # Errors
///
/// What is wrong with it, in words; also where it would be too large as a decision diagram.
pub(crate) fn long_marker(text: &str) -> Option<Result<MarkerTree, String>> {
    let tokens = match tokens(text) {
        Ok(tokens) => tokens,
        Err(detail) => return Some(Err(detail)),
    };
    Extent::of(&tokens).is_long(text).then(|| {
        check_depth(&tokens)?;
        diagram::join(&tokens, &tree).map(|joined| joined.tree)
    })
}

/// A marker, and what was met on the way to it.
pub(super) struct Marker {
    pub(super) tree: MarkerTree,
    /// The extras that it names.
    pub(super) extras: Vec<ExtraName>,
    pub(super) repairs: Vec<Repair>,
    /// What reading it cost, about in nodes of decision diagrams.
    pub(super) work: usize,
}

impl Marker {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let tokens = tokens(text)?;
        check_depth(&tokens)?;
        let mut marker = Self {
            tree: MarkerTree::TRUE,
            extras: Vec::new(),
            repairs: Vec::new(),
            work: 0,
        };
        let mut extent = Extent::default();
        let mut clean = String::with_capacity(text.len());
        let mut rest = tokens.as_slice();
        while let Some((first, after)) = rest.split_first() {
            if let Some((comparison, after)) = Comparison::split_off(rest) {
                extent.add_comparison();
                marker.add(text, &comparison, &mut clean)?;
                rest = after;
            } else {
                extent.add_word(first);
                let _ = write!(clean, "{first} ");
                rest = after;
            }
        }
        let clean = clean.trim_end();
        if extent.is_long(clean) {
            let joined = diagram::join(&self::tokens(clean)?, &tree)?;
            (marker.tree, marker.work) = (joined.tree, joined.work);
        } else {
            (marker.tree, marker.work) = (tree(clean)?, extent.comparisons());
        }
        Ok(marker)
    }

    /// Writes one comparison in the words that `pep508_rs` reads.
    fn add(
        &mut self,
        text: &str,
        comparison: &Comparison,
        clean: &mut String,
    ) -> Result<(), String> {
        let Comparison {
            left,
            operator,
            right,
        } = comparison;
        if let Some(asked) = variant::comparison(left, operator, right) {
            let _ = write!(clean, "{} ", asked?);
            return Ok(());
        }
        if *left == "extra" || *right == "extra" {
            let name = if *left == "extra" { right } else { left };
            // An extra whose name is not one can never be asked for.
            let name = ExtraName::from_str(unquoted(name)).ok();
            // Recorded metadata names those that stand for variants.
            self.extras
                .extend(name.filter(|name| !variant::is_stand_in(name)));
        }
        // `===` compares text, and so does `==` where neither side is a version.
        let operator = if *operator == "===" { "==" } else { operator };
        if !is_version_variable(left) {
            if operator == "~=" {
                return Err(format!(
                    "`{comparison}` has `~=`, which only suits a version variable on its left"
                ));
            }
            check_numbers(left)?;
            let _ = write!(clean, "{left} {operator} {right} ");
            return Ok(());
        }
        check_numbers(right)?;
        let value = unquoted(right);
        let (value, what) = match (value.strip_suffix(".*"), value.strip_suffix('.')) {
            (Some(bare), _) if operator.starts_with(['<', '>']) => (bare, Some(repair::STAR)),
            (_, Some(bare)) => (bare, Some(repair::DOT)),
            _ => (value, None),
        };
        if let Some(what) = what {
            self.repairs.push(Repair {
                before: text.to_owned(),
                after: text.replacen(right, &quoted(right, value), 1),
                what,
            });
        }
        let right = match operator {
            // By PEP 508 this asks whether one text is within the other, so that any separator
            // does; `pep508_rs` reads a list of versions separated by spaces.
            "in" | "not in" => quoted(right, &value.replace(',', " ")),
            _ => quoted(right, value),
        };
        if operator == "~=" {
            let prefix = compatible_prefix(value)?;
            let _ = write!(clean, "({left} >= {right} and {left} == '{prefix}.*') ");
        } else {
            let _ = write!(clean, "{left} {operator} {right} ");
        }
        Ok(())
    }
}

/// One comparison of a marker, as written.
struct Comparison<'a> {
    left: &'a str,
    operator: &'a str,
    right: &'a str,
}

impl<'a> Comparison<'a> {
    /// The comparison that the tokens start with, and the tokens after it.
    fn split_off<'b>(tokens: &'b [&'a str]) -> Option<(Self, &'b [&'a str])> {
        let (left, operator, right, after) = match tokens {
            [left, "not", "in", right, after @ ..] => (left, "not in", right, after),
            [left, operator, right, after @ ..] if is_operator(operator) => {
                (left, *operator, right, after)
            }
            _ => return None,
        };
        let comparison = Self {
            left,
            operator,
            right,
        };
        Some((comparison, after))
    }
}

impl std::fmt::Display for Comparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator, self.right)
    }
}

fn is_operator(token: &str) -> bool {
    token == "in" || token.starts_with(['<', '>', '=', '!', '~'])
}

fn is_version_variable(token: &str) -> bool {
    matches!(
        token,
        "python_version" | "python_full_version" | "implementation_version"
    )
}

fn unquoted(token: &str) -> &str {
    token.trim_matches(['"', '\''])
}

/// The value in the same quotation marks as the token, if that has any.
fn quoted(token: &str, value: &str) -> String {
    match token.chars().next() {
        Some(mark @ ('"' | '\'')) => format!("{mark}{value}{mark}"),
        _ => value.to_owned(),
    }
}

/// Of `~=3.8.1`, the `3.8` that a version must start with.
fn compatible_prefix(value: &str) -> Result<Version, String> {
    let version = Version::from_str(value)
        .map_err(|_| format!("`~= {value}` compares a version with what is none"))?;
    match version.release() {
        [prefix @ .., _] if !prefix.is_empty() => {
            Ok(Version::new(prefix).with_epoch(version.epoch()))
        }
        _ => Err(format!(
            "`~= {value}` needs a version of two numbers at least"
        )),
    }
}

fn check_numbers(value: &str) -> Result<(), String> {
    let is_long = value
        .split(|character: char| !character.is_ascii_digit())
        .any(|digits| digits.len() > MOST_DIGITS);
    if is_long {
        return Err(format!(
            "{value} has a number of more than {MOST_DIGITS} digits"
        ));
    }
    Ok(())
}

fn check_depth(tokens: &[&str]) -> Result<(), String> {
    let mut depth = 0_usize;
    for token in tokens {
        match *token {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!(
                "a marker has more than {DEEPEST} nested parentheses"
            ));
        }
    }
    Ok(())
}

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '"' | '\'' => {
                rest.get(1..)
                    .and_then(|after| after.find(first))
                    .ok_or_else(|| format!("expected {first} at the end of the marker `{text}`"))?
                    + 2
            }
            '<' | '>' | '=' | '!' | '~' => end_of(rest, |character| {
                matches!(character, '<' | '>' | '=' | '!' | '~')
            }),
            _ => end_of(rest, |character| {
                character.is_ascii_alphanumeric() || matches!(character, '_' | '.')
            }),
        };
        if length == 0 {
            return Err(format!("unexpected `{first}` in the marker `{text}`"));
        }
        let (token, after) = rest.split_at(length);
        tokens.push(today(token));
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// The name of today for a variable that PEP 345 and setuptools named otherwise.
fn today(token: &str) -> &str {
    match token {
        "os.name" => "os_name",
        "sys.platform" => "sys_platform",
        "platform.version" => "platform_version",
        "platform.machine" => "platform_machine",
        "platform.python_implementation" | "python_implementation" => {
            "platform_python_implementation"
        }
        _ => token,
    }
}

fn end_of(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is_part(character))
        .unwrap_or(text.len())
}

fn tree(text: &str) -> Result<MarkerTree, String> {
    let mut dropped = None;
    let mut reporter = |kind: MarkerWarningKind, message: String| {
        // An extra whose name is not one can never be asked for; that is no loss.
        let is_lost = !message.starts_with("Expected extra name");
        if is_lost && dropped.is_none() {
            dropped = Some(kind);
        }
    };
    let tree = MarkerTree::parse_reporter(text, &mut reporter).map_err(|error| {
        let detail = match error.message {
            Pep508ErrorSource::String(detail)
            | Pep508ErrorSource::UnsupportedRequirement(detail) => detail,
            Pep508ErrorSource::UrlError(error) => error.to_string(),
        };
        format!("the marker `{text}` cannot be read: {detail}")
    })?;
    match dropped {
        None => Ok(tree),
        Some(kind) => Err(format!(
            "the marker `{text}` cannot be evaluated: it {}",
            reason(kind)
        )),
    }
}

fn reason(kind: MarkerWarningKind) -> &'static str {
    match kind {
        MarkerWarningKind::Pep440Error => "compares a version with what is none",
        MarkerWarningKind::ExtraInvalidComparison => "compares `extra` with what is no name",
        MarkerWarningKind::LexicographicComparison => "orders text",
        MarkerWarningKind::MarkerMarkerComparison => "compares two variables",
        MarkerWarningKind::StringStringComparison => "compares two texts",
        MarkerWarningKind::DeprecatedMarkerName => "has an outdated variable",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> MarkerTree {
        let (tree, repairs) = parse_marker(text).expect("a marker");
        assert_eq!(repairs, []);
        tree
    }

    #[test]
    fn markers_mean_what_pep_508_says() {
        for (text, plain) in [
            (
                "python_version in '2.6,2.7, 3.2'",
                "python_version == '2.6' or python_version == '2.7' or python_version == '3.2'",
            ),
            (
                "python_version not in \"2.6, 2.7\"",
                "python_version != '2.6' and python_version != '2.7'",
            ),
            (
                "python_version ~= '3.0'",
                "python_version >= '3' and python_version < '4'",
            ),
            (
                "python_full_version ~= '3.7.0'",
                "python_full_version >= '3.7' and python_full_version < '3.8'",
            ),
            (
                "python_version ~= '3.8' or os_name=='nt'",
                "(python_version >= '3.8' and python_version < '4') or os_name == 'nt'",
            ),
            ("python_version === '3.8'", "python_version == '3.8'"),
            ("'3.8'<=python_version", "python_version >= '3.8'"),
            (
                "(os_name=='nt')and(sys.platform==\"win32\")",
                "os_name == 'nt' and sys_platform == 'win32'",
            ),
        ] {
            let expected: MarkerTree = plain.parse().expect("a marker");
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn markers_without_meaning_are_refused() {
        for (text, message) in [
            (
                "",
                "the marker `` cannot be read: Expected marker value, found end of dependency \
                  specification",
            ),
            (
                "python_version > 'three'",
                "the marker `python_version > 'three'` cannot be evaluated: it compares a version with \
                 what is none",
            ),
            (
                "'x' ~= os_name",
                "`'x' ~= os_name` has `~=`, which only suits a version variable on its left",
            ),
            (
                "python_version ~= '3'",
                "`~= 3` needs a version of two numbers at least",
            ),
            (
                "python_version ~= 'x'",
                "`~= x` compares a version with what is none",
            ),
            (
                "python_version > '3.18446744073709551615'",
                "'3.18446744073709551615' has a number of more than 9 digits",
            ),
            (
                "os_name == sys_platform",
                "the marker `os_name == sys_platform` cannot be evaluated: it compares two variables",
            ),
            (
                "os_name == 'nt",
                "expected ' at the end of the marker `os_name == 'nt`",
            ),
            (
                "os_name == nt",
                "the marker `os_name == nt` cannot be read: Expected a quoted string or a valid marker \
                 name, found `nt`",
            ),
            (
                "os_name ? 'nt'",
                "unexpected `?` in the marker `os_name ? 'nt'`",
            ),
        ] {
            assert_eq!(parse_marker(text), Err(message.to_owned()), "{text}");
        }
        let deep = format!(
            "{}os_name == 'nt'{}",
            "(".repeat(99_999),
            ")".repeat(99_999)
        );
        let message = "a marker has more than 32 nested parentheses";
        assert_eq!(parse_marker(&deep), Err(message.to_owned()));
    }

    #[test]
    fn markers_that_would_be_huge_diagrams_are_refused() {
        let many = |count: usize, each: fn(usize) -> String, word: &str| {
            let parts: Vec<String> = (0..count).map(each).collect();
            parts.join(word)
        };
        let alternative = |at| format!("extra == 'e{at}'");
        let pair = |at| format!("(extra == 'a{at:02}' and extra == 'b{at:02}')");
        let neighbours = |at| format!("(extra == 'a{at:02}' and extra == 'a{at:02}b')");
        let list = format!(
            "python_version in '{}'",
            many(9000, |at| format!("3.{at} "), "")
        );
        for text in [
            many(20, pair, " or "),
            many(40, neighbours, " or "),
            format!("({}) and ({0})", many(12, pair, " or ")),
            many(5000, alternative, " or "),
            many(5000, |at| format!("os_name != 'e{at}'"), " and "),
            list,
        ] {
            let refused = parse_marker(&text).expect_err("it is too large");
            assert_eq!(refused, "the marker joins too many different conditions");
        }
        let listed = format!("{} )", many(100, alternative, " or "));
        assert_eq!(
            parse_marker(&listed),
            Err("expected `and`, `or` or the end of the marker, found `)`".to_owned())
        );
    }

    #[test]
    fn long_markers_mean_the_same() {
        let extras: Vec<String> = (0..500).map(|at| format!("extra == 'e{at}'")).collect();
        let tree = read(&extras.join(" or "));
        let asked = |extra: &str| tree.evaluate_extras(&[extra.parse().expect("an extra")]);
        assert!(asked("e0") && asked("e499") && !asked("e500"));

        let platforms = ["linux", "darwin", "win32"].map(|platform| {
            let machines = ["x86_64", "aarch64", "arm64", "AMD64"].map(|machine| {
                format!(
                    "(python_version >= '3.9' and python_version < '3.15' and sys_platform == \
                     '{platform}' and platform_machine == '{machine}' and extra == 'x')"
                )
            });
            machines.join(" or ")
        });
        let text = platforms.join(" or ");
        let expected: MarkerTree = text.parse().expect("a marker");
        assert_eq!(read(&text), expected);
        let text = format!("not_a_variable == 'x' or {text}");
        assert!(parse_marker(&text).is_err());
    }

    #[test]
    fn repairs_are_told() {
        for (text, what) in [
            ("python_version >= \"3.6.*\"", repair::STAR),
            ("python_version == '3.'", repair::DOT),
        ] {
            let (_, repairs) = parse_marker(text).expect("a marker");
            assert_eq!(repairs.len(), 1, "{text}");
            assert_eq!(repairs[0].what, what);
            assert_eq!(repairs[0].before, text);
            assert_eq!(repairs[0].after, text.replace(".*", "").replace(".'", "'"));
        }
    }

    fn value() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("python_version"),
            Just("python_full_version"),
            Just("implementation_version"),
            Just("os_name"),
            Just("platform_release"),
            Just("extra"),
            Just("'x'"),
            Just("''"),
            Just("'3.0'"),
            Just("'3'"),
            Just("'3.8.*'"),
            Just("\"3.8.1rc1\""),
            Just("'2.7 3.0'"),
            Just("'99999999999999999999'"),
            Just("'18446744073709551615'"),
            Just("'1!3.0+x'"),
        ]
    }

    fn operator() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("=="),
            Just("!="),
            Just("<"),
            Just("<="),
            Just(">"),
            Just(">="),
            Just("~="),
            Just("==="),
            Just("in"),
            Just("not in"),
            Just("<>"),
        ]
    }

    proptest! {
        #[test]
        fn no_comparison_makes_the_reader_panic(
            comparisons in proptest::collection::vec((value(), operator(), value()), 1..4),
            joint in prop_oneof![Just("and"), Just("or")],
        ) {
            let parts: Vec<String> = comparisons
                .iter()
                .map(|(left, operator, right)| format!("{left} {operator} {right}"))
                .collect();
            if let Ok((tree, _)) = parse_marker(&parts.join(&format!(" {joint} "))) {
                let _ = tree.try_to_string();
                let _ = tree.negate().to_dnf();
            }
        }
    }
}
