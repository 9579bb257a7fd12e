#!/bin/sh
# The committed pages are what the option tables say now.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"

expect 0 help --markdown
cmp "$work/out" "$MN_SOURCE/docs/cli.md" || fail "docs/cli.md is stale; run scripts/pages.sh"
expect 0 help --man
cmp "$work/out" "$MN_SOURCE/docs/micronets.1" || fail "docs/micronets.1 is stale; run scripts/pages.sh"
expect 0 help --exit-codes
cmp "$work/out" "$MN_SOURCE/docs/exit-codes.md" || fail "docs/exit-codes.md is stale; run scripts/pages.sh"
finish
