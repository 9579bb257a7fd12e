#!/usr/bin/env python3
"""Golden models compiled and run on emulated cores, beside TFLM + CMSIS-NN and the figures to reach.

against_tflm.py MICRONETS GOLDEN [--targets m4,m7,m33,m55,m3,m0] [--models NAME,...] [--save FILE] [--from FILE]

MICRONETS is the program, GOLDEN a folder of models with vectors. Each model is benched on each target
(minutes in all); --save keeps the results as JSON lines as they come, --from takes them from such a file
where they are there. Prints Markdown: one table per core. Exit 1 where a tensor differs.
SPDX-License-Identifier: Apache-2.0"""
import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# core: target file, peer's column of instructions and of cycles, goal's column, what the peer is
CORES = {
    "m4": ("mps2-an386", "m4", "m4_cycles", "m4_cycles", "TFLM + CMSIS-NN, M4"),
    "m7": ("mps2-an500", "m7", "m7_cycles", "m7_cycles", "TFLM + CMSIS-NN, M7"),
    "m33": ("mps2-an505", "m4", "m4_cycles", None, "TFLM + CMSIS-NN, M4"),
    "m55": ("mps3-an547", "m55", None, "m55", "TFLM + CMSIS-NN, M55"),
    "m3": ("mps2-an385-m3", "m4_reference", None, "m3", "TFLM's reference kernels, M4"),
    "m0": ("mps2-an385", "m4_reference", None, "m0", "TFLM's reference kernels, M4"),
}
SUM = ("model", "peer M instr.", "ours", "ratio", "peer M cycles", "ours", "ratio", "goal", "SRAM", "goal",
       "code", "mismatches")


def read_table(name):
    lines = [text for text in (HERE / name).read_text().splitlines() if not text.startswith("#")]
    return {row["model"]: row for row in csv.DictReader(lines)}


def bench(program, golden, model, target):
    file = golden / model / f"{model}.tflite"
    command = [program, "bench", str(file), "--target", target, "--vectors", str(golden / model), "--json", "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout.strip():
        return {"error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    return json.loads(done.stdout)


def results_of(arguments, model, target):
    """From the file of results where it is there, else measured; kept where asked."""
    if arguments.source and Path(arguments.source).is_file():
        for text in Path(arguments.source).read_text().splitlines():
            row = json.loads(text)
            if (row["model"], row["target"]) == (model, target):
                return row["result"]
    result = bench(arguments.program, Path(arguments.golden), model, target)
    if arguments.save:
        with open(arguments.save, "a") as out:
            out.write(json.dumps({"model": model, "target": target, "result": result}) + "\n")
    return result


def judged(value, goal, peer):
    """"0.55x, reached" of a figure and its goal: a number, or a part of the peer's."""
    if not goal or value is None:
        return "-"
    limit = float(goal[:-1]) * peer if goal.endswith("x") else float(goal)
    return f"{goal} {'reached' if value <= limit else 'not reached'}"


def judged_sram(total, goal, head):
    if not goal:
        return "-"
    reached = total < head if goal == "head" else total <= float(goal) * 1024
    return f"{'head ' + str(head) if goal == 'head' else goal + ' KB'} {'reached' if reached else 'not reached'}"


def millions(value):
    return "-" if value is None else f"{value:.3g}" if value < 1 else f"{value:.2f}"


def ratio(ours, peer):
    return "-" if ours is None or not peer else f"{ours / peer:.2f}"


def row_of(result, peer, goal, core):
    _, instructions_of, cycles_of, goal_of, _ = CORES[core]
    instructions = result["instructions"] / 1e6
    cycles = result.get("cycles_modelled")
    cycles = cycles / 1e6 if cycles is not None else None
    theirs, their_cycles = float(peer[instructions_of]), float(peer[cycles_of]) if cycles_of else None
    speed = judged(cycles, goal.get(goal_of), their_cycles) if cycles_of else judged(instructions, goal.get(goal_of), theirs)
    total = result["sram"]["total"]
    return [millions(theirs), millions(instructions), ratio(instructions, theirs), millions(their_cycles),
            millions(cycles), ratio(cycles, their_cycles), speed, str(total),
            judged_sram(total, goal.get("sram"), int(peer["head"])), str(result["flash"]["code"]),
            str(result["parity"]["mismatches"])]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("golden")
    parser.add_argument("--targets", default="m4,m7,m33,m55,m3,m0")
    parser.add_argument("--models", default="")
    parser.add_argument("--save")
    parser.add_argument("--from", dest="source")
    arguments = parser.parse_args()
    peers, goals, wrong = read_table("peer.csv"), read_table("goals.csv"), 0
    models = arguments.models.split(",") if arguments.models else list(peers)
    for core in arguments.targets.split(","):
        target, *_, against = CORES[core]
        print(f"\n### {core}: {target}, against {against}\n\n| {' | '.join(SUM)} |\n|{'---|' * len(SUM)}", flush=True)
        for model in models:
            result = results_of(arguments, model, target)
            if "error" in result:
                print(f"| {model} | {result['error']} |", flush=True)
                continue
            wrong += result["parity"]["mismatches"]
            print(f"| {model} | {' | '.join(row_of(result, peers[model], goals.get(model, {}), core))} |", flush=True)
    sys.exit(1 if wrong else 0)


main()
