//! The rules that come with the program: `resolver-rules/`, collected by `build.rs`.

/// What each rule speaks of, a line each, sorted by id.
static INDEX: &str = include_str!(concat!(env!("OUT_DIR"), "/embedded_rules.index"));

/// What each rule does, as in its file, one after another in the same order.
static TERMS: &str = include_str!(concat!(env!("OUT_DIR"), "/embedded_rules.terms"));

/// The files, one after another in the same order.
static TEXTS: &str = include_str!(concat!(env!("OUT_DIR"), "/embedded_rules.texts"));

/// A rule that comes with the program, and what it speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct EmbeddedRule {
    pub(super) id: &'static str,
    pub(super) kind: &'static str,
    /// Names, with commas between them.
    triggers: &'static str,
    limits: &'static str,
    extended_by: &'static str,
    /// The part of the file that says what the rule does.
    pub(super) terms: &'static str,
    /// The file.
    pub(super) text: &'static str,
}

/// Every embedded rule, sorted by id.
pub(super) fn embedded() -> impl Iterator<Item = EmbeddedRule> {
    let (mut all_terms, mut texts) = (TERMS, TEXTS);
    // The build wrote them; a test reads them to their ends.
    INDEX.lines().map_while(move |line| {
        let mut fields = line.split('\t');
        let (id, kind) = (fields.next()?, fields.next()?);
        let (triggers, limits) = (fields.next()?, fields.next()?);
        let extended_by = fields.next()?;
        let mut next = |from: &mut &'static str| {
            let (one, rest) = from.split_at_checked(fields.next()?.parse().ok()?)?;
            *from = rest;
            Some(one)
        };
        let (terms, text) = (next(&mut all_terms)?, next(&mut texts)?);
        Some(EmbeddedRule {
            id,
            kind,
            triggers,
            limits,
            extended_by,
            terms,
            text,
        })
    })
}

impl EmbeddedRule {
    /// The distributions whose releases trigger it.
    pub(super) fn triggers(&self) -> impl Iterator<Item = &'static str> {
        names(self.triggers)
    }

    /// The distribution that it limits where it is present.
    pub(super) fn limits(&self) -> Option<&'static str> {
        names(self.limits).next()
    }

    /// The distributions that are built against a family's members.
    pub(super) fn extended_by(&self) -> impl Iterator<Item = &'static str> {
        names(self.extended_by)
    }
}

fn names(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_what_the_build_wrote_is_left_out() {
        let rules: Vec<EmbeddedRule> = embedded().collect();
        assert_eq!(rules.len(), INDEX.lines().count());
        let terms: usize = rules.iter().map(|rule| rule.terms.len()).sum();
        assert_eq!(terms, TERMS.len());
        let texts: usize = rules.iter().map(|rule| rule.text.len()).sum();
        assert_eq!(texts, TEXTS.len());
        assert!(rules.is_sorted_by(|a, b| a.id < b.id));
    }
}
