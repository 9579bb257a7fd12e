# public_boards.py - the cycle model against public boards: TFLM with CMSIS-NN, three models, six boards.
#
#   python3 bench/cycles/public_boards.py GOLDEN PUBLIC_LATENCY.csv [MODELLED.csv]
#
# For boards with a Cortex-M4 or M33 the modelled cycles are those of exact instruction counts
# (GOLDEN/*/layers_m4_cmsis_O2.csv). MODELLED.csv adds cores: lines "core,model,cycles" of other
# counted programs. Printed: milliseconds measured and modelled with the board's factor, and the error.
# SPDX-License-Identifier: Apache-2.0
import csv
import sys

import public


def modelled(golden, extra):
    cycles = {}
    for model, folder in public.MODELS.items():
        total = sum(layer.cycles for layer in public.layers_of(golden, folder))
        cycles["cortex-m4", model] = cycles["cortex-m33", model] = total
    for path in extra:
        with open(path) as file:
            for core, model, count in csv.reader(file):
                cycles[core, model] = float(count)
    return cycles


def main():
    golden, latency = sys.argv[1:3]
    cycles = modelled(golden, sys.argv[3:])
    print("%-16s %-14s %-16s %10s %10s %8s" % ("board", "core", "model", "measured", "modelled", "error"))
    for board in public.boards(latency):
        core, factor = public.CORES[board["board"]], public.FACTORS.get(board["board"])
        known = cycles.get((core, board["model"]))
        measured = float(board["total_us"]) / 1000
        text = "%-16s %-14s %-16s %7.1f ms " % (board["board"], core, board["model"], measured)
        if factor is None or known is None:
            print(text + "%10s %8s" % ("-", "-"))
            continue
        ms = known * factor / float(board["mhz_nominal"]) / 1000
        print(text + "%7.1f ms %+6.1f %%" % (ms, 100 * (ms / measured - 1)))


main()
