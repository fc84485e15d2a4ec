//! Small shared libraries, put together byte by byte.

/// What a library is to say of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Library<'a> {
    /// The name under which others need it.
    pub(super) soname: Option<&'a str>,
    /// The libraries it needs.
    pub(super) needed: &'a [&'a str],
    /// The symbol versions it needs (ELF).
    pub(super) versions: &'a [&'a str],
    /// The names of its symbols.
    pub(super) symbols: &'a [&'a str],
    /// Where the loader is to look.
    pub(super) run_path: Option<&'a str>,
    /// What it holds besides.
    pub(super) content: &'a [u8],
}

/// Names behind each other, each at an offset.
struct Strings(Vec<u8>);

impl Strings {
    fn new() -> Self {
        Self(vec![0])
    }

    fn add(&mut self, text: &str) -> u32 {
        let at = length(&self.0);
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        at
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("it is small")
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

fn put16(bytes: &mut Vec<u8>, values: &[u16]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put32(bytes: &mut Vec<u8>, values: &[u32]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn put64(bytes: &mut Vec<u8>, values: &[u64]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// A 64-bit ELF library for x86_64; its dynamic segment stands at the end, behind `content`.
pub(super) fn elf(library: &Library<'_>) -> Vec<u8> {
    const HEADERS: usize = 64 + 2 * 56;
    let mut strings = Strings::new();
    let mut dynamic = Vec::new();
    for name in library.needed {
        put64(&mut dynamic, &[1, strings.add(name).into()]);
    }
    if let Some(name) = library.soname {
        put64(&mut dynamic, &[14, strings.add(name).into()]);
    }
    if let Some(path) = library.run_path {
        put64(&mut dynamic, &[29, strings.add(path).into()]);
    }
    for symbol in library.symbols {
        strings.add(symbol);
    }
    let mut versions = Vec::new();
    let count = u16::try_from(library.versions.len()).expect("they are few");
    put16(&mut versions, &[1, count]);
    put32(&mut versions, &[strings.add("libc.so.6"), 16, 0]);
    for (position, version) in library.versions.iter().enumerate() {
        put32(&mut versions, &[0, 0, strings.add(version)]);
        let last = position + 1 == library.versions.len();
        put32(&mut versions, &[if last { 0 } else { 16 }]);
    }

    let strings_at = HEADERS as u64;
    let mut bytes = vec![0; HEADERS];
    bytes.extend_from_slice(&strings.0);
    align(&mut bytes, 8);
    let versions_at = bytes.len() as u64;
    bytes.extend_from_slice(&versions);
    bytes.extend_from_slice(library.content);
    align(&mut bytes, 8);
    let dynamic_at = bytes.len() as u64;
    put64(&mut dynamic, &[5, strings_at, 10, strings.0.len() as u64]);
    if count > 0 {
        put64(&mut dynamic, &[0x6fff_fffe, versions_at, 0x6fff_ffff, 1]);
    }
    put64(&mut dynamic, &[0, 0]);
    bytes.extend_from_slice(&dynamic);

    let mut headers = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    put16(&mut headers, &[3, 62]);
    put32(&mut headers, &[1]);
    put64(&mut headers, &[0, 64, 0]);
    put32(&mut headers, &[0]);
    put16(&mut headers, &[64, 56, 2, 64, 0, 0]);
    for (kind, start, size) in [
        (1, 0, bytes.len() as u64),
        (2, dynamic_at, dynamic.len() as u64),
    ] {
        put32(&mut headers, &[kind, 4]);
        put64(&mut headers, &[start, start, start, size, size, 8]);
    }
    bytes[..HEADERS].copy_from_slice(&headers);
    bytes
}

/// A 64-bit Mach-O library that asks for a macOS of at least `macos`.
pub(super) fn mach_o(library: &Library<'_>, arm64: bool, macos: (u32, u32)) -> Vec<u8> {
    let mut commands: Vec<Vec<u8>> = Vec::new();
    let mut dylib = |kind: u32, header: u32, name: &str| {
        let mut command = Vec::new();
        let size = (header + length(name.as_bytes()) + 1).next_multiple_of(8);
        put32(&mut command, &[kind, size, header]);
        command.resize(header as usize, 0);
        command.extend_from_slice(name.as_bytes());
        command.resize(size as usize, 0);
        commands.push(command);
    };
    if let Some(name) = library.soname {
        dylib(0xd, 24, name);
    }
    for name in library.needed {
        dylib(0xc, 24, name);
    }
    if let Some(path) = library.run_path {
        dylib(0x8000_001c, 12, path);
    }
    let mut build = Vec::new();
    put32(
        &mut build,
        &[0x32, 24, 1, macos.0 << 16 | macos.1 << 8, 0, 0],
    );
    commands.push(build);
    let mut strings = Strings::new();
    for symbol in library.symbols {
        strings.add(&format!("_{symbol}"));
    }
    let size = commands.iter().map(|command| length(command)).sum::<u32>() + 24;
    let mut symbols = Vec::new();
    put32(&mut symbols, &[2, 24, 0, 0, 32 + size, length(&strings.0)]);
    commands.push(symbols);

    let mut bytes = Vec::new();
    let cpu = if arm64 { 0x0100_000c } else { 0x0100_0007 };
    let count = u32::try_from(commands.len()).expect("they are few");
    put32(&mut bytes, &[0xfeed_facf, cpu, 0, 6, count, size, 0, 0]);
    bytes.extend(commands.concat());
    bytes.extend_from_slice(&strings.0);
    bytes.extend_from_slice(library.content);
    bytes
}

/// A universal binary of thin ones.
pub(super) fn universal(slices: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut content = Vec::new();
    let mut put = |values: &[u32]| bytes.extend(values.iter().flat_map(|v| v.to_be_bytes()));
    put(&[
        0xcafe_babe,
        u32::try_from(slices.len()).expect("they are few"),
    ]);
    for slice in slices {
        content.resize(content.len().next_multiple_of(64), 0);
        let cpu: [u8; 4] = slice[4..8].try_into().expect("it has a header");
        let offset = 256 + length(&content);
        put(&[u32::from_le_bytes(cpu), 0, offset, length(slice), 6]);
        content.extend_from_slice(slice);
    }
    bytes.resize(256, 0);
    bytes.extend(content);
    bytes
}

/// A 64-bit Windows library; `needed` and `symbols` are what it imports and exports.
pub(super) fn pe(library: &Library<'_>) -> Vec<u8> {
    const ADDRESS: u32 = 0x1000;
    const OFFSET: u32 = 0x400;
    let imports_size = 20 * (u32::try_from(library.needed.len()).expect("they are few") + 1);
    let mut names = Vec::new();
    let mut section = Vec::new();
    for name in library.needed {
        let at = ADDRESS + imports_size + length(&names);
        put32(&mut section, &[0, 0, 0, at, 0]);
        names.extend_from_slice(name.as_bytes());
        names.push(0);
    }
    put32(&mut section, &[0; 5]);
    section.extend(names);
    let exports_at = length(&section);
    section.extend([0; 40]);
    for symbol in library.symbols {
        section.extend_from_slice(symbol.as_bytes());
        section.push(0);
    }
    let exports_size = length(&section) - exports_at;
    section.extend_from_slice(library.content);
    let size = length(&section);

    let mut bytes = b"MZ".to_vec();
    bytes.resize(60, 0);
    put32(&mut bytes, &[64]);
    bytes.extend_from_slice(b"PE\0\0");
    put16(&mut bytes, &[0x8664, 1]);
    put32(&mut bytes, &[0, 0, 0]);
    put16(&mut bytes, &[240, 0x2022]);
    let optional = bytes.len();
    put16(&mut bytes, &[0x20b]);
    bytes.resize(optional + 32, 0);
    put32(&mut bytes, &[0x1000, 0x200]);
    bytes.resize(optional + 108, 0);
    put32(&mut bytes, &[16]);
    put32(&mut bytes, &[ADDRESS + exports_at, exports_size]);
    put32(&mut bytes, &[ADDRESS, imports_size]);
    bytes.resize(optional + 240, 0);
    bytes.extend_from_slice(b".rdata\0\0");
    put32(&mut bytes, &[size, ADDRESS, size, OFFSET, 0, 0, 0, 0]);
    bytes.resize(OFFSET as usize, 0);
    bytes.extend(section);
    bytes
}

/// An NVIDIA container with an entry for each architecture: PTX or machine code.
pub(super) fn fatbin(entries: &[(bool, u32)]) -> Vec<u8> {
    const PAYLOAD: u32 = 40;
    let mut content = Vec::new();
    for (ptx, architecture) in entries {
        put16(&mut content, &[if *ptx { 1 } else { 2 }, 0x101]);
        put32(&mut content, &[64, PAYLOAD, 0, 0, 0, 0, *architecture]);
        content.resize(content.len() + 32 + PAYLOAD as usize, 0);
    }
    let mut bytes = Vec::new();
    put32(&mut bytes, &[0xba55_ed50]);
    put16(&mut bytes, &[1, 16]);
    put64(&mut bytes, &[content.len() as u64]);
    bytes.extend(content);
    bytes
}
