"""A recorded world as an index on loopback, with counted requests and added latency."""

import asyncio
import gzip
import hashlib
import re
import threading

JSON = "application/vnd.pypi.simple.v1+json"
ETERNAL = "max-age=365000000, immutable, public"
REASONS = {200: "OK", 206: "Partial Content", 304: "Not Modified", 404: "Not Found"}
REASONS |= {405: "Method Not Allowed", 416: "Range Not Satisfiable", 400: "Bad Request"}


class Setting:
    """How the index behaves.

    `latency`: seconds added to each answer. `pages`: `json` (PEP 691, HTML for those who do
    not ask for JSON) or `html` (PEP 503 alone). `sidecars`: whether METADATA is served beside
    the wheels (PEP 658, PEP 714). `caching`: `fresh` (pages fresh for ten minutes, with an
    ETag), `stale` (an ETag, and to be asked for each time) or `none` (no word of caching).
    """

    def __init__(self, latency=0.0, pages="json", sidecars=True, caching="fresh"):
        self.latency, self.pages = latency, pages
        self.sidecars, self.caching = sidecars, caching


class Count:
    """What was asked for, and what was sent, in one run."""

    KINDS = ("page", "unchanged", "sidecar", "range", "whole", "stand-in", "missing")

    def __init__(self):
        self.requests = self.moved = self.connections = 0
        self.kinds = dict.fromkeys(self.KINDS, 0)
        self.missing = set()


class Server:
    """Serves a world from a thread of its own."""

    def __init__(self, world):
        self.world, self.setting, self.count = world, Setting(), Count()
        self._pages, self._ready = {}, threading.Event()
        self.port = None

    def start(self):
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait()
        return self

    def reset(self, setting=None):
        """Starts counting anew, under another setting if one is given."""
        self.setting = setting or self.setting
        self.count = Count()

    @property
    def index(self):
        return f"http://127.0.0.1:{self.port}/simple/"

    def _run(self):
        asyncio.run(self._serve())

    async def _serve(self):
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(self, loop), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await server.serve_forever()

    def prepare(self, names):
        """Makes the pages of these names in all forms, so that no run waits for that."""
        for name in sorted(self.world.pages.keys() & names):
            for form, sidecars in (("json", True), ("json", False), ("html", False)):
                self._page(name, form, sidecars)

    def _page(self, name, form, sidecars):
        key = (name, form, sidecars)
        if key not in self._pages:
            make = self.world.json_page if form == "json" else self.world.html_page
            body = make(name, sidecars)
            tag = '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
            self._pages[key] = (gzip.compress(body, 6, mtime=0), tag)
        return self._pages[key]

    def answer(self, method, target, headers):
        """Status, headers and body for a request."""
        setting, count = self.setting, self.count
        path = target.split("?", 1)[0]
        if method not in ("GET", "HEAD"):
            return 405, [], b""
        match = re.fullmatch(r"/simple/([^/]+)/?", path)
        if match:
            return self._answer_page(match.group(1), headers, setting, count)
        if path.startswith("/packages/"):
            name = path.rsplit("/", 1)[1].replace("%2B", "+").replace("%2b", "+")
            return self._answer_file(name, method, headers, setting, count)
        return self._missing(path, count)

    def _missing(self, path, count):
        count.kinds["missing"] += 1
        count.missing.add(path.rsplit("/packages/", 1)[-1].rsplit("/", 1)[-1] or path)
        return 404, [], b""

    def _answer_page(self, name, headers, setting, count):
        if name not in self.world.pages:
            return self._missing(f"page {name}", count)
        accepts = headers.get("accept", "")
        form = "json" if setting.pages == "json" and JSON in accepts else "html"
        body, tag = self._page(name, form, setting.sidecars)
        out = [("Content-Type", JSON if form == "json" else "text/html; charset=utf-8")]
        out.append(("Vary", "Accept, Accept-Encoding"))
        if setting.caching != "none":
            age = "max-age=600, public" if setting.caching == "fresh" else "no-cache"
            out += [("Cache-Control", age), ("ETag", tag)]
            if headers.get("if-none-match") == tag:
                count.kinds["unchanged"] += 1
                return 304, out, b""
        count.kinds["page"] += 1
        if "gzip" in headers.get("accept-encoding", ""):
            return 200, [*out, ("Content-Encoding", "gzip")], body
        return 200, out, gzip.decompress(body)

    def _answer_file(self, name, method, headers, setting, count):
        out = [("Content-Type", "application/octet-stream")]
        if setting.caching != "none":
            out += [("Cache-Control", ETERNAL), ("ETag", f'"{name}"')]
        if name.endswith(".metadata"):
            text, recorded = self.world.text(name.removesuffix(".metadata"))
            if text is None or not setting.sidecars:
                return self._missing(name, count)
            count.kinds["sidecar"] += 1
            count.kinds["stand-in"] += not recorded
            return 200, out, text
        wheel = self.world.wheel(name) if name.endswith(".whl") else None
        if wheel is None:
            return self._missing(name, count)
        count.kinds["stand-in"] += not self.world.text(name)[1]
        out.append(("Accept-Ranges", "bytes"))
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("range", ""))
        if method == "HEAD":
            count.kinds["range"] += 1
            return 200, [*out, ("Content-Length", str(wheel.length))], b""
        if not asked:
            # No benchmark needs a whole wheel, and a big one is not made in memory.
            count.kinds["whole"] += 1
            if wheel.length > 1 << 26:
                return self._missing(name, count)
            return 200, out, wheel.read(0, wheel.length)
        first, last = asked.groups()
        if first:
            start, stop = int(first), min(int(last or wheel.length), wheel.length - 1) + 1
        else:
            start, stop = max(0, wheel.length - int(last or 0)), wheel.length
        if start >= stop or stop - start > 1 << 26:
            return 416, [*out, ("Content-Range", f"bytes */{wheel.length}")], b""
        count.kinds["range"] += 1
        out.append(("Content-Range", f"bytes {start}-{stop - 1}/{wheel.length}"))
        return 206, out, wheel.read(start, stop)


class _Connection(asyncio.Protocol):
    """One connection: requests are answered in turn, each after the latency."""

    def __init__(self, server, loop):
        self.server, self.loop = server, loop
        self.buffer, self.busy, self.transport = b"", False, None

    def connection_made(self, transport):
        self.transport = transport
        self.server.count.connections += 1

    def connection_lost(self, _error):
        self.transport = None

    def data_received(self, data):
        self.buffer += data
        self._next()

    def _next(self):
        if self.busy or b"\r\n\r\n" not in self.buffer or self.transport is None:
            if len(self.buffer) > 1 << 16 and self.transport is not None:
                self.transport.close()
            return
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3:
            self.transport.close()
            return
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        status, out, body = self.server.answer(words[0], words[1], headers)
        count = self.server.count
        if not any(name == "Content-Length" for name, _ in out):
            out = [*out, ("Content-Length", str(len(body)))]
        text = f"HTTP/1.1 {status} {REASONS[status]}\r\n"
        text += "".join(f"{name}: {value}\r\n" for name, value in out) + "\r\n"
        sent = text.encode("latin-1") + (b"" if words[0] == "HEAD" or status == 304 else body)
        count.requests += 1
        count.moved += len(sent)
        self.busy = True
        if self.server.setting.latency:
            self.loop.call_later(self.server.setting.latency, self._send, sent)
        else:
            self._send(sent)

    def _send(self, sent):
        self.busy = False
        if self.transport is not None:
            self.transport.write(sent)
            self._next()
