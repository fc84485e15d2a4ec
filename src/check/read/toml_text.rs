//! TOML locks: parsing with lines in errors, names and versions.

use std::ops::Range;
use std::str::FromStr;

use pep440_rs::Version;
use pep508_rs::{MarkerTree, PackageName};
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::ReadError;
use super::error::line_of;
use crate::metadata::parse_marker;

/// One file being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    /// The whole file.
    pub(super) fn parse<T: DeserializeOwned>(self) -> Result<T, ReadError> {
        toml::from_str(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            ReadError::at(self.file, self.text, at, error.message().to_owned())
        })
    }

    pub(super) fn line(self, span: Range<usize>) -> u32 {
        line_of(self.text, span.start)
    }

    pub(super) fn error(self, span: Range<usize>, detail: impl Into<String>) -> ReadError {
        ReadError::at(self.file, self.text, span.start, detail)
    }

    pub(super) fn name(self, name: &Spanned<String>) -> Result<PackageName, ReadError> {
        PackageName::from_str(name.get_ref())
            .ok()
            .filter(|_| !name.get_ref().is_empty())
            .ok_or_else(|| {
                self.error(
                    name.span(),
                    format!("`{}` is no name of a distribution", name.get_ref()),
                )
            })
    }

    pub(super) fn version(self, version: &Spanned<String>) -> Result<Version, ReadError> {
        Version::from_str(version.get_ref()).map_err(|_| {
            self.error(
                version.span(),
                format!("`{}` is no version (PEP 440)", version.get_ref()),
            )
        })
    }

    pub(super) fn marker(self, marker: &Spanned<String>) -> Result<MarkerTree, ReadError> {
        parse_marker(marker.get_ref())
            .map(|(tree, _)| tree)
            .map_err(|detail| {
                self.error(
                    marker.span(),
                    format!("`{}` is no marker: {detail}", marker.get_ref()),
                )
            })
    }
}
