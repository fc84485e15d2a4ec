//! Files of records that stay open, so that what another run replaces or removes can be read to
//! its end.

#[cfg(unix)]
mod open {
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// So many files stay open at most: some systems allow a process 256, and connections need
    /// theirs.
    const MOST: usize = 120;

    static OPEN: AtomicUsize = AtomicUsize::new(0);

    /// A file that stays open.
    pub(in super::super) struct Held(File);

    impl Held {
        /// Keeps the file open; `None` where enough are.
        pub(in super::super) fn new(file: File) -> Option<Self> {
            let counted = OPEN.fetch_add(1, Ordering::Relaxed);
            // It counts itself out where it is one too many.
            let held = Self(file);
            (counted < MOST).then_some(held)
        }

        /// Fills the buffer from a place in the file.
        pub(in super::super) fn read_exact_at(
            &self,
            buffer: &mut [u8],
            place: u64,
        ) -> io::Result<()> {
            self.0.read_exact_at(buffer, place)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            OPEN.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Elsewhere a file that is open cannot be replaced.
#[cfg(not(unix))]
mod open {
    use std::fs::File;
    use std::io;

    /// No file stays open.
    pub(in super::super) enum Held {}

    impl Held {
        /// Closes the file.
        pub(in super::super) fn new(_file: File) -> Option<Self> {
            None
        }

        /// Never called.
        pub(in super::super) fn read_exact_at(
            &self,
            _buffer: &mut [u8],
            _place: u64,
        ) -> io::Result<()> {
            match *self {}
        }
    }
}

pub(super) use open::Held;

#[cfg(unix)]
mod whole {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;

    /// A file of which parts are read, and which stays what it was.
    pub(in super::super) struct Whole(File);

    impl Whole {
        #[expect(clippy::unnecessary_wraps, reason = "elsewhere it reads")]
        pub(in super::super) fn new(file: File) -> std::io::Result<Self> {
            Ok(Self(file))
        }

        /// So many bytes from a place in the file; `None` where it ends before.
        pub(in super::super) fn read(&self, place: u64, length: usize) -> Option<Vec<u8>> {
            let mut bytes = vec![0; length];
            self.0.read_exact_at(&mut bytes, place).ok()?;
            Some(bytes)
        }
    }
}

/// Elsewhere it is read at once, so that another run can replace it.
#[cfg(not(unix))]
mod whole {
    use std::fs::File;
    use std::io::{Read as _, Seek as _, SeekFrom};

    /// A file of which parts are read, and which stays what it was.
    pub(in super::super) struct Whole(Vec<u8>);

    impl Whole {
        pub(in super::super) fn new(mut file: File) -> std::io::Result<Self> {
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.read_to_end(&mut bytes)?;
            Ok(Self(bytes))
        }

        /// So many bytes from a place in the file; `None` where it ends before.
        pub(in super::super) fn read(&self, place: u64, length: usize) -> Option<Vec<u8>> {
            let start = usize::try_from(place).ok()?;
            let bytes = self.0.get(start..start.checked_add(length)?)?;
            Some(bytes.to_vec())
        }
    }
}

pub(super) use whole::Whole;
