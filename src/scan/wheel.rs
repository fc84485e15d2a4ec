//! Scanning a wheel over any reader that can seek.

use std::io::{Read, Seek};

use super::archive::Archive;
use super::findings::{Cost, Findings, Problem, Unread, WheelTags};
use super::markers::MarkerSearch;
use super::numpy::{self, NumpyAbi, NumpyUse};
use super::plan::{Role, plan};
use super::{Limits, ScanError, Scope};

/// Finds out what a wheel's binaries were built for.
///
/// Only the central directory and the members that matter are read, so the reader
/// may well be a remote file behind HTTP byte ranges. Memory stays bounded
/// whatever the archive claims (see [`Limits`]).
pub fn scan_wheel<R: Read + Seek>(
    reader: R,
    filename: &str,
    limits: &Limits,
) -> Result<Findings, ScanError> {
    let wheel = WheelTags::from_filename(filename).ok_or_else(|| ScanError::Filename {
        filename: filename.to_owned(),
    })?;
    let mut archive = Archive::open(reader, limits)?;
    let members = std::mem::take(&mut archive.members);
    let mut uses: Vec<NumpyUse> = Vec::new();
    let mut unread = Vec::new();
    let mut undecided = Vec::new();
    let mut cost = Cost::default();
    // NumPy's own extension modules provide the ABI, and always suit each other.
    let is_numpy = wheel.name.eq_ignore_ascii_case("numpy");

    for step in plan(&members, limits) {
        let settled = limits.scope == Scope::NumpyAbi
            && (is_numpy || uses.iter().any(|found| found.abi == NumpyAbi::Numpy1Only));
        let reason = if settled {
            Some("the question was settled before")
        } else {
            step.unread
        };
        if let Some(reason) = reason {
            if !settled && matches!(step.role, Role::Bridge | Role::Extension) {
                undecided.push(step.member.path.clone());
            }
            unread.push(Unread {
                path: step.member.path.clone(),
                size: step.member.size,
                reason: reason.to_owned(),
            });
            continue;
        }
        let mut search = MarkerSearch::new();
        archive.inflate(step.member, |piece| search.push(piece))?;
        cost.bytes_inflated += step.member.size;
        cost.binaries_read += 1;
        if !is_numpy {
            uses.extend(numpy::uses(&step.member.path, &search.finish()));
        }
    }
    cost.bytes_read = archive.bytes_read;
    let problems = archive
        .duplicates
        .iter()
        .map(|path| Problem {
            path: path.clone(),
            detail: "the archive has several members with this path".to_owned(),
        })
        .collect();
    Ok(Findings {
        source: filename.to_owned(),
        wheel: Some(wheel),
        numpy: numpy::judge(uses, &undecided),
        unread,
        problems,
        cost,
    })
}
