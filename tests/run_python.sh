#!/bin/sh
# Runs an oracle test with the pinned Python, or skips with a clear line.
python=$1
[ -x "$python" ] || { echo "skipped: no oracle environment at $python (scripts/test.sh makes it)"; exit 77; }
exec "$@"
