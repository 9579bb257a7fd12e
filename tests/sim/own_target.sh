# A target of the user's own, with compiler flags that no shipped table knows: its code sizes are
# measured once and kept; a damaged cache is measured again; without the compiler there is still a price.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.inc"
export XDG_CACHE_HOME="$work/cache"
net=$MN_SOURCE/networks/ds_cnn_s.net
sed 's/-mthumb/-mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16/' "$MN_SOURCE/targets/mps2-an386.ini" >"$work/own.ini"

price() {
  "$MICRONETS" inspect "$net" --target "$work/own.ini" --json --quiet 2>"$work/err" |
    sed 's/.*"flash":{\([^}]*\)}.*/\1/'
}
same() {
  [ "$1" = "$2" ] && return
  failures=$((failures + 1))
  echo "FAILED: $3: $1, before $2"
  cat "$work/err"
}

first=$(price)
case $first in
  *'"code":'[1-9]*) ;;
  *) same "$first" "a size of code" "the first price" ;;
esac
file=$(ls "$work"/cache/micronets/code-size-*.txt)
same "$(price)" "$first" "the price from the cache"
sed 's/ [0-9]* / 1 /' "$file" >"$work/changed" && cp "$work/changed" "$file"
[ "$(price)" != "$first" ] || same "the cache" "not read" "a changed cache"
head -3 "$work/changed" >"$file"
same "$(price)" "$first" "the price after damage"

mkdir "$work/nothing"
bare=$(PATH="$work/nothing" "$MICRONETS" inspect "$net" --target "$work/own.ini" --json --quiet 2>"$work/err")
case $bare in
  *'"code":'[1-9]*) ;;
  *) same "$bare" "a size of code" "the price without a compiler" ;;
esac
bench "random:3" "$work/own.ini"
finish
