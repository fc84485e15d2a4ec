//! Tables of distinct texts.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Distinct texts, numbered in the order in which they come.
///
/// A page repeats itself: after one text there mostly comes the same one again, or the one that
/// came after it before. Both are looked at first, so that most texts are compared once.
#[derive(Debug, Default)]
pub(super) struct Distinct<'t> {
    texts: Vec<Cow<'t, str>>,
    numbers: BTreeMap<Cow<'t, str>, u32>,
    /// What came after each, the last time.
    after: Vec<u32>,
    last: u32,
}

impl<'t> Distinct<'t> {
    /// The number of a text, and whether it is new; a new one is kept as `keep` gives it.
    pub(super) fn number(
        &mut self,
        text: &str,
        keep: impl FnOnce() -> Cow<'t, str>,
    ) -> (u32, bool) {
        let after = self.after_last().copied().unwrap_or(0);
        for guess in [after, self.last] {
            if self.get(guess) == Some(text) {
                self.went_to(guess);
                return (guess, false);
            }
        }
        if let Some(number) = self.numbers.get(text).copied() {
            self.went_to(number);
            return (number, false);
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let kept = keep();
        self.numbers.insert(kept.clone(), number);
        self.texts.push(kept);
        self.after.push(number);
        self.went_to(number);
        (number, true)
    }

    /// The text with a number.
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        let place = usize::try_from(number).ok()?;
        self.texts.get(place).map(|text| &**text)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    fn after_last(&mut self) -> Option<&mut u32> {
        self.after.get_mut(usize::try_from(self.last).ok()?)
    }

    fn went_to(&mut self, number: u32) {
        if let Some(after) = self.after_last() {
            *after = number;
        }
        self.last = number;
    }
}

/// New numbers for those of a table, in the order in which they are asked for.
pub(super) struct Renumbered {
    new: Vec<u32>,
    /// The old numbers, in the order of the new ones.
    pub(super) old: Vec<u32>,
}

impl Renumbered {
    pub(super) fn of(table: &Distinct<'_>) -> Self {
        Self {
            new: vec![u32::MAX; table.len()],
            old: Vec::new(),
        }
    }

    pub(super) fn number(&mut self, old: u32) -> u32 {
        let place = usize::try_from(old).ok();
        let Some(new) = place.and_then(|place| self.new.get_mut(place)) else {
            return u32::MAX;
        };
        if *new == u32::MAX {
            *new = u32::try_from(self.old.len()).unwrap_or(u32::MAX);
            self.old.push(old);
        }
        *new
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_texts_have_one_number(texts in proptest::collection::vec("[ab]{0,2}", 0..40)) {
            let mut table = Distinct::default();
            let mut known: Vec<&String> = Vec::new();
            for text in &texts {
                let (number, is_new) = table.number(text, || Cow::Borrowed(text));
                prop_assert_eq!(is_new, !known.contains(&text));
                if is_new {
                    known.push(text);
                }
                prop_assert_eq!(table.get(number), Some(text.as_str()));
                prop_assert_eq!(known.get(number as usize), Some(&text));
            }
            prop_assert_eq!(table.len(), known.len());
        }
    }

    #[test]
    fn numbers_are_given_anew_in_the_order_of_use() {
        let mut table = Distinct::default();
        for text in ["a", "b", "c"] {
            table.number(text, || Cow::Borrowed(text));
        }
        let mut renumbered = Renumbered::of(&table);
        let numbers = [2, 0, 2, 0].map(|old| renumbered.number(old));
        assert_eq!(numbers, [0, 1, 0, 1]);
        assert_eq!(renumbered.old, [2, 0]);
        assert_eq!(renumbered.number(3), u32::MAX);
    }
}
