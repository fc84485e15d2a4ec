//! `--no-binary` and `--only-binary`, which take names, `:all:` and `:none:`.

use std::collections::BTreeSet;

use pep508_rs::PackageName;

use super::{Selection, names};

/// Which kinds of file may be used for which distributions, as pip counts it: later
/// values add to earlier ones, a name in one option leaves the other, `:none:` empties
/// an option, `:all:` fills it and empties the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatControl {
    no_binary: Names,
    only_binary: Names,
}

/// One of the two options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatOption {
    /// `--no-binary`
    NoBinary,
    /// `--only-binary`
    OnlyBinary,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    all: bool,
    names: BTreeSet<PackageName>,
}

impl FormatControl {
    /// Takes one value of an option: names and `:all:`, `:none:`, separated by commas.
    ///
    /// # Errors
    /// The part that is neither a distribution's name nor one of the two words.
    pub fn take(&mut self, option: FormatOption, value: &str) -> Result<(), String> {
        let (target, other) = match option {
            FormatOption::NoBinary => (&mut self.no_binary, &mut self.only_binary),
            FormatOption::OnlyBinary => (&mut self.only_binary, &mut self.no_binary),
        };
        let mut parts: &[&str] = &value.split(',').map(str::trim).collect::<Vec<_>>();
        while let Some(position) = parts.iter().position(|part| *part == ":all:") {
            *other = Names::default();
            *target = Names {
                all: true,
                names: BTreeSet::new(),
            };
            parts = parts.get(position + 1..).unwrap_or_default();
            // What follows `:all:` counts only where it takes it back.
            if !parts.contains(&":none:") {
                return Ok(());
            }
        }
        for part in parts {
            if *part == ":none:" {
                *target = Names::default();
                continue;
            }
            if part.is_empty() {
                continue;
            }
            let name = names::package(part).ok_or_else(|| (*part).to_owned())?;
            other.names.remove(&name);
            target.names.insert(name);
        }
        Ok(())
    }

    /// Whether wheels may be used.
    pub fn wheels(&self) -> Selection {
        allowed(&self.no_binary, &self.only_binary)
    }

    /// Whether source distributions may be used.
    pub fn sdists(&self) -> Selection {
        allowed(&self.only_binary, &self.no_binary)
    }
}

/// What the option `forbids` leaves, where naming a distribution in the other option
/// is stronger than `:all:` in this one.
fn allowed(forbids: &Names, opposite: &Names) -> Selection {
    Selection {
        all: !forbids.all,
        except: if forbids.all {
            opposite.names.clone()
        } else {
            forbids.names.clone()
        },
    }
}
