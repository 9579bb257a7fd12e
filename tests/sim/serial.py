# serial.py - bench over a pseudo-terminal: the bench program with its serial seam runs on an emulated
# board whose UART is the terminal, and the host side talks to it as to a real one.
# Usage: serial.py MICRONETS MODEL FOLDER TARGET talk|damage|build
# "damage" flips a bit of the first frame to the board, which has to ask for it again; "build" stops when
# the program for the board is there.
# SPDX-License-Identifier: Apache-2.0
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tty


def open_terminal():
    """Our end of a pseudo-terminal, raw, and the name of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    return ours, os.ttyname(theirs)


def wait_for_program(bench):
    """Bench says when the program is there to be flashed."""
    for line in bench.stderr:
        if "reset the board" in line:
            return True
        sys.stderr.write(line)
    return False


def start_board(folder):
    command = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-kernel",
               os.path.join(folder, "board.elf"), "-serial", "stdio"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)


class Damage:
    """Flips a bit of the third byte of what goes to the board, once."""

    def __init__(self, wanted):
        self.left = wanted
        self.seen = 0

    def pass_on(self, data):
        data = bytearray(data)
        if self.left and self.seen + len(data) > 3 >= self.seen:
            data[3 - self.seen] ^= 1
            self.left = False
        self.seen += len(data)
        return bytes(data)


def connect(ours, board, bench, damage):
    """Moves bytes between terminal and board until bench ends."""
    while bench.poll() is None:
        for source in select.select([ours, board.stdout], [], [], 0.1)[0]:
            data = os.read(source.fileno() if hasattr(source, "fileno") else source, 4096)
            if source == ours:
                # the emulated UART has no queue: one byte at a time, as at a real rate
                for byte in damage.pass_on(data):
                    board.stdin.write(bytes([byte]))
            elif data:
                os.write(ours, data)


def start_bench(program, model, folder, target):
    """Bench, waiting for its board, and our end of its port."""
    ours, port = open_terminal()
    command = [program, "bench", model, "--target", target, "--port", port, "--out", folder, "--json", "--progress", "never"]
    bench = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not wait_for_program(bench):
        sys.exit("bench ended before the program was there")
    return bench, ours


def judge(bench):
    result = json.loads(bench.stdout.read() or "{}")
    parity = result.get("parity", {})
    print("exit=%d emulated=%s tensors=%s of %s vectors=%s mismatches=%s" % (
        bench.returncode, result.get("emulated"), parity.get("tensors"), parity.get("tensors_total"),
        parity.get("vectors"), parity.get("mismatches")))
    good = bench.returncode == 0 and result["emulated"] is False and result["instructions"] is None
    return good and parity["mismatches"] == 0 and parity["tensors"] == parity["tensors_total"] and parity["vectors"] > 0


def main():
    program, model, folder, target, mode = sys.argv[1:6]
    bench, ours = start_bench(program, model, folder, target)
    if mode == "build":
        bench.send_signal(signal.SIGINT)
        sys.exit(0 if bench.wait() == 130 else 1)
    board = start_board(folder)
    try:
        connect(ours, board, bench, Damage(mode == "damage"))
    finally:
        board.kill()
    sys.exit(0 if judge(bench) else 1)


main()
