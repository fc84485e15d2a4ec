"""The recorded world: its files, and the pages made from it.

Kept in `benches/world`:

- `about.json`: what was recorded, for what, and when.
- `pages.json.xz`: for each name its files, as `[file name, upload time, Requires-Python,
  yanked]`; the last two are left out where there are none.
- `digests.bin`: the sha256 of each wheel that suits the target, 32 bytes each, in the same
  order. Those of the other files, most of the world's size, are made up from their names.
- `metadata.json.xz`: METADATA and shape of each wheel that a tool asked for.

No address is kept: pages are made with paths of this server alone, as long as those of a
large public index.
"""

import hashlib
import html
import json
import lzma
import pathlib
import re

from .wheel import Standin

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "world"
# Wheels for CPython 3.11 on Linux on x86-64: only these digests are kept.
SUITS = re.compile(
    r"-(?:[^-]*\bpy3[^-]*-none|[^-]*\bcp311-(?:cp311|abi3|none)|cp3\d+-abi3)"
    r"-(?:any|[^-]*linux[^-]*x86_64)\.whl$"
)
PRESET = 9 | lzma.PRESET_EXTREME


def normalise(name):
    """A distribution's name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def release(filename):
    """The normalised name and the version, as text, that a file name states."""
    if filename.endswith(".whl"):
        name, version = filename.split("-")[:2]
    else:
        stem = re.sub(r"\.(tar\.\w+|zip|tgz|egg|exe|rpm|msi)$", "", filename)
        name, _, version = stem.rpartition("-")
    return normalise(name), version


class File:
    """One file of a page."""

    __slots__ = ("name", "sha256", "time", "python", "yanked")

    def __init__(self, name, sha256, time, python=None, yanked=None):
        self.name, self.sha256, self.time = name, sha256, time
        self.python, self.yanked = python, yanked

    def path(self):
        """Where this server has the file: as deep and as long as on a large index."""
        mark = self.sha256[::-1]
        return f"packages/{mark[:2]}/{mark[2:4]}/{mark[4:]}/{self.name}"

    def row(self):
        row = [self.name, self.time, self.python, self.yanked]
        while row[-1] is None:
            row.pop()
        return row


class World:
    """Pages, METADATA and wheels by name."""

    def __init__(self):
        self.about, self.pages, self.metadata, self.shapes = {}, {}, {}, {}
        self._texts, self._wheels, self._releases, self._digests = {}, {}, None, {}

    @classmethod
    def load(cls, folder=FOLDER):
        """Reads a world; raises `SystemExit` with what to do where there is none."""
        world = cls()
        try:
            world.about = json.loads((folder / "about.json").read_text())
            pages = json.loads(lzma.decompress((folder / "pages.json.xz").read_bytes()))
            digests = (folder / "digests.bin").read_bytes()
            kept = json.loads(lzma.decompress((folder / "metadata.json.xz").read_bytes()))
        except FileNotFoundError as error:
            raise SystemExit(f"no recorded world: {error.filename}; make one with benches/record")
        place = 0
        for name, rows in pages.items():
            files = []
            for row in rows:
                if SUITS.search(row[0]):
                    digest, place = digests[place : place + 32].hex(), place + 32
                else:
                    digest = hashlib.sha256(row[0].encode()).hexdigest()
                files.append(File(row[0], digest, *row[1:]))
            world.pages[name] = files
        for name, shape, text in kept:
            world.shapes[name] = shape
            world.metadata[name] = text.encode("utf-8", "surrogateescape")
        return world

    def save(self, folder=FOLDER):
        """Writes the world's files."""
        folder.mkdir(parents=True, exist_ok=True)
        pages, digests = {}, bytearray()
        for name in sorted(self.pages):
            pages[name] = [file.row() for file in self.pages[name]]
            for file in filter(lambda file: SUITS.search(file.name), self.pages[name]):
                digests += bytes.fromhex(file.sha256)
        # Releases of one distribution beside each other pack best.
        names = sorted(self.metadata, key=lambda name: (release(name)[0], name))
        kept = [
            [name, self.shapes[name], self.metadata[name].decode("utf-8", "surrogateescape")]
            for name in names
        ]
        (folder / "about.json").write_text(json.dumps(self.about, indent=1) + "\n")
        (folder / "digests.bin").write_bytes(digests)
        for file, value in (("pages", pages), ("metadata", kept)):
            text = json.dumps(value, separators=(",", ":")).encode()
            (folder / f"{file}.json.xz").write_bytes(lzma.compress(text, preset=PRESET))

    def text(self, filename):
        """METADATA of a wheel and whether it was recorded, or `(None, False)`.

        What no tool asked for when the world was recorded is told from another wheel of the
        same release, or else stood in for by the headers of another release's.
        """
        if filename in self.metadata:
            return self.metadata[filename], True
        name, version = release(filename)
        if (name, version) not in self._texts:
            self._texts[name, version] = self._stand_in(name, version)
        return self._texts[name, version]

    def _stand_in(self, name, version):
        if self._releases is None:
            self._releases = {}
            for filename in self.metadata:
                other, number = release(filename)
                self._releases.setdefault(other, {}).setdefault(number, filename)
        known = self._releases.get(name)
        if not known:
            return None, False
        if version in known:
            return self.metadata[known[version]], True
        key = [int(part) for part in re.findall(r"\d+", version)]
        near = min(known, key=lambda other: (_distance(key, other), other))
        head = self.metadata[known[near]].split(b"\n\n", 1)[0] + b"\n"
        return re.sub(rb"(?m)^Version:.*$", b"Version: " + version.encode(), head, count=1), False

    def digest(self, filename):
        """The sha256 of what `text` gives, or `None`."""
        text, _ = self.text(filename)
        if text is None:
            return None
        if id(text) not in self._digests:
            self._digests[id(text)] = hashlib.sha256(text).hexdigest()
        return self._digests[id(text)]

    def wheel(self, filename):
        """The bytes of a wheel, as far as they are known, or `None`."""
        if filename not in self._wheels:
            text, _ = self.text(filename)
            made = None
            if text is not None:
                name = filename.split("-")
                entry = f"{name[0]}-{name[1]}.dist-info/METADATA"
                shape = {"length": 1 << 20, "directory": (1 << 20) - 8192, "entries": 60}
                shape |= {"at": 1 << 19, "entry": entry}
                made = Standin(text, self.shapes.get(filename, shape))
            self._wheels[filename] = made
        return self._wheels[filename]

    def json_page(self, name, sidecars=True):
        """The page as PEP 691 has it, with the keys a large public index gives."""
        files, seen = [], {}
        for file in self.pages[name]:
            core = False
            if file.name.endswith(".whl") and sidecars:
                core = {"sha256": self.digest(file.name) or file.sha256[::-1]}
            seen.setdefault(release(file.name)[1], None)
            shape = self.shapes.get(file.name)
            # The length of what no tool asked for was not recorded: one is made up.
            length = shape["length"] if shape else int(file.sha256[:5], 16) + 100_000
            files.append(
                {
                    "core-metadata": core,
                    "data-dist-info-metadata": core,
                    "filename": file.name,
                    "hashes": {"sha256": file.sha256},
                    "provenance": None,
                    "requires-python": file.python,
                    "size": length,
                    "upload-time": file.time,
                    "url": f"/{file.path()}",
                    "yanked": file.yanked if file.yanked is not None else False,
                }
            )
        page = {"files": files, "meta": {"api-version": "1.1"}, "name": name}
        return json.dumps(page | {"versions": list(seen)}, separators=(",", ":")).encode()

    def html_page(self, name, sidecars=False):
        """The page as PEP 503 has it, with upload times."""
        lines = [f"<!DOCTYPE html>\n<html>\n<head><title>Links for {name}</title></head>\n<body>"]
        lines.append(f"<h1>Links for {name}</h1>")
        for file in self.pages[name]:
            more = f' data-upload-time="{file.time}"'
            if file.python:
                more += f' data-requires-python="{html.escape(file.python)}"'
            if file.yanked is not None:
                reason = file.yanked if isinstance(file.yanked, str) else ""
                more += f' data-yanked="{html.escape(reason)}"'
            if sidecars and file.name.endswith(".whl"):
                digest = self.digest(file.name)
                if digest:
                    more += f' data-core-metadata="sha256={digest}"'
            lines.append(
                f'<a href="../../{file.path()}#sha256={file.sha256}"{more}>{file.name}</a><br/>'
            )
        lines.append("</body>\n</html>\n")
        return "\n".join(lines).encode()


def _distance(key, version):
    other = [int(part) for part in re.findall(r"\d+", version)]
    width = max(len(key), len(other))
    pairs = zip(key + [0] * (width - len(key)), other + [0] * (width - len(other)))
    return [abs(one - two) for one, two in pairs] + [0] * (8 - width)
