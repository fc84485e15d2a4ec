//! ELF: the dynamic segment, its strings, and the symbol versions it needs.

use object::elf;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::{Endianness, ReadRef};

use super::{HeaderError, Headers, LONGEST, MOST, add, name, note_symbols};
use crate::scan::window::Window;

/// No library needs so many versions; a hostile one may claim to.
const MOST_VERSIONS: u32 = 65_536;

/// Where the dynamic segment says its tables are.
#[derive(Default)]
struct Tables {
    strings: Option<u64>,
    strings_size: u64,
    versions: Option<u64>,
    versions_count: u64,
}

pub(super) fn parse<Elf: FileHeader<Endian = Endianness>>(
    window: &Window,
    headers: &mut Headers,
) -> Result<(), HeaderError> {
    let header = Elf::parse(window)?;
    let endian = header.endian()?;
    headers
        .architectures
        .extend(architecture(header.e_machine(endian)).map(str::to_owned));

    let segments = header.program_headers(endian, window)?;
    let mut entries: &[Elf::Dyn] = &[];
    for segment in segments {
        if let Some(found) = segment.dynamic(endian, window)? {
            entries = found;
        }
    }
    let mut tables = Tables::default();
    for entry in entries {
        let value = entry.val(endian);
        match entry.tag(endian) {
            elf::DT_STRTAB => tables.strings = file_offset(segments, endian, value),
            elf::DT_STRSZ => tables.strings_size = value,
            elf::DT_VERNEED => tables.versions = file_offset(segments, endian, value),
            elf::DT_VERNEEDNUM => tables.versions_count = value,
            _ => {}
        }
    }
    let Some(strings) = tables.strings else {
        return Ok(());
    };
    let strings = window
        .read_bytes_at(strings, tables.strings_size)
        .map_err(|()| HeaderError::OutOfReach)?;
    for entry in entries {
        let value = || string_at(strings, entry.val(endian));
        match entry.tag(endian) {
            elf::DT_NEEDED => add(&mut headers.needed, value()?),
            elf::DT_SONAME => headers.soname = Some(value()?),
            elf::DT_RPATH | elf::DT_RUNPATH => {
                for path in value()?.split(':') {
                    add(&mut headers.run_paths, path.to_owned());
                }
            }
            _ => {}
        }
    }
    if let Some(start) = tables.versions {
        note_versions(window, endian, start, &tables, strings, headers);
    }
    note_symbols(strings, headers);
    Ok(())
}

/// Where the dynamic segment is: offset and length in the file.
pub(super) fn dynamic_range<Elf: FileHeader<Endian = Endianness>>(
    window: &Window,
) -> Option<(u64, u64)> {
    let header = Elf::parse(window).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, window).ok()?;
    segments
        .iter()
        .find(|segment| segment.p_type(endian) == elf::PT_DYNAMIC)
        .map(|segment| segment.file_range(endian))
}

/// Follows the chain of needed versions (LSB 5.0, section 10.7.3); a chain that
/// breaks off ends there.
fn note_versions(
    window: &Window,
    endian: Endianness,
    start: u64,
    tables: &Tables,
    strings: &[u8],
    headers: &mut Headers,
) {
    let mut at = start;
    let mut left = MOST_VERSIONS;
    for _ in 0..tables.versions_count {
        let Ok(file) = window.read_at::<elf::Verneed<Endianness>>(at) else {
            return;
        };
        let mut auxiliary_at = at.saturating_add(file.vn_aux.get(endian).into());
        for _ in 0..file.vn_cnt.get(endian) {
            let Ok(auxiliary) = window.read_at::<elf::Vernaux<Endianness>>(auxiliary_at) else {
                return;
            };
            if let Ok(name) = string_at(strings, auxiliary.vna_name.get(endian).into())
                && headers.symbol_versions.len() < MOST
            {
                headers.symbol_versions.insert(name);
            }
            let next = u64::from(auxiliary.vna_next.get(endian));
            auxiliary_at = auxiliary_at.saturating_add(next);
            left = left.saturating_sub(1);
            if next == 0 || left == 0 {
                break;
            }
        }
        let next = u64::from(file.vn_next.get(endian));
        at = at.saturating_add(next);
        if next == 0 || left == 0 {
            return;
        }
    }
}

/// The offset in the file at which an address is loaded from.
fn file_offset<Header: ProgramHeader<Endian = Endianness>>(
    segments: &[Header],
    endian: Endianness,
    address: u64,
) -> Option<u64> {
    segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .find_map(|segment| {
            let into = address.checked_sub(segment.p_vaddr(endian).into())?;
            (into < segment.p_filesz(endian).into())
                .then(|| segment.p_offset(endian).into().checked_add(into))?
        })
}

fn string_at(strings: &[u8], at: u64) -> Result<String, HeaderError> {
    let rest = usize::try_from(at)
        .ok()
        .and_then(|at| strings.get(at..))
        .ok_or(HeaderError::OutOfReach)?;
    let rest = rest.get(..=LONGEST).unwrap_or(rest);
    let length = memchr::memchr(0, rest).ok_or(HeaderError::TooLong)?;
    name(rest.get(..length).unwrap_or_default())
}

fn architecture(machine: elf::Machine) -> Option<&'static str> {
    Some(match machine {
        elf::EM_X86_64 => "x86_64",
        elf::EM_386 => "i686",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_ARM => "armv7l",
        elf::EM_PPC64 => "ppc64le",
        elf::EM_S390 => "s390x",
        elf::EM_RISCV => "riscv64",
        elf::EM_LOONGARCH => "loongarch64",
        _ => return None,
    })
}
