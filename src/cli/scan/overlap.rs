//! `mlresolve scan --overlap`: which files wheels install at the same paths.

use serde::Serialize;

use super::super::args::{Format, ScanArgs};
use super::super::error::{CliError, Exit};
use super::super::session::WheelSession;
use super::super::tell;
use super::what::What;
use super::wheel;
use crate::scan::{FileDigest, Overlap, overlap, render};

/// A wheel's name and its files.
struct Listed {
    name: String,
    files: Vec<FileDigest>,
}

/// What two wheels install at the same paths.
#[derive(Serialize)]
struct Pair<'a> {
    wheels: [&'a str; 2],
    #[serde(flatten)]
    found: &'a Overlap,
}

/// Compares each wheel that is named with each other.
pub(super) fn run(args: &ScanArgs, session: &WheelSession) -> Result<Exit, CliError> {
    tell(&told(args, session)?);
    Ok(Exit::Done)
}

pub(super) fn told(args: &ScanArgs, session: &WheelSession) -> Result<String, CliError> {
    let wheels: Vec<Listed> = args
        .what
        .iter()
        .map(|word| listed(session, word))
        .collect::<Result<_, _>>()?;
    if wheels.len() < 2 {
        return Err(CliError::usage("`--overlap` compares two or more wheels"));
    }
    let mut text = String::new();
    let mut rest = wheels.as_slice();
    while let Some((one, others)) = rest.split_first() {
        for other in others {
            let found = overlap(&one.files, &other.files);
            match args.format {
                Format::Text => {
                    let all = args.wheels.verbose > 0;
                    text += &render::overlap_text(&one.name, &other.name, &found, all);
                }
                Format::Json => {
                    let pair = Pair {
                        wheels: [&one.name, &other.name],
                        found: &found,
                    };
                    text += &serde_json::to_string(&pair)
                        .map_err(|error| CliError::usage(error.to_string()))?;
                    text.push('\n');
                }
            }
        }
        rest = others;
    }
    Ok(text)
}

/// The files of what a word names: one wheel, for a release the one that suits.
fn listed(session: &WheelSession, word: &str) -> Result<Listed, CliError> {
    let wheel = match What::of(word)? {
        What::Wheel(path) => {
            return Ok(Listed {
                name: path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
                files: wheel::files_of(&path)?,
            });
        }
        What::Folder(_) => {
            return Err(CliError::usage(format!(
                "`{word}` is a folder: `--overlap` compares wheels"
            ))
            .hint("`mlresolve check FOLDER` tells of files that an environment has twice"));
        }
        What::Url(wheel) => wheel,
        What::Release(name, version) => {
            let targets = [session.target()?];
            let wheels = wheel::of_release(session.registry()?, &name, &version, &targets)?;
            wheels
                .into_iter()
                .next()
                .ok_or_else(|| CliError::usage(format!("no wheel of `{word}` suits")))?
        }
    };
    Ok(Listed {
        files: wheel.files(session.registry()?)?,
        name: wheel.filename,
    })
}
