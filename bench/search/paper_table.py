#!/usr/bin/env python3
"""The table of paper.sh: the network found and the published one, priced by the same planner and tables, and
the paper's printed figures. paper_table.py OUT PUBLISHED MOPS FLASH_KB SRAM_KB PERCENT
SPDX-License-Identifier: Apache-2.0"""
import json
import sys
from pathlib import Path


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def cell(value, form):
    return "-" if value is None else form % value


def row(out, name, label):
    d, t = read(out / (name + ".inspect.json")), read(out / (name + ".train.json"))
    if d is None:
        return
    tflm = d["tflm"]
    cells = [
        label,
        "%.1f" % (d["ops"] / 1e6),
        "%.1f" % (d["flash"]["total"] / 1e3),
        "%.1f" % (d["sram"]["total"] / 1e3),
        cell(d["ms_modelled"], "%.0f"),
        cell(tflm["model_bytes"] and tflm["model_bytes"] / 1e3, "%.1f"),
        cell(tflm["arena"] and tflm["arena"] / 1e3, "%.1f"),
        cell(t and 100 * t["int8"]["val"], "%.1f"),
        cell(t and 100 * t["int8"]["test"], "%.1f"),
    ]
    print("| " + " | ".join(cells) + " |")


def main():
    out, published, (mops, flash, sram, percent) = Path(sys.argv[1]), sys.argv[2], sys.argv[3:7]
    print("| network | Mops | flash KB | SRAM KB | ms modelled | TFLM: file KB | TFLM: arena KB | int8 val % | int8 test % |")
    print("|---|---|---|---|---|---|---|---|---|")
    row(out, "found", "found")
    row(out, "published", published)
    print("| printed in the paper | %s | | | | %s | %s | | %s on its own data |" % (mops, flash, sram, percent))
    print("KB = 1000 bytes. Flash and SRAM are our firmware's; TFLM's file and arena are what the paper counts.")


if __name__ == "__main__":
    main()
