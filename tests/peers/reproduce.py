#!/usr/bin/env python3
"""Feeds each lock of the users' stacks to another resolver and compares the sets.

A lock is complete and holds nothing too much if another resolver, given the same input,
target and date, and the lock's pins as constraints, comes to exactly the same set.

    python3 tests/peers/reproduce.py [--mlresolve target/release/mlresolve] [ROW ...]

It makes a virtual environment with uv from the package index in a temporary folder
(or takes `--uv PATH`), needs the network, and exits with 1 where a set differs. Edges
that a rule or an option changed are the lock's own business: pins that only a rule asks
for are named as such and left out of the comparison.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
STACKS = ROOT / "tests" / "stacks"
CUTOFF = "2026-11-01"
PLATFORM = "x86_64-manylinux_2_28"
ROWS = [
    ("yolov5-torch21/requirements.in", "3.11"),
    ("yolov5-torch21/requirements-full.in", "3.11"),
    ("torch222/requirements.in", "3.11"),
    ("docker-numpy2-upgrade/before.in", "3.11"),
    ("docker-numpy2-upgrade/before-full.in", "3.10"),
    ("docker-numpy2-upgrade/after.in", "3.11"),
    ("docker-numpy2-upgrade/rollback.in", "3.11"),
    ("embeddings-numpy2-migration/requirements.in", "3.11"),
    ("embeddings-numpy2-migration/requirements-full.in", "3.11"),
    ("embeddings-numpy2-migration/requirements-blocked.in", "3.11"),
    ("embeddings-numpy2-migration/requirements-numpy2.in", "3.11"),
    ("colab-notebook/v3.0.in", "3.12"),
    ("colab-notebook/v3.1.in", "3.12"),
    ("colab-notebook/v3.2.in", "3.12"),
]


def pins(path):
    """The pins of a lock by name, and the names that only a rule asks for."""
    found, by_rule, current, askers = {}, set(), None, []

    def close():
        if current and askers and all(asker.startswith("rule ") for asker in askers):
            by_rule.add(current)

    for line in path.read_text().splitlines():
        pin = re.match(r"^(?:# )?([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", line)
        if pin:
            close()
            current, askers = pin.group(1).lower(), []
            found[current] = pin.group(2)
        elif current and re.match(r"^ +# +via$", line):
            continue
        elif current and re.match(r"^ +# ", line):
            askers.append(re.sub(r"^ +#\s+(via )?", "", line).strip())
    close()
    return found, by_rule


def compare(mlresolve, uv, row, python, folder):
    source = STACKS / row
    lock = folder / "lock.txt"
    lock.unlink(missing_ok=True)
    subprocess.run(
        [mlresolve, "lock", source, "--exclude-newer", CUTOFF, "--python-version", python,
         "--python-platform", PLATFORM, "--allow-unsafe", "--no-hashes", "-q",
         "--cache-dir", folder / "cache", "-o", lock],
        check=True,
    )
    ours, by_rule = pins(lock)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in ours.items()))
    theirs_path = folder / "theirs.txt"
    theirs_path.unlink(missing_ok=True)
    done = subprocess.run(
        [uv, "pip", "compile", source, "-c", constraints, "--exclude-newer", CUTOFF,
         "--python-version", python, "--python-platform", PLATFORM, "--no-header", "-q",
         "--cache-dir", folder / "uv-cache", "-o", theirs_path],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        return [f"uv finds no solution with these pins: {done.stderr.strip()}"]
    theirs, _ = pins(theirs_path)
    differences = []
    for name in sorted(set(ours) | set(theirs)):
        if ours.get(name) != theirs.get(name) and name not in by_rule:
            differences.append(f"{name}: {ours.get(name)} here, {theirs.get(name)} there")
    return differences


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mlresolve", default=str(ROOT / "target" / "release" / "mlresolve"))
    parser.add_argument("--uv", help="a uv to compare with, instead of a fresh one")
    parser.add_argument("rows", nargs="*", help="only rows whose path contains one of these")
    args = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        uv = args.uv
        if uv is None:
            venv.create(folder / "venv", with_pip=True)
            subprocess.run([folder / "venv/bin/pip", "install", "-q", "uv"], check=True)
            uv = str(folder / "venv/bin/uv")
        for row, python in ROWS:
            if args.rows and not any(word in row for word in args.rows):
                continue
            differences = compare(args.mlresolve, uv, row, python, folder)
            print(f"{'differs' if differences else 'same   '}  {row} (Python {python})")
            for difference in differences:
                print(f"         {difference}")
            failed += bool(differences)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
