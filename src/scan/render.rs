//! Findings as text for people, and as JSON for pipes.

use std::fmt::{self, Display, Write};

use super::findings::{Findings, Unread};
use super::libraries::{CudaFinding, CudaLibraries, TorchFinding};
use super::numpy::NumpyAbi;
use super::overlap::Overlap;
use super::platform::Floor;

/// How many names or lines of a kind are shown before the rest is counted.
const SHOWN: usize = 12;

/// The findings as one JSON object on one line, without the line's end.
///
/// Every field is described at [`Findings`].
pub fn json(findings: &Findings) -> serde_json::Result<String> {
    serde_json::to_string(findings)
}

/// The findings as text: the source, then a line for each thing that there is to say.
pub fn text(findings: &Findings) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write_text(&mut text, findings);
    text
}

/// What two wheels install at the same paths, as text; `all` names every path.
pub fn overlap_text(one: &str, other: &str, found: &Overlap, all: bool) -> String {
    let mut text = String::new();
    // Writing to a `String` does not fail.
    let _ = write_overlap(&mut text, (one, other), found, all);
    text
}

fn write_overlap(
    out: &mut String,
    (one, other): (&str, &str),
    found: &Overlap,
    all: bool,
) -> fmt::Result {
    let shared = found.different.len() + found.identical.len();
    if shared == 0 {
        return writeln!(out, "{one} and {other} install no file at the same path");
    }
    writeln!(
        out,
        "{one} and {other} install {} at the same paths",
        files(shared)
    )?;
    if found.different.is_empty() {
        return writeln!(out, "  all of the same content: neither breaks the other");
    }
    writeln!(
        out,
        "  {} of other content: what is installed last breaks the other",
        files(found.different.len())
    )?;
    let shown = if all { usize::MAX } else { SHOWN };
    for path in found.different.iter().take(shown) {
        writeln!(out, "    {path}")?;
    }
    match found.different.len().saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more"),
    }
}

fn files(count: usize) -> String {
    match count {
        1 => "1 file".to_owned(),
        _ => format!("{count} files"),
    }
}

fn write_text(out: &mut String, findings: &Findings) -> fmt::Result {
    writeln!(out, "{}", findings.source)?;
    let numpy = &findings.numpy;
    line(
        out,
        "numpy",
        format_args!("{}: {}", abi(numpy.abi), numpy.reason),
    )?;
    if let Some(version) = &numpy.at_least {
        line(
            out,
            "",
            format_args!("it says it works from NumPy {version} on"),
        )?;
    }
    if let Some(cuda) = &findings.cuda {
        write_cuda(out, cuda)?;
    }
    if let Some(torch) = &findings.torch {
        write_torch(out, torch)?;
    }
    if !findings.floors.is_empty() {
        let floors: Vec<String> = findings.floors.iter().map(floor).collect();
        line(out, "platform", floors.join(", "))?;
    }
    list(out, "python", findings.python.iter())?;
    list(out, "openmp", findings.openmp.iter())?;
    list(out, "imports", findings.imports.iter())?;
    let outside = findings.needed.iter().filter(|library| !library.bundled);
    list(out, "needs", outside.map(|library| &library.name))?;
    for problem in findings.problems.iter().take(SHOWN) {
        line(
            out,
            "problem",
            format_args!("`{}`: {}", problem.path, problem.detail),
        )?;
    }
    if let Some(more) = findings.problems.len().checked_sub(SHOWN + 1) {
        line(out, "", format_args!("and {} more problems", more + 1))?;
    }
    write_unread(out, &findings.unread)?;
    let cost = &findings.cost;
    let binaries = cost.binaries_read;
    line(
        out,
        "read",
        format_args!("{}, {binaries} of its binaries", size(cost.bytes_read)),
    )
}

fn abi(abi: NumpyAbi) -> &'static str {
    match abi {
        NumpyAbi::None => "no C-ABI",
        NumpyAbi::Numpy2Capable => "NumPy 2 capable",
        NumpyAbi::Undecided => "undecided",
        NumpyAbi::Numpy1Layout => "NumPy 1 layout",
        NumpyAbi::Numpy1Only => "NumPy 1 only",
    }
}

fn write_cuda(out: &mut String, cuda: &CudaFinding) -> fmt::Result {
    for (verb, libraries) in [
        ("needs", &cuda.needs),
        ("brings", &cuda.brings),
        ("may open", &cuda.opens),
    ] {
        if !libraries.libraries.is_empty() {
            line(
                out,
                "cuda",
                format_args!("{verb} {}", cuda_libraries(libraries)),
            )?;
        }
    }
    list(out, "gpu", cuda.gpu_architectures.iter())
}

fn cuda_libraries(found: &CudaLibraries) -> String {
    let mut parts: Vec<String> = Vec::new();
    match &found.cuda_version {
        Some(version) => parts.push(format!("CUDA {version}")),
        None => parts.extend(found.cuda.iter().map(|major| format!("CUDA {major}"))),
    }
    parts.extend(found.cudnn.iter().map(|major| format!("cuDNN {major}")));
    let names = names(found.libraries.iter());
    if parts.is_empty() {
        names
    } else {
        format!("{} ({names})", parts.join(", "))
    }
}

fn write_torch(out: &mut String, torch: &TorchFinding) -> fmt::Result {
    let strings = match torch.cxx11_abi {
        Some(true) => "; C++11 strings",
        Some(false) => "; strings from before C++11",
        None => "",
    };
    let libraries = names(torch.libraries.iter());
    line(out, "torch", format_args!("needs {libraries}{strings}"))
}

fn floor(floor: &Floor) -> String {
    let Floor { what, version, .. } = floor;
    match &floor.promised {
        Some(promised) => format!("{what} {version} (its tag promises {promised})"),
        None => format!("{what} {version}"),
    }
}

fn write_unread(out: &mut String, unread: &[Unread]) -> fmt::Result {
    for Unread { path, reason, .. } in unread.iter().take(SHOWN) {
        line(out, "unread", format_args!("`{path}`: {reason}"))?;
    }
    let rest = unread.get(SHOWN..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(());
    }
    let bytes = rest.iter().map(|unread| unread.size).sum();
    line(
        out,
        "",
        format_args!("and {} more binaries of {}", rest.len(), size(bytes)),
    )
}

fn list<'a>(out: &mut String, key: &str, items: impl Iterator<Item = &'a String>) -> fmt::Result {
    let names = names(items);
    if names.is_empty() {
        Ok(())
    } else {
        line(out, key, names)
    }
}

fn names<'a>(items: impl Iterator<Item = &'a String>) -> String {
    let items: Vec<&str> = items.map(String::as_str).collect();
    match items.get(..SHOWN) {
        Some(shown) if items.len() > SHOWN => {
            format!("{} and {} more", shown.join(", "), items.len() - SHOWN)
        }
        _ => items.join(", "),
    }
}

fn line(out: &mut String, key: &str, value: impl Display) -> fmt::Result {
    writeln!(out, "  {key:<9} {value}")
}

/// A number of bytes with a unit, one decimal place, rounded down.
fn size(bytes: u64) -> String {
    for (unit, length) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)] {
        if bytes >= length {
            let tenths = bytes / (length / 10);
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} bytes")
}
