//! Portable Executable: import and export tables.

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{DataDirectories, ImageNtHeaders, SectionTable};

use super::{HeaderError, Headers, add, name, note_symbols};
use crate::scan::window::Window;

pub(super) fn parse<Pe: ImageNtHeaders>(
    window: &Window,
    headers: &mut Headers,
) -> Result<(), HeaderError> {
    let mut offset = pe::ImageDosHeader::parse(window)?
        .nt_headers_offset()
        .into();
    let (nt, directories) = Pe::parse(window, &mut offset)?;
    let sections = nt.sections(window, offset)?;
    headers
        .architectures
        .extend(architecture(nt.file_header().machine.get(LE)).map(str::to_owned));
    note_imports(window, &directories, &sections, headers)?;
    // The names of what is exported stand together in the directory itself.
    if let Some(exports) = directories.get(pe::IMAGE_DIRECTORY_ENTRY_EXPORT)
        && let Ok(names) = exports.data(window, &sections)
    {
        note_symbols(names, headers);
    }
    Ok(())
}

fn note_imports(
    window: &Window,
    directories: &DataDirectories<'_>,
    sections: &SectionTable<'_>,
    headers: &mut Headers,
) -> Result<(), HeaderError> {
    if let Some(table) = directories.import_table(window, sections)? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            add(
                &mut headers.needed,
                name(table.name(descriptor.name.get(LE))?)?,
            );
        }
    }
    if let Some(table) = directories.delay_load_import_table(window, sections)? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            add(
                &mut headers.needed,
                name(table.name(descriptor.dll_name_rva.get(LE))?)?,
            );
        }
    }
    Ok(())
}

fn architecture(machine: pe::Machine) -> Option<&'static str> {
    Some(match machine {
        pe::IMAGE_FILE_MACHINE_AMD64 => "amd64",
        pe::IMAGE_FILE_MACHINE_I386 => "win32",
        pe::IMAGE_FILE_MACHINE_ARM64 => "arm64",
        _ => return None,
    })
}
