//! Writing files whole or not at all.

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::error::{CliError, Exit};

/// Replaces a file in one step: a reader sees the old bytes or the new, and a failure
/// leaves the old.
///
/// # Errors
///
/// Where the folder cannot be written to.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let failed = |error: &std::io::Error| {
        CliError::new(
            Exit::Usage,
            format!("cannot write `{}`: {error}", path.display()),
        )
        .hint("name a file in a folder that can be written to with `-o`")
    };
    // A symbolic link stays one: what it points to is replaced.
    let known = std::fs::symlink_metadata(path).ok();
    let (target, known) = match known {
        Some(known) if known.is_symlink() => {
            let target = led_to(path);
            let known = std::fs::metadata(&target).ok();
            (target, known)
        }
        known => (path.to_path_buf(), known),
    };
    // What is no regular file (`/dev/null`, a pipe) is written to and never replaced.
    if known.as_ref().is_some_and(|known| !known.is_file()) {
        return std::fs::write(path, bytes).map_err(|error| failed(&error));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let folder_failed = |error: &std::io::Error| {
        // What is said of the temporary file holds of its folder, whose name people know.
        let folder = folder.display();
        let what = match error.kind() {
            ErrorKind::NotFound => format!("there is no folder `{folder}`"),
            ErrorKind::PermissionDenied => format!("nothing may be written to `{folder}`"),
            _ => error.to_string(),
        };
        failed(&std::io::Error::other(what))
    };
    let mut file = tempfile::Builder::new()
        .prefix(".mlresolve-")
        .tempfile_in(&folder)
        .map_err(|error| folder_failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    // Where the power fails, what is there is the old file or the new one. Where there is no old
    // one, nothing can be lost but what this run has just made, and will make again.
    if known.is_some() {
        file.as_file().sync_all().map_err(|error| failed(&error))?;
    }
    keep_mode(file.as_file(), known.as_ref()).map_err(|error| failed(&error))?;
    file.persist(&target)
        .map_err(|error| failed(&error.error))?;
    Ok(())
}

/// Where a path leads in the end; a link may lead to what is not there yet.
fn led_to(path: &Path) -> PathBuf {
    /// More links than any system follows.
    const MOST: usize = 40;
    if let Ok(there) = std::fs::canonicalize(path) {
        return there;
    }
    let mut target = path.to_path_buf();
    for _ in 0..MOST {
        let Ok(next) = std::fs::read_link(&target) else {
            return target;
        };
        target = target
            .parent()
            .map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    path.to_path_buf()
}

/// Gives the new file the old one's permissions, or those that any new file has.
#[cfg(unix)]
fn keep_mode(file: &std::fs::File, known: Option<&std::fs::Metadata>) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    // What the process's mask leaves of 0666 cannot be read without changing it; 0644 is what
    // nearly everyone has.
    let mode = known.map_or(0o644, |known| known.permissions().mode() & 0o777);
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn keep_mode(_file: &std::fs::File, _known: Option<&std::fs::Metadata>) -> std::io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::FileTypeExt as _;

    use super::write_atomically;

    #[test]
    fn what_is_no_regular_file_is_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        // A socket cannot be opened for writing.
        assert!(write_atomically(&socket, b"numpy==1.26.4\n").is_err());
        let kind = std::fs::metadata(&socket).expect("it is there").file_type();
        assert!(kind.is_socket());
        assert!(write_atomically(folder.path(), b"x").is_err());
    }

    #[test]
    fn a_link_to_what_is_not_there_yet_is_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let inside = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("second", inside("first")).expect("a link");
        std::os::unix::fs::symlink(inside("real"), inside("second")).expect("a link");
        write_atomically(&inside("first"), b"x").expect("it is written");
        assert_eq!(std::fs::read(inside("real")).expect("it is there"), b"x");
        assert!(inside("first").is_symlink() && inside("second").is_symlink());
        // One that leads nowhere is replaced, as nothing else can be meant.
        std::os::unix::fs::symlink("loop", inside("loop")).expect("a link");
        assert!(write_atomically(&inside("loop"), b"x").is_ok());
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("no").join("lock.txt");
        let error = write_atomically(&path, b"x").expect_err("there is no folder");
        let shown = format!("{:?}", error.report);
        assert!(shown.contains("there is no folder"), "{shown}");
        assert!(!shown.contains(".mlresolve-"), "{shown}");
    }
}
