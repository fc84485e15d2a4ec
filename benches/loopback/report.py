"""What the runs took, as tables of Markdown."""

import os
import platform
import re
import statistics


def machine():
    """The machine in neutral words."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    kernel = re.match(r"\d+\.\d+", platform.release())
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {pages * size / 2**30:.0f} GiB, "
        f"{platform.system()} {kernel.group(0) if kernel else ''}".strip()
    )


def spread(values):
    """The distance between the quartiles."""
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def digits(value):
    """A number in as many digits as it is worth."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


class Row:
    """The runs of one tool in one case."""

    def __init__(self, tool):
        self.tool, self.runs, self.counts, self.trouble = tool, [], [], None

    def wall(self):
        return statistics.median(run.wall for run in self.runs)

    def cpu(self):
        return statistics.median(run.cpu for run in self.runs)

    def memory(self):
        return statistics.median(run.memory for run in self.runs)

    def cells(self, base):
        if self.trouble or not self.runs:
            return [self.tool, self.trouble or "not run"] + [""] * 9
        walls = [run.wall * 1000 for run in self.runs]
        cells = [self.tool, digits(statistics.median(walls)), digits(spread(walls))]
        cells.append(digits(self.cpu() * 1000))
        cells.append(digits(self.memory() / 1024))
        if self.counts:
            cells.append(f"{statistics.median(count.requests for count in self.counts):.0f}")
            cells.append(digits(statistics.median(count.moved for count in self.counts) / 1e6))
        else:
            cells += ["", ""]
        if base is not None and base.runs and not base.trouble:
            cells.append(digits(self.wall() / base.wall()))
            cells.append(digits(self.cpu() / base.cpu()))
            cells.append(digits(self.memory() / base.memory()))
        else:
            cells += ["", "", ""]
        return [*cells, str(len(self.runs))]


HEAD = ("tool", "median ms", "IQR ms", "CPU ms", "peak MiB", "requests", "MB moved")
HEAD += ("time, uv = 1", "CPU, uv = 1", "memory, uv = 1", "runs")


def table(rows):
    """A table of the rows; the ratios are to uv's."""
    base = next((row for row in rows if row.tool == "uv"), None)
    lines = ["| " + " | ".join(HEAD) + " |", "| --- |" + " ---: |" * (len(HEAD) - 1)]
    lines += ["| " + " | ".join(row.cells(base)) + " |" for row in rows]
    return "\n".join(lines)


def differences(answers, base="uv"):
    """How the answers of other tools differ from one tool's, in words."""
    notes = []
    for tool, pins in answers.items():
        other = answers.get(base)
        if tool == base or other is None:
            continue
        moved = [
            f"{name} {other[name]} → {pins[name]}"
            for name in sorted(pins.keys() & other.keys())
            if pins[name] != other[name]
        ]
        parts = []
        for word, names in (
            ("not in it", sorted(other.keys() - pins.keys())),
            ("more", sorted(pins.keys() - other.keys())),
            ("other versions", moved),
        ):
            if names:
                parts.append(f"{word}: {', '.join(names)}")
        notes.append(f"{tool} against {base}: {'; '.join(parts) or 'the same pins'}.")
    return notes
