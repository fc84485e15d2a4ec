//! Corrupt and hostile wheels: no panic, and bounded memory.
//!
//! A process of its own, so that its peak memory is what the scans took.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test reads its own memory use from the system, and may panic"
)]

use std::io::{Cursor, Write};

use mlresolve::scan::{Limits, ScanError, scan_wheel};
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, ZipWriter};

#[path = "../src/scan/tests/objects.rs"]
mod objects;

use objects::{Library, elf, fatbin, mach_o, pe, universal};

const NAME: &str = "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl";
const ROUNDS: usize = 1000;
/// The most memory that a scan may take, in KiB.
const MOST_MEMORY: u64 = 256 << 10;

/// A small generator (xorshift64), so that every run sees the same corruptions.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }
}

type Corruption = fn(&mut Vec<u8>, &mut Random);

/// Ten ways to damage bytes.
const CORRUPTIONS: [(&str, Corruption); 10] = [
    ("flip a bit", |bytes, random| {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }),
    ("set a byte", |bytes, random| {
        let at = random.below(bytes.len());
        bytes[at] = random.next().to_le_bytes()[0];
    }),
    ("set eight bytes to ones", |bytes, random| {
        let range = range(bytes, random, 8);
        bytes[range].fill(0xff);
    }),
    ("set a word to a plausible offset", |bytes, random| {
        let value = u32::try_from(random.below(bytes.len() * 2)).unwrap();
        let range = range(bytes, random, 4);
        let length = range.len();
        bytes[range].copy_from_slice(&value.to_le_bytes()[..length]);
    }),
    ("zero a stretch", |bytes, random| {
        let range = range(bytes, random, 200);
        bytes[range].fill(0);
    }),
    ("fill a stretch with noise", |bytes, random| {
        for at in range(bytes, random, 200) {
            bytes[at] = random.next().to_le_bytes()[0];
        }
    }),
    ("cut off the end", |bytes, random| {
        bytes.truncate(random.below(bytes.len()));
    }),
    ("remove a stretch", |bytes, random| {
        let range = range(bytes, random, 100);
        bytes.drain(range);
    }),
    ("insert noise", |bytes, random| {
        let at = random.below(bytes.len());
        let noise: Vec<u8> = (0..random.below(100))
            .map(|_| random.next().to_le_bytes()[0])
            .collect();
        bytes.splice(at..at, noise);
    }),
    ("repeat a stretch elsewhere", |bytes, random| {
        let copied = bytes[range(bytes, random, 100)].to_vec();
        let at = random.below(bytes.len());
        bytes.splice(at..at, copied);
    }),
];

fn range(bytes: &[u8], random: &mut Random, longest: usize) -> std::ops::Range<usize> {
    let start = random.below(bytes.len());
    let length = 1 + random.below(longest);
    start..(start + length).min(bytes.len())
}

/// The binaries of the wheel, one of each format.
fn libraries() -> Vec<(&'static str, Vec<u8>)> {
    let content = [
        fatbin(&[(false, 80), (true, 90)]),
        b"numpy.core._multiarray_umath\0_ARRAY_API".to_vec(),
    ]
    .concat();
    let library = Library {
        soname: Some("libdemo.so.1"),
        needed: &["libcudart.so.12", "libc10.so", "libc.so.6"],
        versions: &["GLIBC_2.17", "GLIBC_2.2.5"],
        symbols: &["PyInit__core", "_ZN3c105ErrorC1ERKSs"],
        run_path: Some("$ORIGIN"),
        content: &content,
    };
    let thin = mach_o(&library, true, (11, 0));
    let other = mach_o(&library, false, (10, 9));
    vec![
        ("demo/_a.cpython-311-x86_64-linux-gnu.so", elf(&library)),
        ("demo/_b.cpython-311-darwin.so", universal(&[&thin, &other])),
        ("demo/_c.cp311-win_amd64.pyd", pe(&library)),
        ("demo/libdemo.dylib", thin),
    ]
}

