//! What repairs an environment, as commands.

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::Subject;
use super::model::Remedy;

/// The program that installs into an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Installer {
    Pip,
    /// uv's environments have no pip.
    Uv,
}

impl Installer {
    /// The installer of an environment that has these distributions.
    pub(super) fn of<'a>(mut names: impl Iterator<Item = &'a PackageName>) -> Self {
        if names.any(|name| name.as_ref() == "pip") {
            Self::Pip
        } else {
            Self::Uv
        }
    }

    /// The installer of an environment; `None` where the subject is a file.
    pub(super) fn of_subject(subject: &Subject) -> Option<Self> {
        let names = subject.entries.iter().map(|entry| &entry.name);
        subject.is_installed().then(|| Self::of(names))
    }

    fn program(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Uv => "uv pip",
        }
    }

    /// The command that brings what a requirement asks for.
    pub(super) fn install(self, requirement: &str) -> String {
        format!("{} install {}", self.program(), quoted(requirement))
    }

    /// The command that brings one release and leaves everything else as it is.
    fn put(self, name: &PackageName, version: &Version) -> String {
        format!("{} install --no-deps {name}=={version}", self.program())
    }

    fn uninstall(self, names: &[&str]) -> String {
        let sure = if self == Self::Pip { "-y " } else { "" };
        format!("{} uninstall {sure}{}", self.program(), names.join(" "))
    }

    /// Of distributions that own the same files, keeps the one that others require, else the
    /// newest.
    pub(super) fn keep_one(
        self,
        owners: &[(&PackageName, &Version)],
        is_required: impl Fn(&PackageName) -> bool,
    ) -> Remedy {
        let names: Vec<&str> = owners.iter().map(|(name, _)| name.as_ref()).collect();
        let mut order: Vec<_> = owners.to_vec();
        order.sort_by_key(|(name, version)| (!is_required(name), std::cmp::Reverse(*version)));
        let command = order.first().map(|(name, version)| {
            format!("{} && {}", self.uninstall(&names), self.put(name, version))
        });
        let text = match &command {
            Some(command) => format!("keep one of them: {command}"),
            None => "keep one of them".to_owned(),
        };
        Remedy {
            text,
            command,
            verified: false,
        }
    }

    /// Puts a release back whose files are not its own: `rest` is the folder that has to be
    /// empty before. Every metadata folder of it takes one removal.
    pub(super) fn put_back(
        self,
        name: &PackageName,
        version: &Version,
        removals: usize,
        rest: Option<&str>,
    ) -> Remedy {
        let mut steps = vec![self.uninstall(&[name.as_ref()]); removals];
        steps.extend(rest.map(|folder| format!("rm -rf {}", quoted(folder))));
        steps.push(self.put(name, version));
        let command = steps.join(" && ");
        Remedy {
            text: command.clone(),
            command: Some(command),
            verified: false,
        }
    }
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.=/,~:+@".contains(letter);
    if word.chars().all(is_plain) && !word.starts_with('~') {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PackageName {
        text.parse().expect("a name")
    }

    fn version(text: &str) -> Version {
        text.parse().expect("a version")
    }

    #[test]
    fn words_are_quoted_where_shells_would_read_them() {
        for (word, shown) in [
            ("numpy==1.26.4", "numpy==1.26.4"),
            ("numpy<2", "'numpy<2'"),
            ("it's", "'it'\\''s'"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }

    #[test]
    fn what_is_required_is_kept_else_the_newest() {
        let (a, b) = (name("a"), name("b"));
        let (one, two) = (version("1"), version("2"));
        let owners = [(&a, &one), (&b, &two)];
        let kept = |required: &str| {
            let remedy = Installer::Pip.keep_one(&owners, |name| name.as_ref() == required);
            remedy.command.expect("a command")
        };
        assert_eq!(
            kept(""),
            "pip uninstall -y a b && pip install --no-deps b==2"
        );
        assert_eq!(
            kept("a"),
            "pip uninstall -y a b && pip install --no-deps a==1"
        );
    }

    #[test]
    fn every_metadata_folder_takes_one_removal() {
        let remedy = Installer::Uv.put_back(&name("numpy"), &version("2.0"), 2, Some("/a b/numpy"));
        assert_eq!(
            remedy.command.expect("a command"),
            "uv pip uninstall numpy && uv pip uninstall numpy && rm -rf '/a b/numpy' && \
             uv pip install --no-deps numpy==2.0"
        );
    }
}
