"""What watching costs: the least CPU time of several runs, in seconds, and against none.

    python3 test/cost.py [RUNS]
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sampling import BYTES, LIBRARY

# Three million objects, each a call of malloc and of free.
PROGRAM = """
import json
for _ in range(6):
    json.loads(json.dumps([[str(n), n + 0.5, {"n": n}] for n in range(50000)]))
"""

PRELOAD = {"LD_PRELOAD": os.environ.get("SAMPLING_LIBRARY", str(LIBRARY))}
WAYS = [
    ("Python's own allocator", {"PYTHONMALLOC": "pymalloc"}),
    ("PYTHONMALLOC=malloc", {}),
    ("preloaded, not asked to sample", PRELOAD),
    (f"a sample every {BYTES:,} bytes", PRELOAD | {"SAMPLING_BYTES": str(BYTES)}),
    ("a sample every 1,048,573 bytes", PRELOAD | {"SAMPLING_BYTES": "1048573"}),
    ("tracemalloc", {"PYTHONTRACEMALLOC": "1"}),
]


def seconds(more):
    environment = {**os.environ, "PYTHONMALLOC": "malloc", **more}
    if "SAMPLING_BYTES" in more:
        environment["SAMPLING_FILE"] = os.devnull
    command = [sys.executable, "-c", PROGRAM]
    child = os.posix_spawn(sys.executable, command, environment)
    _, status, used = os.wait4(child, 0)
    assert status == 0, (more, status)
    return used.ru_utime + used.ru_stime


def main():
    if not os.path.isfile(PRELOAD["LD_PRELOAD"]):
        sys.exit("cost: `cargo build --release` makes the library")
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    least = {name: min(seconds(more) for _ in range(runs)) for name, more in WAYS}
    base = least["PYTHONMALLOC=malloc"]
    for name, time in least.items():
        print(f"{name:32} {time:6.2f} s {100 * (time / base - 1):+6.0f} %")


main()
