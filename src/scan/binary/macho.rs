//! Mach-O: load commands, of every architecture in the file.

use object::macho;
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile};
use object::{Endianness, FileKind, ReadRef};

use super::{HeaderError, Headers, add, name, note_symbols};
use crate::scan::window::Window;

pub(super) fn parse_fat<Arch: FatArch>(
    window: &Window,
    headers: &mut Headers,
) -> Result<(), HeaderError> {
    let fat = MachOFatFile::<Arch>::parse(window)?;
    for arch in fat.arches().iter().take(16) {
        parse_slice(window, arch.offset().into(), headers)?;
    }
    Ok(())
}

pub(super) fn parse_thin(window: &Window, headers: &mut Headers) -> Result<(), HeaderError> {
    parse_slice(window, 0, headers)
}

fn parse_slice(window: &Window, offset: u64, headers: &mut Headers) -> Result<(), HeaderError> {
    let length = ReadRef::len(window).map_err(|()| HeaderError::OutOfReach)?;
    if offset >= length {
        return Err(HeaderError::OutOfReach);
    }
    match FileKind::parse_at(window, offset)? {
        FileKind::MachO32 => {
            parse_header::<macho::MachHeader32<Endianness>>(window, offset, headers)
        }
        FileKind::MachO64 => {
            parse_header::<macho::MachHeader64<Endianness>>(window, offset, headers)
        }
        _ => Err(HeaderError::OutOfReach),
    }
}

fn parse_header<Header: MachHeader<Endian = Endianness>>(
    window: &Window,
    offset: u64,
    headers: &mut Headers,
) -> Result<(), HeaderError> {
    let header = Header::parse(window, offset)?;
    let endian = header.endian()?;
    headers
        .architectures
        .extend(architecture(header.cputype(endian)).map(str::to_owned));
    let mut commands = header.load_commands(endian, window, offset)?;
    let mut symbols = None;
    while let Some(command) = commands.next()? {
        let string = |at| command.string(endian, at).map_err(HeaderError::from);
        match command.variant()? {
            LoadCommandVariant::Dylib(dylib) => {
                add(&mut headers.needed, name(string(dylib.dylib.name)?)?);
            }
            LoadCommandVariant::IdDylib(dylib) => {
                headers.soname = Some(name(string(dylib.dylib.name)?)?);
            }
            LoadCommandVariant::Rpath(rpath) => {
                add(&mut headers.run_paths, name(string(rpath.path)?)?);
            }
            LoadCommandVariant::BuildVersion(build, _)
                if build.platform.get(endian) == macho::PLATFORM_MACOS =>
            {
                note_macos(headers, build.minos.get(endian));
            }
            LoadCommandVariant::VersionMin(version)
                if command.cmd() == macho::LC_VERSION_MIN_MACOSX =>
            {
                note_macos(headers, version.version.get(endian));
            }
            LoadCommandVariant::Symtab(table) => symbols = Some(table),
            _ => {}
        }
    }
    if let Some(table) = symbols {
        let start = offset.saturating_add(table.stroff.get(endian).into());
        if let Ok(strings) = window.read_bytes_at(start, table.strsize.get(endian).into()) {
            note_symbols(strings, headers);
        }
    }
    Ok(())
}

/// The newest of what the architectures ask for would not be right for each of
/// them: arm64 always asks for 11.0. The oldest is what the file runs on.
fn note_macos(headers: &mut Headers, version: macho::Version) {
    let version = (version.major(), u16::from(version.minor()));
    headers.macos = Some(headers.macos.map_or(version, |known| known.min(version)));
}

fn architecture(cpu: macho::CpuType) -> Option<&'static str> {
    Some(match cpu {
        macho::CPU_TYPE_X86_64 => "x86_64",
        macho::CPU_TYPE_X86 => "i386",
        macho::CPU_TYPE_ARM64 => "arm64",
        _ => return None,
    })
}