fn wheel(libraries: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let metadata = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n".to_vec();
    let files = [
        ("demo/__init__.py", b"x".to_vec()),
        ("demo-1.0.dist-info/METADATA", metadata),
    ];
    write_wheel(|writer, options| {
        for (path, bytes) in libraries.iter().chain(&files) {
            writer
                .start_file(*path, options.compression_method(method))
                .unwrap();
            writer.write_all(bytes).unwrap();
        }
    })
}

fn write_wheel(write: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>, SimpleFileOptions)) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    write(&mut writer, deflated);
    writer.finish().unwrap().into_inner()
}

/// The most memory that this process ever took, in KiB; `None` where the system does not say.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Scans, and says whether the wheel was accepted and how many problems it has.
fn scan(bytes: &[u8]) -> Option<usize> {
    scan_wheel(Cursor::new(bytes), NAME, &Limits::default())
        .ok()
        .map(|found| found.problems.len())
}

/// One test, so that nothing else runs in the process while memory is measured.
#[test]
fn corrupt_and_hostile_wheels_neither_panic_nor_take_much_memory() {
    let sound = wheel(&libraries(), CompressionMethod::Deflated);
    assert_eq!(scan(&sound), Some(0));
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    corrupt_archives(&sound, &mut random);
    corrupt_binaries(&mut random);
    scan_large_claims();
    if let Some(peak) = peak_memory() {
        assert!(peak < MOST_MEMORY, "the scans took {peak} KiB");
    }
}

/// The archive as a whole is damaged: most are refused, none is misread.
fn corrupt_archives(sound: &[u8], random: &mut Random) {
    for (what, corrupt) in CORRUPTIONS {
        let mut refused = 0;
        for _ in 0..ROUNDS {
            let mut bytes = sound.to_vec();
            corrupt(&mut bytes, random);
            refused += usize::from(scan(&bytes).is_none());
        }
        assert!(refused > ROUNDS / 10, "{what}: {refused} were refused");
    }
}

/// The binaries are damaged and the archive around them is sound: its checksums are
/// right, so that the damage reaches the parsers.
fn corrupt_binaries(random: &mut Random) {
    let sound = libraries();
    let mut problems = 0;
    for (what, corrupt) in CORRUPTIONS {
        for _ in 0..ROUNDS {
            let mut libraries = sound.clone();
            for (_, bytes) in &mut libraries {
                corrupt(bytes, random);
            }
            let found = scan(&wheel(&libraries, CompressionMethod::Stored));
            problems += found.unwrap_or_else(|| panic!("{what}: the archive is sound"));
        }
    }
    assert!(problems > ROUNDS, "{problems} problems were found");
}

/// Archives with as much to keep as one may have, and more.
fn scan_large_claims() {
    // A binary larger than what is kept of it.
    let bytes = write_wheel(|writer, options| {
        let library = Library {
            needed: &["libc.so.6"],
            ..Library::default()
        };
        writer.start_file("demo/_core.abi3.so", options).unwrap();
        writer.write_all(&elf(&library)).unwrap();
        for _ in 0..200 << 10 {
            writer.write_all(&[0; 1 << 10]).unwrap();
        }
    });
    assert_eq!(scan(&bytes), Some(0));

    // Nearly as large a directory as a scan accepts.
    let bytes = write_wheel(|writer, options| {
        for number in 0..60_000 {
            let path = format!("demo/_{number:0>60}.so");
            writer.start_file(path, options).unwrap();
        }
    });
    assert_eq!(scan(&bytes), Some(60_000));

    // Binaries that claim to need more names than can be kept.
    let names: Vec<String> = (0..256).map(|number| format!("{number:x>1000}")).collect();
    let needed: Vec<&str> = names.iter().map(String::as_str).collect();
    let library = elf(&Library {
        needed: &needed,
        ..Library::default()
    });
    let bytes = write_wheel(|writer, options| {
        for number in 0..500 {
            writer
                .start_file(format!("demo/_{number}.so"), options)
                .unwrap();
            writer.write_all(&library).unwrap();
        }
    });
    let refused = scan_wheel(Cursor::new(bytes), NAME, &Limits::default());
    assert!(matches!(refused, Err(ScanError::TooMuchDetail)));
}
