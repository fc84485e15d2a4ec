#!/usr/bin/env python3
"""Gives the locks of the users' stacks to pip and uv, with small stand-ins for the wheels.

For each row the stack is locked against the real index. Then an index on loopback serves
a small wheel for each locked one: the same file name (so the same tags) and the same
METADATA, read from the real wheel by byte ranges, but no code. The stack is locked again
against that index; the set must be the same, and `pip install --dry-run --require-hashes
--no-deps` and `uv pip install --dry-run` must take requirements.txt and pylock.toml.

    python3 tests/peers/install.py --mlresolve target/release/mlresolve --uv PATH --pip PATH [ROW ...]

Needs the network, and a pip that reads pylock files (26.1 or later). Exits with 1 where
a file is not taken.
"""

import argparse
import base64
import hashlib
import html
import http.server
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import tomllib
import urllib.parse
import urllib.request
import zipfile

from reproduce import CUTOFF, PLATFORM, ROWS, STACKS

PIP_PLATFORMS = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)]
PIP_PLATFORMS += [f"manylinux{name}_x86_64" for name in ("2014", "2010", "1")] + ["linux_x86_64"]


class Remote(io.RawIOBase):
    """A file that a server has, read by ranges, with the end of it kept."""

    def __init__(self, url):
        self.url, self.place = url, 0
        request = urllib.request.Request(url, headers={"Range": f"bytes=-{1 << 16}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            self.end = answer.read()
            told = answer.headers.get("Content-Range", f"/{len(self.end)}")
        self.size = int(told.rsplit("/", 1)[1])
        self.start = self.size - len(self.end)

    def range(self, start, stop):
        request = urllib.request.Request(self.url, headers={"Range": f"bytes={start}-{stop - 1}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            body = answer.read()
        return body if answer.status == 206 else body[start:stop]

    def seekable(self):
        return True

    def readable(self):
        return True

    def seek(self, offset, whence=0):
        self.place = offset + (0, self.place, self.size)[whence]
        return self.place

    def tell(self):
        return self.place

    def read(self, count=-1):
        stop = self.size if count < 0 else min(self.size, self.place + count)
        if stop <= self.place:
            return b""
        if self.place >= self.start:
            body = self.end[self.place - self.start : stop - self.start]
        else:
            body = self.range(self.place, stop)
        self.place = stop
        return body


def metadata_of(url):
    with zipfile.ZipFile(Remote(url)) as wheel:
        name = next(n for n in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n))
        return wheel.read(name).decode("utf-8", "replace")


def stand_in(filename, metadata):
    """A wheel of that name with that METADATA and nothing else; the same bytes each time."""
    tags = filename[: -len(".whl")].split("-")[-3:]
    folder = "-".join(filename.split("-")[:2]) + ".dist-info"
    lines = ["Wheel-Version: 1.0", "Generator: stand-in", "Root-Is-Purelib: false"]
    for python in tags[0].split("."):
        for abi in tags[1].split("."):
            lines += [f"Tag: {python}-{abi}-{platform}" for platform in tags[2].split(".")]
    files = {f"{folder}/METADATA": metadata, f"{folder}/WHEEL": "\n".join(lines) + "\n"}
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{name},sha256={digest.decode()},{len(text.encode())}\n"
    files[f"{folder}/RECORD"] = record + f"{folder}/RECORD,,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
    return packed.getvalue()


class Index(http.server.BaseHTTPRequestHandler):
    pages, wheels = {}, {}

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        body, kind = self.wheels.get(path.removeprefix("/files/")), "application/octet-stream"
        if body is None and path.startswith("/simple/"):
            files, kind = self.pages.get(path.split("/")[2]), "text/html"
            body = files and "".join(
                f'<a href="/files/{urllib.parse.quote(name)}#sha256={digest}" '
                f'data-upload-time="{time}">{html.escape(name)}</a>\n'
                for name, digest, time in sorted(files)
            ).encode()
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


def run(command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)


def lock(program, stack, python, output, *more):
    command = [program, "lock", stack, "-o", output, "-q", "--python-version", python]
    command += ["--python-platform", PLATFORM, "--exclude-newer", CUTOFF, *more]
    done = run(command, cwd=STACKS)
    if done.returncode:
        raise SystemExit(f"{stack}: no lock\n{done.stderr}")
    return output


def pins(path):
    packages = tomllib.loads(path.read_text())["packages"]
    return {package["name"]: package["version"] for package in packages}


def serve(path, known):
    for package in tomllib.loads(path.read_text())["packages"]:
        wheels = package.get("wheels") or []
        if not wheels:
            return f"{package['name']} has no wheel, so that it has no stand-in"
        for wheel in wheels:
            filename = urllib.parse.unquote(wheel["url"].rsplit("/", 1)[1])
            release = (package["name"], package["version"])
            if release not in known:
                known[release] = metadata_of(wheel["url"])
            if filename not in known:
                known[filename] = stand_in(filename, known[release])
            digest = hashlib.sha256(known[filename]).hexdigest()
            time = wheel.get("upload-time", "2020-01-01T00:00:00Z")
            entry = (filename, digest, str(time).replace(" ", "T"))
            Index.pages.setdefault(package["name"], set()).add(entry)
            Index.wheels[filename] = known[filename]
    return None


def accepted(row, python, options, folder, known):
    direct = lock(options.mlresolve, row, python, folder / "pylock.direct.toml")
    Index.pages, Index.wheels = {}, {}
    if reason := serve(direct, known):
        return [reason]
    index = ["--index-url", f"http://127.0.0.1:{options.port}/simple/", "--no-cache"]
    pylock = lock(options.mlresolve, row, python, folder / "pylock.toml", *index)
    text = lock(options.mlresolve, row, python, folder / "requirements.txt", *index)
    problems = [] if pins(direct) == pins(pylock) else ["another set against the stand-ins"]
    pip = [options.pip, "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed"]
    pip += ["--python-version", python, "--only-binary", ":all:", "--target", folder / "target"]
    pip += [part for platform in PIP_PLATFORMS for part in ("--platform", platform)]
    uv = [options.uv, "pip", "install", "--dry-run", "--no-cache", "--target", folder / "target"]
    uv += ["--python-version", python, "--python-platform", PLATFORM]
    uv += ["--default-index", index[1], "--no-deps"]
    # Both take a pylock only for a Python that is there.
    there = python == options.pip_python
    here = [options.pip, "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed"]
    for command in (
        [*pip, "--require-hashes", "-r", text],
        *([[*here, "-r", pylock]] if there else []),
        [*uv, "--require-hashes", "-r", text],
        *([[*uv, "-r", pylock]] if there else []),
    ):
        done = run(command)
        if done.returncode:
            kind = f"{pathlib.Path(command[0]).name} with {pathlib.Path(command[-1]).name}"
            problems.append(f"{kind}: {done.stderr.strip()[-400:]}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mlresolve", default="target/release/mlresolve", type=pathlib.Path)
    parser.add_argument("--uv", required=True)
    parser.add_argument("--pip", required=True)
    parser.add_argument("rows", nargs="*", help="only rows whose path contains one of these")
    options = parser.parse_args()
    options.mlresolve = options.mlresolve.resolve()
    version = run([options.pip, "--version"]).stdout
    options.pip_python = version.rsplit("(python ", 1)[-1].strip(" )\n")
    os.environ["PIP_CONFIG_FILE"] = os.devnull
    os.environ.pop("PIP_FIND_LINKS", None)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Index)
    options.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known, failed = {}, False
    for row, python in ROWS:
        if options.rows and not any(part in row for part in options.rows):
            continue
        with tempfile.TemporaryDirectory() as folder:
            problems = accepted(row, python, options, pathlib.Path(folder), known)
        failed |= bool(problems)
        print("taken   " if not problems else "REFUSED ", f"{row} (Python {python})", flush=True)
        for problem in problems:
            print("  ", problem)
    sys.exit(failed)


if __name__ == "__main__":
    main()
