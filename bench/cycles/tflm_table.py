# tflm_table.py - prints src/target/tflm_cycle_table.c: what operators of TFLM with CMSIS-NN take.
#
#   python3 bench/cycles/tflm_table.py GOLDEN PUBLIC_LATENCY.csv > src/target/tflm_cycle_table.c
#
# The Cortex-M4's rows are fitted to modelled cycles of counted layers (GOLDEN/*/layers_m4_cmsis_O2.csv).
# Another core's rows are those times a ratio per kind of operator: cycles that its boards spent in that
# kind, over three public models, against the Cortex-M4's rows. Boards with a factor are divided by it.
# SPDX-License-Identifier: Apache-2.0
import sys

import public

ORDER = ["CALLS", "CALL_CHANNELS", "ROWS", "POSITIONS", "OUTPUTS", "INPUTS", "GATHERED", "INSIDE_ROWS", "INSIDE_TAPS", "MACS",
         "INSIDE_MACS", "MACS_BY_4", "MACS_BY_16", "OTHER_MACS", "OTHER_ROWS"]
TERMS = {
    "CONV_2D": ["OUTPUTS", "GATHERED", "MACS"],
    "CONV_2D_1x1": ["CALLS", "OUTPUTS", "GATHERED", "MACS"],
    "DEPTHWISE_CONV_2D": ["CALLS", "OUTPUTS", "MACS"],
    "FULLY_CONNECTED": ["CALLS", "OUTPUTS", "MACS"],
    "SVDF": ["CALLS", "OUTPUTS", "MACS"],
    "AVERAGE_POOL_2D": ["CALLS", "OUTPUTS", "INPUTS"],
}
OTHERS = ["CALLS", "OUTPUTS"]


def fit(layers, terms):
    """Coefficients of at least 0 that make the sum of squared relative errors least."""
    rows = [[layer.terms[t] / layer.cycles for t in terms] for layer in layers]
    count = range(len(terms))
    size = [max(1e-30, sum(row[i] ** 2 for row in rows) ** 0.5) for i in count]
    rows = [[row[i] / size[i] for i in count] for row in rows]
    gram = [[sum(row[i] * row[k] for row in rows) for k in count] for i in count]
    right = [sum(row[i] for row in rows) for i in count]
    c = [0.0] * len(terms)
    for _ in range(20000):
        for i in count:
            c[i] = max(0.0, c[i] + (right[i] - sum(gram[i][k] * c[k] for k in count)) / gram[i][i])
    return {t: c[i] / size[i] for i, t in enumerate(terms)}


def estimate(row, layer):
    return sum(value * layer.terms[t] for t, value in row.items())


def errors(row, layers):
    off = [abs(estimate(row, layer) / layer.cycles - 1) for layer in layers]
    return sum(off) / len(off), max(off)


def ratios(rows, golden, latency, core):
    """Of each kind of operator on a core, against the Cortex-M4's rows; "all" for kinds without figures."""
    spent, modelled = {}, {}
    for board in public.boards(latency):
        if public.CORES[board["board"]] != core:
            continue
        factor = public.FACTORS.get(board["board"], 1.0)
        for layer in public.layers_of(golden, public.MODELS[board["model"]]):
            column = public.COLUMNS.get(layer.kind)
            for key in ("all", column):
                modelled[key] = modelled.get(key, 0.0) + estimate(rows[layer.kind], layer)
        for key in set(public.COLUMNS.values()) | {"total_us"}:
            cycles = public.board_cycles(board, key)
            if cycles is not None:
                name = "all" if key == "total_us" else key
                spent[name] = spent.get(name, 0.0) + cycles / factor
    return {key: spent[key] / modelled[key] for key in spent if modelled.get(key)}


def print_table(name, rows, ratio, judged):
    print("static const mn_cycle_row rows_%s[] = {" % name)
    for kind in sorted(rows):
        scale = ratio.get(public.COLUMNS.get(kind), ratio["all"])
        values = ", ".join("%.5g" % (scale * rows[kind].get(t, 0.0)) for t in ORDER)
        print('    {"tflm_%s", 0, %d, %.3f, %.3f, {%s}},' % (kind, len(judged[kind]), *errors(rows[kind], judged[kind]), values))
    print("};")


def judge_models(rows, golden):
    """Of whole models on the Cortex-M4, on standard error."""
    for folder in public.folders(golden):
        layers = public.layers_of(golden, folder)
        total = sum(layer.cycles for layer in layers)
        off = sum(estimate(rows[layer.kind], layer) for layer in layers) / total - 1
        print("%-34s %9.0f cycles, table %+5.1f %%" % (folder, total, 100 * off), file=sys.stderr)


def main():
    golden, latency = sys.argv[1:3]
    by_kind = {}
    for layer in public.all_layers(golden):
        by_kind.setdefault(layer.kind, []).append(layer)
    rows = {kind: fit(layers, TERMS.get(kind, OTHERS)) for kind, layers in by_kind.items()}
    judge_models(rows, golden)
    print("/* tflm_cycle_table.c - cycles of TFLM with CMSIS-NN; made by bench/cycles/tflm_table.py, do not edit.")
    print(" * The number behind a symbol is how many layers of the Cortex-M4 it was fitted to, with mean and worst")
    print(" * error there; other cores are scaled by public boards. SPDX-License-Identifier: Apache-2.0 */")
    print('#include "micronets/target.h"\n\n/* clang-format off */')
    cores = ["cortex-m4", "cortex-m33", "cortex-m7", "cortex-m0plus", "cortex-m3"]
    for core in cores:
        ratio = {"all": 1.0} if core == "cortex-m4" else ratios(rows, golden, latency, core)
        print_table(core.replace("cortex-", ""), rows, ratio, by_kind)
    print("\nstatic const mn_cycle_table tables[] = {")
    for core in cores:
        name = core.replace("cortex-", "")
        print('    {"%s", rows_%s, MN_COUNT(rows_%s)},' % (core, name, name))
    print('};\n\nconst mn_cycle_tables mn_cycle_tables_tflm = {\n    .compiler = "TFLM 90b983c2, CMSIS-NN 4ab83cc3, gcc 12.2",')
    print("    .tables = tables,\n    .table_count = MN_COUNT(tables),\n};")


main()
