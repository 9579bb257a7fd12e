#!/usr/bin/env python3
"""House rules that a compiler does not check: who may include whom, file sizes, no printing outside
the command line and the report, nothing of the host in code that runs on the microcontroller, SPDX
lines, format. Prints one line per finding; exit 1 where there is any.

check_house.py includes|sizes|prints|mcu|spdx|format   (default: all)
SPDX-License-Identifier: Apache-2.0"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Which rooms a room may include, besides itself; base is understood but for kernels and features.
ROOMS = {
    "kernels": "",
    "features": "",
    "base": "",
    "graph": "",
    "net": "graph features",
    "tflite": "graph features net",
    "target": "graph",
    "plan": "graph features tflite target kernels",  # features: the front end has a price too
    "exec": "graph plan kernels",
    "emit": "graph tflite features kernels plan",
    "fetch": "",
    "data": "graph features net",
    "eval": "graph tflite features data plan exec",
    "train": "graph data kernels",
    "search": "graph features net target data train plan",
    "bench": "graph tflite target plan exec emit",
    "study": "graph net target plan bench",
    "run": "kernels graph net tflite target plan exec emit features fetch data eval train search bench study",
    "report": "run",
}
NO_BASE = ("kernels", "features")
SIZE_LIMIT = 600


def sources(*folders, suffixes=(".c", ".h")):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path


def relative(path):
    return path.relative_to(ROOT)


def room_of(path):
    parts = relative(path).parts
    if parts[0] == "src":
        return parts[1]
    if parts[:2] == ("include", "micronets"):
        return path.stem
    return None


def included_room(text):
    name = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
    if not name or "/" not in name.group(1):
        return None
    folder, rest = name.group(1).split("/", 1)
    return Path(rest).stem if folder == "micronets" else folder


def check_includes():
    for path in sources("src", "include"):
        room = room_of(path)
        if room not in ROOMS:
            yield f"{relative(path)}: room \"{room}\" is in no row of the room table"
            continue
        allowed = set(ROOMS[room].split()) | {room} | (set() if room in NO_BASE else {"base"})
        for number, text in enumerate(path.read_text().splitlines(), 1):
            other = included_room(text)
            if other and other not in allowed:
                yield f"{relative(path)}:{number}: {room} includes {other}; it may include {' '.join(sorted(allowed))}"
    for path in sources("cli"):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            other = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
            if other and "/" in other.group(1) and not other.group(1).startswith("micronets/"):
                yield f"{relative(path)}:{number}: the command line includes {other.group(1)}; public headers only"


def check_sizes():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    for name in tracked:
        path = ROOT / name
        if path.suffix not in (".c", ".h", ".py", ".sh", ".S") or not path.is_file():
            continue
        lines = len(path.read_text(errors="replace").splitlines())
        if lines > SIZE_LIMIT:
            yield f"{name}: {lines} lines; expected at most {SIZE_LIMIT}; split it"


def code_only(path):
    """Lines with comments and strings blanked, so that words in them do not count."""
    text = path.read_text()
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    return re.sub(r"//[^\n]*", "", text).split("\n")


def find_words(folders, pattern, message, skip=()):
    word = re.compile(r"\b(" + pattern + r")\s*\(")
    for path in sources(*folders, suffixes=(".c",)):
        if any(str(relative(path)).startswith(name) for name in skip):
            continue
        for number, text in enumerate(code_only(path), 1):
            found = word.search(text)
            if found:
                yield f"{relative(path)}:{number}: {found.group(1)}: {message}"


def check_prints():
    yield from find_words(["src"], "printf|puts|putchar|perror|exit|abort", "only cli/ and report/ print or exit")
    for path in sources("src", suffixes=(".c",)):
        for number, text in enumerate(code_only(path), 1):
            if re.search(r"\b(stdout|stderr)\b", text) and relative(path).parts[1] != "report":
                if "STDOUT_FILENO" not in text:
                    yield f"{relative(path)}:{number}: stdout or stderr: only cli/ and report/ print"
    yield from find_words(["cli"], "exit", "only cli/main.c exits", skip=("cli/main.c",))


def check_mcu():
    banned = "malloc|calloc|realloc|free|printf|fprintf|fopen|memcmp_s|sqrtf?|logf?|expf?|powf?|sinf?|cosf?|lround"
    yield from find_words(["src/kernels", "src/features"], banned, "not on the microcontroller")
    for path in sources("src/kernels", "src/features"):
        for number, text in enumerate(path.read_text().splitlines(), 1):
            if re.match(r"\s*#\s*include\s+<(stdio|stdlib|math|time|errno)\.h>", text):
                yield f"{relative(path)}:{number}: {text.strip()}: not on the microcontroller"


def check_spdx():
    for path in sources("src", "include", "cli", "firmware", "tests", suffixes=(".c", ".h", ".S")):
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(errors="replace")[:2500]:
            yield f"{relative(path)}: no line \"SPDX-License-Identifier: Apache-2.0\" near its top"


def check_format():
    program = shutil.which("clang-format")
    if program is None:
        print("format: skipped, clang-format is absent")
        return
    for path in sources("src", "cli", "tests"):  # public headers are laid out by hand, as a manual
        done = subprocess.run([program, "--dry-run", "-Werror", str(path)], capture_output=True, text=True)
        if done.returncode != 0:
            first = done.stderr.splitlines()[0] if done.stderr else ""
            line = re.search(r":(\d+):", first)
            yield f"{relative(path)}:{line.group(1) if line else 1}: not as clang-format writes it; run scripts/format.sh"


CHECKS = {name[6:]: function for name, function in list(globals().items()) if name.startswith("check_")}


def main():
    names = sys.argv[1:] or list(CHECKS)
    findings = 0
    for name in names:
        if name not in CHECKS:
            sys.exit(f"check_house.py: unknown check {name}; expected {' '.join(CHECKS)}")
        for finding in CHECKS[name]():
            print(finding)
            findings += 1
    sys.exit(1 if findings else 0)


main()
