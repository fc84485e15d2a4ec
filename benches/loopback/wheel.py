"""Wheels of which only METADATA is known: read from a server, and served again.

What no lock depends on is masked in METADATA. A recorded wheel is described by its length,
the place of METADATA in it, and how long its central directory is and how many entries that
has. From this `Standin` makes a file of the same length that holds METADATA and a central
directory of the same size where the real wheel has them, with made-up names for the other
entries and zeros for everything else. So a reader by byte ranges moves about the bytes that
it would move for the real wheel (masked text packs better, by some kilobytes).
"""

import io
import re
import struct
import urllib.request
import zipfile
import zlib

# How much of a wheel's end is read at first.
TAIL = 1 << 17
END = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")
DEFLATED = 8
EARLIEST = (1 << 5) | 1  # 1980-01-01, the first day a zip file can name


class Remote(io.RawIOBase):
    """A file on a server, read by byte ranges, with its end kept."""

    def __init__(self, url, timeout=60):
        self.url, self.timeout, self.place = url, timeout, 0
        body, headers = self._ask(f"bytes=-{TAIL}")
        told = headers.get("Content-Range", f"/{len(body)}")
        self.length = int(told.rsplit("/", 1)[1])
        self.start, self.end = self.length - len(body), body

    def _ask(self, byte_range):
        request = urllib.request.Request(
            self.url, headers={"Range": byte_range, "Accept-Encoding": "identity"}
        )
        with urllib.request.urlopen(request, timeout=self.timeout) as answer:
            if answer.status != 206 and int(answer.headers.get("Content-Length", 0)) > 1 << 26:
                raise OSError("the server does not answer byte ranges")
            return answer.read(), answer.headers

    def seekable(self):
        return True

    def readable(self):
        return True

    def tell(self):
        return self.place

    def seek(self, offset, whence=io.SEEK_SET):
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.length}[whence]
        self.place = max(0, base + offset)
        return self.place

    def readinto(self, buffer):
        size = min(len(buffer), self.length - self.place)
        if size <= 0:
            return 0
        if self.place < self.start:
            stop = min(self.place + max(size, 1 << 15), self.length) - 1
            body, _ = self._ask(f"bytes={self.place}-{stop}")
            body = body[:size]
        else:
            body = self.end[self.place - self.start :][:size]
        buffer[: len(body)] = body
        self.place += len(body)
        return len(body)


# The fields of METADATA that a lock can depend on.
TELLING = re.compile(
    rb"(?i)(metadata-version|name|version|requires-python|requires-dist|provides-extra|dynamic"
    rb"|requires-external|provides-dist|obsoletes-dist|platform|supported-platform)$"
)


def mask(text):
    """METADATA with all that no lock depends on replaced by as many letters `x`.

    Descriptions, addresses and people's names are no business of a benchmark; their length is.
    """
    head, gap, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    lines, told = [], False
    for line in head.split(b"\n"):
        field, colon, _ = line.partition(b":")
        if not line[:1].isspace():
            told = bool(TELLING.match(field))
        if told:
            lines.append(line)
        elif line[:1].isspace() or not colon:
            lines.append(line[:1] + b"x" * len(line[1:]))
        else:
            lines.append((field + b": ").ljust(len(line), b"x")[: max(len(line), len(field) + 1)])
    return b"\n".join(lines) + gap + re.sub(rb"[^\n]", b"x", body)


def describe(url):
    """METADATA of the wheel at `url`, masked, and the shape of the wheel."""
    remote = Remote(url)
    with zipfile.ZipFile(io.BufferedReader(remote, 1 << 15)) as wheel:
        found = [
            entry
            for entry in wheel.infolist()
            if entry.filename.endswith(".dist-info/METADATA") and entry.filename.count("/") == 1
        ]
        if len(found) != 1:
            raise ValueError(f"{len(found)} METADATA files in the wheel")
        text = mask(wheel.read(found[0]))
        shape = {
            "length": remote.length,
            "directory": wheel.start_dir,
            "entries": len(wheel.infolist()),
            "at": found[0].header_offset,
            "entry": found[0].filename,
        }
    return text, shape


class Standin:
    """The bytes of a wheel made from its METADATA and its shape."""

    def __init__(self, text, shape):
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(text) + packer.flush()
        name = shape["entry"].encode()
        fields = (DEFLATED, 0, EARLIEST, zlib.crc32(text), len(packed), len(text), len(name), 0)
        self.member = LOCAL.pack(b"PK\3\4", 20, 0, *fields) + name + packed
        self.length = shape["length"]
        directory_at = min(shape["directory"], self.length - END.size)
        room = self.length - END.size - directory_at
        self.at = max(0, min(shape["at"], directory_at - len(self.member)))
        entry = CENTRAL.pack(b"PK\1\2", 20, 20, 0, *fields, 0, 0, 0, 0, self.at) + name
        others = _others(shape["entries"] - 1, room - len(entry))
        directory = b"".join(others) + entry
        # What no entry could fill stands as the file's comment.
        spare = min(max(room - len(directory), 0), 0xFFFF)
        directory_at = self.length - END.size - spare - len(directory)
        count = min(len(others) + 1, 0xFFFF)
        end = END.pack(b"PK\5\6", 0, 0, count, count, len(directory), directory_at, spare)
        self.tail_at = directory_at
        self.tail = directory + end + bytes(spare)

    def read(self, start, stop):
        """The bytes from `start` up to `stop`, which lies within the file."""
        piece = bytearray(stop - start)
        for at, body in ((self.at, self.member), (self.tail_at, self.tail)):
            low, high = max(start, at), min(stop, at + len(body))
            if low < high:
                piece[low - start : high - start] = body[low - at : high - at]
        return bytes(piece)


def _others(count, room):
    """Directory entries with made-up names that fill `room` bytes together."""
    shortest = CENTRAL.size + 8
    count = max(0, min(count, room // shortest, 0xFFFE))
    entries = []
    for number in range(count):
        share = room // (count - number)
        room -= share
        name = f"{number:07x}/".ljust(min(share - CENTRAL.size, 0xFFFF), "x").encode()
        sizes = (0, 0, EARLIEST, 0, 0, 0, len(name), 0)
        entries.append(CENTRAL.pack(b"PK\1\2", 20, 20, 0, *sizes, 0, 0, 0, 0, 0) + name)
    return entries
