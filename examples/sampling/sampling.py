#!/usr/bin/env python3
"""Where a Python program's memory goes, line by line.

    python3 sampling.py [--bytes N] [--top N] [--svg FILE] SCRIPT [ARGUMENT...]

runs `python3 SCRIPT ARGUMENT...` under libsampling.so. What the program writes, and its status, stay as they
are; afterwards a table goes to standard error, and a plot to FILE. As a module: `run`, `load`, `table`, `svg`.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from html import escape
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
LIBRARY = HERE / "target" / "release" / "libsampling.so"
BYTES = 10_007


class Place(NamedTuple):
    """A line, with the bytes that were allocated and freed while it ran."""

    file: str  # "(native)": code that does not hold the interpreter's lock
    line: int
    allocated: int
    freed: int

    @property
    def kept(self):
        """What it allocated and did not free; negative where it freed what others allocated."""
        return self.allocated - self.freed

    def __str__(self):
        return f"{self.file}:{self.line}" if self.line else self.file


def run(command, every=BYTES, library=None):
    """Runs `command`, a list that begins with a program; gives its status and its places."""
    library = Path(library or os.environ.get("SAMPLING_LIBRARY", LIBRARY)).resolve()
    if not library.is_file():
        raise FileNotFoundError(f"{library}: `cargo build --release` makes it")
    with tempfile.TemporaryDirectory() as folder:
        # LD_PRELOAD is split at spaces and colons; the name of this link has none.
        link, seen = Path(folder, "libsampling.so"), Path(folder, "seen")
        link.symlink_to(library)
        preload = " ".join(filter(None, [str(link), os.environ.get("LD_PRELOAD")]))
        asked = {"SAMPLING_FILE": str(seen), "SAMPLING_BYTES": str(every)}
        environment = {**os.environ, **asked, "LD_PRELOAD": preload, "PYTHONMALLOC": "malloc"}
        status = subprocess.run(command, env=environment).returncode
        return status, load(seen) if seen.exists() else []


def load(file):
    """The places in a file that the library wrote, of all processes together; the largest first."""
    sums = defaultdict(lambda: [0, 0])
    with open(file, encoding="utf-8", errors="replace") as lines:
        for text in lines:
            _process, allocated, freed, line, name = text.rstrip("\n").split("\t")
            place = sums[name, int(line)]
            place[0] += int(allocated)
            place[1] += int(freed)
    places = [Place(name, line, *both) for (name, line), both in sums.items()]
    return sorted(places, key=lambda p: (-p.kept, -p.allocated, p.file, p.line))


def mebibytes(number):
    return f"{number / 2**20:.1f}"


def table(places, top=20):
    """A text: what was kept, allocated and freed, in MiB."""
    rows = [("kept", "allocated", "freed", "MiB")]
    rows += [(mebibytes(p.kept), mebibytes(p.allocated), mebibytes(p.freed), str(p)) for p in places[:top]]
    return "".join("{:>10} {:>10} {:>10}  {}\n".format(*row) for row in rows)


def svg(places, top=20):
    """A picture: a bar for what each line allocated, the dark part of it for what it kept."""
    places = sorted(places, key=lambda p: -p.allocated)[:top]
    most = max((p.allocated for p in places), default=0) or 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="900" height="{24 * len(places) + 30}" '
        'font-family="sans-serif" font-size="12">',
        '<text x="8" y="16">MiB allocated (light) and kept (dark)</text>',
    ]
    for number, place in enumerate(places):
        y = 24 * number + 26
        for share, colour in [(place.allocated, "#9ecae1"), (max(place.kept, 0), "#08519c")]:
            width = 380 * min(share, place.allocated) / most
            parts.append(f'<rect x="400" y="{y}" width="{width:.1f}" height="18" fill="{colour}"/>')
        parts.append(f'<text x="392" y="{y + 13}" text-anchor="end">{escape(str(place)[-60:])}</text>')
        x = 404 + 380 * place.allocated / most
        parts.append(f'<text x="{x:.1f}" y="{y + 13}">{mebibytes(place.allocated)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=BYTES, help="from one sample to the next, on the average")
    parser.add_argument("--top", type=int, default=20, help="how many lines to show")
    parser.add_argument("--svg", type=Path, help="a file for the plot")
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    if asked.bytes < 1:
        parser.error("--bytes: at least 1")
    try:
        status, places = run([sys.executable, asked.script, *asked.arguments], asked.bytes)
    except FileNotFoundError as error:
        sys.exit(f"sampling: {error}")
    sys.stderr.write(table(places, asked.top))
    if asked.svg:
        asked.svg.write_text(svg(places, asked.top), encoding="utf-8")
    # A program that a signal ended: as a shell would say it.
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
