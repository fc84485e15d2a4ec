//! Which members of a wheel are binaries, and in which order they are worth reading.

use super::archive::Member;
use super::{Limits, Scope};

/// What a binary is, by its path alone; the lesser is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// A library that joins a native code base to Python, such as
    /// `libtorch_python.so`: it settles most questions.
    Bridge,
    /// An extension module, or what is named like one.
    Extension,
    /// Another native library of the distribution.
    Library,
    /// A library that a packaging tool copied in (`NAME.libs`, `.dylibs`).
    Vendored,
}

/// A member to read, or not.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) member: &'a Member,
    pub(super) role: Role,
    /// Why it is not read; `None` where it is.
    pub(super) unread: Option<&'static str>,
}

/// The binaries among the members, in reading order.
pub(super) fn plan<'a>(members: &'a [Member], limits: &Limits) -> Vec<Step<'a>> {
    let mut steps: Vec<Step<'a>> = members
        .iter()
        .filter_map(|member| {
            Some(Step {
                member,
                role: role(&member.path)?,
                unread: None,
            })
        })
        .collect();
    steps.sort_by(|a, b| {
        (a.role, a.member.compressed, &a.member.path).cmp(&(
            b.role,
            b.member.compressed,
            &b.member.path,
        ))
    });
    let mut left = limits.max_read_bytes;
    for step in &mut steps {
        let compressed = step.member.compressed;
        let reason = unread(step.role, step.member.size, compressed, limits);
        step.unread = if reason.is_some() {
            reason
        } else if compressed > left {
            Some("the limit for all bytes read would be passed")
        } else {
            left -= compressed;
            None
        };
    }
    steps
}

/// Why a binary is not read, whatever was read before; `None` where it is.
pub(super) fn unread(
    role: Role,
    size: u64,
    compressed: u64,
    limits: &Limits,
) -> Option<&'static str> {
    let plain = matches!(role, Role::Library | Role::Vendored);
    let numpy_only = limits.scope == Scope::NumpyAbi;
    if size > limits.max_member_bytes {
        Some("it is larger than the limit for one binary")
    } else if numpy_only
        && plain
        && (role == Role::Vendored || compressed > limits.max_plain_library_bytes)
    {
        Some("plain libraries are not where NumPy is used")
    } else {
        None
    }
}

/// What a path is as a binary; `None` where it is none.
pub(super) fn role(path: &str) -> Option<Role> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let lower = name.to_ascii_lowercase();
    let (stem, ending) = split_library(&lower)?;
    if folder.split('/').any(is_vendor_folder) {
        return Some(Role::Vendored);
    }
    let top = folder.split('/').find(|part| !is_data_folder(part));
    // Some distributions call their extension module `libNAME.so`.
    let is_main =
        top.is_some_and(|top| stem.strip_prefix("lib") == Some(&top.to_ascii_lowercase()));
    let tagged = [".cpython-", ".abi3", ".cp3", ".pypy", ".graalpy"]
        .iter()
        .any(|tag| stem.contains(tag));
    let plain_module = ending == "so" && !stem.starts_with("lib");
    Some(if ending == "pyd" || tagged || plain_module {
        Role::Extension
    } else if is_main || stem.contains("python") && !stem.contains("python3") {
        Role::Bridge
    } else {
        Role::Library
    })
}

/// A library's name without its ending, and the ending (`so` for `.so.12.1` too);
/// `None` where it is no library.
fn split_library(lower: &str) -> Option<(&str, &str)> {
    let (stem, ending) = lower.rsplit_once('.')?;
    if matches!(ending, "pyd" | "dll" | "dylib" | "so") {
        return Some((stem, ending));
    }
    let (stem, version) = lower.split_once(".so.")?;
    let is_version = version.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_version && !version.is_empty()).then_some((stem, "so.N"))
}

/// Whether a folder is where auditwheel, delocate or delvewheel put what they copy in.
fn is_vendor_folder(part: &str) -> bool {
    part == ".dylibs" || part.rsplit_once('.').is_some_and(|(_, end)| end == "libs")
}

/// Whether a folder is no package but a part of the wheel's own layout (PEP 427).
fn is_data_folder(part: &str) -> bool {
    matches!(part, "purelib" | "platlib")
        || part.rsplit_once('.').is_some_and(|(_, end)| end == "data")
}
