//! Long markers, joined within bounds.
//!
//! `pep508_rs` keeps a marker as a decision diagram and never lets go of one. A diagram can be
//! exponentially larger than the text it is made from, and what walks over it does so path by
//! path, so how large it becomes is looked at while it is made: `(a and b) or (c and d) or …`
//! over twenty pairs of extras would take gigabytes.

use pep508_rs::{MarkerTree, MarkerTreeKind};

use super::Comparison;

/// How many comparisons are joined unseen: their diagram is small whatever they are.
const FEW: usize = 8;

/// The same where all are joined by the same word.
const FEW_ALIKE: usize = 32;

/// The same in bytes: a list of versions is one comparison.
const SHORT: usize = 2048;

/// How many paths a diagram may have. The largest of 12,000 METADATA files of ML stacks
/// has 21.
const MOST_PATHS: usize = 1024;

/// How many pairs of paths may be joined at once.
const MOST_PAIRS: usize = 1 << 16;

/// How long a marker is, as it is read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    comparisons: usize,
    ands: bool,
    ors: bool,
}

impl Extent {
    pub(super) fn add_comparison(&mut self) {
        self.comparisons += 1;
    }

    /// Takes what stands between comparisons.
    pub(super) fn add_word(&mut self, word: &str) {
        self.ands |= word == "and";
        self.ors |= word == "or";
    }

    pub(super) fn comparisons(self) -> usize {
        self.comparisons
    }

    /// Whether the marker, written thus, is joined step by step.
    pub(super) fn is_long(self, text: &str) -> bool {
        let most = if self.ands && self.ors {
            FEW
        } else {
            FEW_ALIKE
        };
        self.comparisons > most || text.len() > SHORT
    }

    pub(super) fn of(tokens: &[&str]) -> Self {
        let mut extent = Self::default();
        let mut rest = tokens;
        while let Some((first, after)) = rest.split_first() {
            rest = if let Some((_, after)) = Comparison::split_off(rest) {
                extent.add_comparison();
                after
            } else {
                extent.add_word(first);
                after
            };
        }
        extent
    }
}

/// A marker, and how many paths were made on the way to it.
pub(super) struct Joined {
    pub(super) tree: MarkerTree,
    pub(super) work: usize,
}

/// Joins the comparisons of a marker, each of which the function reads.
///
/// The parentheses must not be nested too deeply.
pub(super) fn join(
    tokens: &[&str],
    read: &dyn Fn(&str) -> Result<MarkerTree, String>,
) -> Result<Joined, String> {
    let mut joiner = Joiner {
        rest: tokens,
        read,
        work: 0,
    };
    let tree = joiner.either()?.tree;
    match joiner.rest.first() {
        None => Ok(Joined {
            tree,
            work: joiner.work,
        }),
        Some(token) => Err(format!(
            "expected `and`, `or` or the end of the marker, found `{token}`"
        )),
    }
}

/// A part of the marker, and how many paths its diagram has.
struct Part {
    tree: MarkerTree,
    paths: usize,
}

struct Joiner<'t, 'r> {
    rest: &'t [&'t str],
    read: &'r dyn Fn(&str) -> Result<MarkerTree, String>,
    work: usize,
}

impl Joiner<'_, '_> {
    fn either(&mut self) -> Result<Part, String> {
        let mut parts = vec![self.both()?];
        while self.take("or") {
            parts.push(self.both()?);
        }
        self.fold(parts, MarkerTree::or)
    }

    fn both(&mut self) -> Result<Part, String> {
        let mut parts = vec![self.one()?];
        while self.take("and") {
            parts.push(self.one()?);
        }
        self.fold(parts, MarkerTree::and)
    }

    fn one(&mut self) -> Result<Part, String> {
        if self.take("(") {
            let part = self.either()?;
            if self.take(")") {
                return Ok(part);
            }
            return Err("expected a closing `)` in the marker".to_owned());
        }
        let Some((comparison, after)) = Comparison::split_off(self.rest) else {
            return Err(match self.rest.first() {
                Some(token) => format!("expected a comparison in the marker, found `{token}`"),
                None => "expected a comparison at the end of the marker".to_owned(),
            });
        };
        self.rest = after;
        let listed = [comparison.left, comparison.right].map(|it| it.split_whitespace().count());
        if listed.iter().any(|listed| *listed > MOST_PATHS / 2) {
            return Err(too_large());
        }
        self.part((self.read)(&comparison.to_string())?)
    }

    /// Neighbours first, so that a long list of alternatives is not walked once for each.
    fn fold(
        &mut self,
        mut parts: Vec<Part>,
        join: fn(&mut MarkerTree, MarkerTree),
    ) -> Result<Part, String> {
        while parts.len() > 1 {
            let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
            let mut singles = parts.into_iter();
            while let Some(mut first) = singles.next() {
                let Some(second) = singles.next() else {
                    pairs.push(first);
                    break;
                };
                if first.paths.saturating_mul(second.paths) > MOST_PAIRS {
                    return Err(too_large());
                }
                join(&mut first.tree, second.tree);
                pairs.push(self.part(first.tree)?);
            }
            parts = pairs;
        }
        parts
            .pop()
            .ok_or_else(|| "expected a comparison in the marker".to_owned())
    }

    fn part(&mut self, tree: MarkerTree) -> Result<Part, String> {
        let mut paths = 0;
        count(&tree, &mut paths);
        self.work = self.work.saturating_add(paths);
        if paths > MOST_PATHS {
            return Err(too_large());
        }
        Ok(Part { tree, paths })
    }

    fn take(&mut self, token: &str) -> bool {
        match self.rest.split_first() {
            Some((first, after)) if *first == token => {
                self.rest = after;
                true
            }
            _ => false,
        }
    }
}

fn too_large() -> String {
    "the marker joins too many different conditions".to_owned()
}

/// Counts the paths of a diagram, until there are too many.
fn count(tree: &MarkerTree, paths: &mut usize) {
    if *paths > MOST_PATHS {
        return;
    }
    let mut each = |tree: MarkerTree| count(&tree, paths);
    match tree.kind() {
        MarkerTreeKind::True | MarkerTreeKind::False => *paths += 1,
        MarkerTreeKind::Version(node) => node.edges().for_each(|(_, tree)| each(tree)),
        MarkerTreeKind::String(node) => node.children().for_each(|(_, tree)| each(tree)),
        MarkerTreeKind::In(node) => node.children().for_each(|(_, tree)| each(tree)),
        MarkerTreeKind::Contains(node) => node.children().for_each(|(_, tree)| each(tree)),
        MarkerTreeKind::Extra(node) => node.children().for_each(|(_, tree)| each(tree)),
    }
}
