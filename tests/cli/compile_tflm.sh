#!/bin/sh
# A model as a project for TFLite Micro: the array is the file to the byte, the arena and the operators
# are those that inspect names.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
"$MN_BINARY/tests/tflite_make" "$work" >"$work/made" || finish
model=$(ls "$work"/*.tflite | head -1)

expect 0 compile "$model" --target nucleo-f446re --runtime tflm --name kws --out "$work/project" --json || finish
keys "folder files sram.total flash.total tflm.arena tflm.ops map.sram.persistent_buffers_modelled map.flash.runtime_modelled map.flash.free"
cp "$work/out" "$work/compiled"
for file in model.c model.h ops.h main.cc README.md; do
  [ -s "$work/project/$file" ] || fail "$file is not there"
done
expect 0 inspect "$model" --target nucleo-f446re --runtime tflm --json
python3 - "$work" "$model" <<'PY' || fail "the project is not what inspect says"
import json, re, sys
work, model = sys.argv[1:]
seen, made = (json.load(open(work + "/" + name)) for name in ("out", "compiled"))
array = re.search(r"\{(.*?)\}", open(work + "/project/model.c").read(), re.S)[1]
header = open(work + "/project/model.h").read()
ops = re.findall(r"resolver\.Add(\w+)\(\)", open(work + "/project/ops.h").read())
same = bytes(int(b) for b in array.replace("\n", "").split(",") if b.strip()) == open(model, "rb").read()
arena = int(re.search(r"KWS_ARENA_BYTES = (\d+)", header)[1])
names = sorted(op.lower() for op in ops)
wanted = sorted(op.replace("_", "").lower() for op in seen["tflm"]["ops"])
flash, sram = (sum(seen["map"][k].values()) for k in ("flash", "sram"))
print(same, arena, seen["tflm"]["arena"], names, flash, sram)
whole = flash == 512 * 1024 and sram == 128 * 1024
sys.exit(0 if same and whole and arena == seen["tflm"]["arena"] and names == wanted and seen["map"] == made["map"] else 1)
PY
cc -std=c11 -Wall -Werror -fsyntax-only "$work/project/model.c" || fail "model.c does not compile"
expect 2 compile "$model" --target nucleo-f446re --runtime tflm --name KWS --out "$work/p2" && one_line
finish
