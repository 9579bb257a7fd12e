#!/bin/sh
# Standard output that fails: a full disk, a closed pipe. JSON shape of what needs no data.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"

if [ -w /dev/full ]; then
  "$mn" version --json >/dev/full 2>"$work/err"
  [ $? = 1 ] || fail "full disk: exit $?"
  one_line
  says err "No space left"
fi
# the reader has left before we write
{ sleep 1; "$mn" help --markdown 2>"$work/err"; echo $? >"$work/code"; } | true
sleep 2
[ "$(cat "$work/code")" = 1 ] || fail "broken pipe: exit $(cat "$work/code")"
one_line

expect 0 version --json
python3 - "$work/out" <<'PY' || fail "version --json is not one object with micronets and command"
import json, sys
text = open(sys.argv[1]).read()
value = json.loads(text)
assert list(value)[:2] == ["micronets", "command"], value
assert value["command"] == "version"
PY
finish
