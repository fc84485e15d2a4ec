//! Why a wheel cannot be scanned.

/// Why a wheel cannot be scanned at all.
///
/// A single binary that cannot be parsed does not end a scan; it is a
/// [`Problem`](super::Problem) in the findings. A corrupt or hostile archive does.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// The file name is not a wheel's.
    #[error(
        "`{filename}` is not the name of a wheel: expected `NAME-VERSION-PYTHON-ABI-PLATFORM.whl`"
    )]
    Filename {
        /// The file name.
        filename: String,
    },
    /// The bytes could not be read.
    #[error("could not read the wheel")]
    Read {
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not a zip archive that hangs together.
    #[error("the wheel is not a sound zip archive: {detail}")]
    Archive {
        /// What is wrong with it.
        detail: String,
    },
    /// A member's bytes are not what the directory says.
    #[error("`{member}` in the wheel is corrupt: {detail}")]
    Member {
        /// The member's path.
        member: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A member's path points outside the folder it would be unpacked to.
    #[error("`{member}` in the wheel points outside of it")]
    UnsafePath {
        /// The member's path, escaped.
        member: String,
    },
    /// Two members share bytes of the archive, as archives made to explode do.
    #[error("`{first}` and `{second}` in the wheel overlap")]
    Overlap {
        /// The one that starts first.
        first: String,
        /// The one that starts inside it.
        second: String,
    },
    /// The archive claims more than the limits allow.
    #[error("the wheel has {what} of {found}, more than the {allowed} that a scan allows")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        allowed: u64,
    },
    /// The binaries describe themselves at a length that only hostile ones do.
    #[error("the binaries of the wheel claim more names than a scan can keep")]
    TooMuchDetail,
}
