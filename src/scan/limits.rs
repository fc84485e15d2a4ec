//! How much a scan may read, inflate and keep.

/// What a scan is to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The NumPy C-ABI alone: reading stops as soon as the answer cannot change,
    /// and large plain libraries are left alone.
    NumpyAbi,
    /// Everything, from every binary that the limits allow.
    Everything,
}

/// How much a scan may read, inflate and keep.
///
/// The defaults suit a local file. What a scan keeps in memory is about
/// `head_bytes + tail_bytes` and ten times `max_directory_bytes`, whatever the
/// archive claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// What to find out.
    pub scope: Scope,
    /// The largest central directory, in bytes.
    pub max_directory_bytes: u64,
    /// The most members that an archive may have.
    pub max_members: usize,
    /// The largest binary that is read, in inflated bytes; larger ones are
    /// listed as unread.
    pub max_member_bytes: u64,
    /// The most that all members together may claim to inflate to, in bytes.
    pub max_total_bytes: u64,
    /// The most compressed bytes of members that are read; what does not fit any
    /// more is listed as unread.
    pub max_read_bytes: u64,
    /// The largest plain library (neither an extension module nor a bridge to
    /// Python) that [`Scope::NumpyAbi`] reads, in compressed bytes.
    pub max_plain_library_bytes: u64,
    /// How much text about binaries is kept, in bytes; only hostile ones have more.
    pub max_description_bytes: usize,
    /// How much of the start of a binary is kept for parsing, in bytes.
    pub head_bytes: usize,
    /// How much of the end of a binary is kept for parsing, in bytes.
    pub tail_bytes: usize,
}

const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            scope: Scope::Everything,
            max_directory_bytes: 8 * MIB,
            max_members: 100_000,
            max_member_bytes: 4096 * MIB,
            max_total_bytes: 16 * 1024 * MIB,
            max_read_bytes: u64::MAX,
            max_plain_library_bytes: 4 * MIB,
            max_description_bytes: 16 << 20,
            head_bytes: 64 << 20,
            tail_bytes: 48 << 20,
        }
    }
}

impl Limits {
    /// The NumPy C-ABI alone, moving as few bytes as that takes.
    pub fn numpy_abi() -> Self {
        Self {
            scope: Scope::NumpyAbi,
            ..Self::default()
        }
    }

    /// Everything that can be learnt from a remote wheel without its largest
    /// libraries.
    pub fn remote() -> Self {
        Self {
            max_read_bytes: 64 * MIB,
            ..Self::default()
        }
    }
}
