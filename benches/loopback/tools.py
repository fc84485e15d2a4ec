"""The tools that are compared: how they are set up, and how each is asked."""

import os
import pathlib
import re
import subprocess
import sys
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
INPUTS = ROOT / "benches" / "inputs"
WORK = ROOT / "target" / "compare"
PINS = ("uv==0.13.8", "pip-tools==7.6.2", "pip==26.3", "setuptools==80.9.0", "wheel==0.45.1")
PYTHON = "3.11"
PLATFORM = "x86_64-manylinux_2_28"
CUTOFF = "2026-11-01T00:00:00Z"
# Whatever a machine is set to, these see the loopback index alone.
FOREIGN = re.compile(r"^(PIP_|UV_|MLRESOLVE_|.*_proxy$|.*_PROXY$|PYTHON|VIRTUAL_ENV)")


def environment(folder):
    """The environment of a measured run: nothing of the machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not FOREIGN.match(name)}
    kept |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    kept |= {"UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    kept |= {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    return kept


def install():
    """The folder of a throw-away environment with uv and pip-tools, made where it is not."""
    folder = WORK / "tools"
    done = folder / "installed"
    if not (done.exists() and done.read_text() == "\n".join(PINS)):
        print(f"setting up {', '.join(PINS[:2])} in {folder.relative_to(ROOT)}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PINS], check=True
        )
        done.write_text("\n".join(PINS))
    return folder


class Tool:
    """One contestant."""

    # Whether it can lock for a Python and a platform that it does not run on.
    any_target = True
    can_be_offline = True
    hashes = True
    # What makes it ask for metadata that it came with.
    without_pack = ()
    # What makes it solve where it remembers an answer.
    anew = ()

    def __init__(self, name, program, extra=()):
        self.name, self.program, self.extra = name, str(program), list(extra)

    def version(self):
        told = subprocess.run(
            [self.program, "--version"], capture_output=True, text=True, check=True
        )
        return re.search(r"\d+(?:\.\d+)+\S*", told.stdout).group(0)


class Mlresolve(Tool):
    without_pack = ("--no-pack",)
    anew = ("--solve-anew",)

    def lock(self, source, output, index, cache, offline=False):
        words = [self.program, "lock", source, "-o", output, "--no-config", "-q"]
        words += ["--python-version", PYTHON, "--python-platform", PLATFORM]
        words += ["--exclude-newer", CUTOFF, "--only-binary", ":all:", "--index-url", index]
        words += ["--cache-dir", cache] + ["--offline"] * offline
        return [str(word) for word in words] + self.extra


class Uv(Tool):
    def __init__(self, name, program, python, extra=()):
        super().__init__(name, program, extra)
        self.python = str(python)

    def lock(self, source, output, index, cache, offline=False):
        words = [self.program, "pip", "compile", source, "-o", output, "-q", "--generate-hashes"]
        words += ["--python", self.python, "--python-version", PYTHON]
        words += ["--python-platform", PLATFORM, "--exclude-newer", CUTOFF]
        words += ["--only-binary", ":all:", "--default-index", index, "--cache-dir", cache]
        return [str(word) for word in words] + ["--offline"] * offline + self.extra


class PipCompile(Tool):
    hashes = False
    any_target = False
    can_be_offline = False

    def lock(self, source, output, index, cache, offline=False):
        # No hashes: it would fetch every file of an index that is not the public one.
        words = [self.program, source, "-o", output, "-q", "--no-config"]
        words += ["--allow-unsafe", "--strip-extras", "--uploaded-prior-to", CUTOFF]
        words += ["-i", index, "--cache-dir", cache]
        words += ["--pip-args", f"--only-binary :all: --cache-dir {cache}/pip"]
        return [str(word) for word in words] + self.extra


def pins(path):
    """The pins of a written lock, and whether each has a hash."""
    found, current, hashed = {}, None, set()
    for line in path.read_text().splitlines():
        match = re.match(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", line)
        if match:
            current = re.sub(r"[-_.]+", "-", match.group(1)).lower()
            found[current] = match.group(2)
        if current and "--hash=sha256:" in line:
            hashed.add(current)
    return found, set(found) <= hashed
