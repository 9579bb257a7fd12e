# The figures of the shipped code-size table are those of this build's kernels, where the compiler is
# the same.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
table=$MN_SOURCE/src/target/code_size_table.c
made_here code_size_table.c
"$tools/code_size" "$work/sizes" >"$work/table.c" || exit 1
cmp -s "$work/table.c" "$table" || echo "the table's sources have changed since; figures:"
grep -v sources_hash "$table" >"$work/old"
grep -v sources_hash "$work/table.c" >"$work/new"
if cmp -s "$work/old" "$work/new"; then
  echo "all well"
  exit 0
fi
echo "FAILED: src/target/code_size_table.c is stale; run scripts/code_size.sh and build again"
diff "$work/old" "$work/new"
exit 1
