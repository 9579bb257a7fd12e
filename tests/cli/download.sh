#!/bin/sh
# data --download against a server on localhost: whole, resumed, refused, cut, interrupted, wrong, no room.
# SPDX-License-Identifier: Apache-2.0
. "$MN_SOURCE/tests/cli/lib.inc"
mkdir "$work/www"
head -c 150000 /dev/urandom >"$work/www/a.bin"
printf 'words' >"$work/www/b.txt"
python3 "$MN_SOURCE/tests/cli/range_server.py" "$work/www" >"$work/port" 2>"$work/server.err" &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
for _ in $(seq 200); do
  [ -s "$work/port" ] && break
  sleep 0.05
done
base=http://127.0.0.1:$(cat "$work/port")
sum=$(sha256sum "$work/www/a.bin" | cut -d' ' -f1)
md5=$(md5sum "$work/www/b.txt" | cut -d' ' -f1)
cat >"$work/table" <<END
# two files
set pair: a and b; no licence
a.bin  150000  sha256:$sum  $base/ranges/a.bin
b.txt  -       md5:$md5     $base/moved/b.txt

set nosum: without a sum
b.txt  -  -  $base/ranges/b.txt
set wrongsum: with another file's
b.txt  -  md5:00000000000000000000000000000000  $base/ranges/b.txt
set wrongsize: with another file's
b.txt  7  md5:$md5  $base/ranges/b.txt
set one: a alone
a.bin  150000  sha256:$sum  $base/ranges/a.bin
END
get="data --table $work/table --json --progress never --download"
same() { cmp -s "$work/www/a.bin" "$1/a.bin" || fail "$1/a.bin is another file"; }
# part BYTES FOLDER: as an interrupted download leaves it
part() { mkdir -p "$2" && head -c "$1" "$work/www/a.bin" >"$2/a.bin.part"; }
no_part() { [ ! -e "$1/a.bin.part" ] || fail "$1: a part is left"; }

# both files, one behind a redirection; again: nothing is asked for
expect 0 $get pair --out "$work/one" || finish
keys "micronets command dataset text files seconds"
value '[f["state"] for f in files] == ["downloaded"] * 2 and all(f["sum_published"] for f in files)'
value "files[0]['bytes'] == 150000 and files[0]['sum'] == 'sha256:$sum' and files[1]['sum'] == 'md5:$md5'"
same "$work/one"
expect 0 $get pair --out "$work/one" --mirror http://127.0.0.1:9
value '[f["state"] for f in files] == ["there"] * 2'

# resumed: only the rest is asked for
part 100000 "$work/two"
expect 0 $get one --out "$work/two" && same "$work/two" && no_part "$work/two"
value 'files[0]["state"] == "resumed"'
python3 -c "import sys, urllib.request as u; sys.exit('ranges bytes=100000-' not in u.urlopen('$base/requests').read().decode())" ||
  fail "the rest was not asked for"

# a part that is the whole needs no server
part 150000 "$work/three"
expect 0 $get one --out "$work/three" --mirror http://127.0.0.1:9 && same "$work/three"

# a server without ranges, one that refuses them, one that breaks off again and again
part 100000 "$work/whole"
expect 0 $get one --out "$work/whole" --mirror "$base/whole" && same "$work/whole"
value 'files[0]["state"] == "downloaded"'
part 100000 "$work/no416"
expect 0 $get one --out "$work/no416" --mirror "$base/no416/" && same "$work/no416"
expect 0 $get one --out "$work/cut" --mirror "$base/cut" && same "$work/cut"
expect 1 $get one --out "$work/cutwhole" --mirror "$base/cutwhole" && one_line && says err "run the same again"
[ -s "$work/cutwhole/a.bin.part" ] && [ ! -e "$work/cutwhole/a.bin" ] || fail "cutwhole: no part, or a whole"
expect 0 $get one --out "$work/cutwhole" && same "$work/cutwhole"

# a range that is another one: begun afresh once, and refused where the server never learns; an answer too long;
# redirections without end; two downloads into one folder
part 100000 "$work/range"
expect 0 $get one --out "$work/range" --mirror "$base/other" && same "$work/range"
expect 1 $get one --out "$work/longer" --mirror "$base/longer" && one_line && says err "longer than the 150000 bytes"
expect 1 $get one --out "$work/round" --mirror "$base/round" && one_line && says err "redirects"
[ -z "$(ls "$work/longer" "$work/round" | grep -v :)" ] || fail "empty parts are left"
part 1000 "$work/locked"
flock "$work/locked/a.bin.part" "$mn" $get one --out "$work/locked" 2>"$work/err" >/dev/null
[ $? = 1 ] || fail "a locked part was written"
says err "another download is writing it"
[ "$(wc -c <"$work/locked/a.bin.part")" = 1000 ] || fail "a locked part was touched"

# a part of a file that neither size nor sum would prove is not gone on with
mkdir "$work/unproved" && printf 'xx' >"$work/unproved/b.txt.part"
expect 0 $get nosum --out "$work/unproved" && cmp -s "$work/www/b.txt" "$work/unproved/b.txt" ||
  fail "an unproved part was gone on with"

# errors of the server: nothing is written, what was there stays
part 1000 "$work/missing"
expect 1 $get one --out "$work/missing" --mirror "$base/missing" && one_line && says err "the server answers 404"
[ "$(wc -c <"$work/missing/a.bin.part")" = 1000 ] || fail "the part of before was touched"
expect 1 $get one --out "$work/broken" --mirror "$base/broken" && one_line && says err "500"
expect 1 $get one --out "$work/nobody" --mirror http://127.0.0.1:9 && one_line

# wrong sum, wrong size, wrong part: no file, no part; a file of that name that is another one stays
expect 1 $get wrongsum --out "$work/wrong" && one_line && says err "expected md5:0000"
[ -z "$(ls "$work/wrong")" ] || fail "a file with the wrong sum is left"
expect 1 $get wrongsize --out "$work/wrong" && one_line && says err "5 bytes; expected 7"
mkdir "$work/badpart" && head -c 100000 /dev/zero >"$work/badpart/a.bin.part"
expect 1 $get one --out "$work/badpart" && one_line && says err "expected sha256:$sum"
expect 0 $get one --out "$work/badpart" && same "$work/badpart"
mkdir "$work/other" && echo mine >"$work/other/a.bin"
expect 1 $get one --out "$work/other" && one_line && says err "move it away"
[ "$(cat "$work/other/a.bin")" = mine ] || fail "a file of the user was overwritten"

# no published sum: the computed one is said
expect 0 $get nosum --out "$work/nosum" && says err "no published sum"
value 'not files[0]["sum_published"] and files[0]["sum"].startswith("sha256:")'

# no room: the message names the part; with room the same command goes on
mkdir "$work/full" && ln -s /dev/full "$work/full/a.bin.part"
expect 1 $get one --out "$work/full" && one_line && says err "No space left on device"
[ ! -e "$work/full/a.bin" ] || fail "a file without room"
rm "$work/full/a.bin.part"
expect 0 $get one --out "$work/full" && same "$work/full"

# interrupted: the part stays, the same command goes on
"$mn" $get one --out "$work/slow" --mirror "$base/slow" >/dev/null 2>"$work/err" </dev/null &
pid=$!
for _ in $(seq 400); do
  [ -s "$work/slow/a.bin.part" ] && break
  sleep 0.02
done
kill -INT $pid
wait $pid
[ $? = 130 ] || fail "interrupted: another exit code"
[ -s "$work/slow/a.bin.part" ] && [ ! -e "$work/slow/a.bin" ] || fail "interrupted: no part, or a whole"
expect 0 $get one --out "$work/slow" && same "$work/slow"
value 'files[0]["state"] == "resumed"'

# names and tables
expect 2 data --download nothing && one_line && says err "speech_commands_v2" && says err "coco2014"
expect 2 $get nothing --out "$work/x" && one_line && says err "pair nosum"
expect 2 data --mirror "$base" && one_line
expect 2 $get one --words yes,no --out "$work/x" && one_line
expect 2 $get one --mirror ftp://here --out "$work/x" && one_line
wrong() {
  printf 'set s: t\n%s\n' "$1" >"$work/bad"
  expect 3 data --table "$work/bad" --download s --out "$work/x" && one_line && says err "bad:2" && says err "$2"
}
wrong "../a 1 - http://h/a" "name of a file"
wrong "a x - http://h/a" "number of bytes"
wrong "a 1 md5:12 http://h/a" "lower case"
wrong "a 1 - file:///etc/passwd" "http or https"
wrong "a 1 - http://h/a more" "nothing behind"
printf 'set s: t\n' >"$work/bad"
expect 3 data --table "$work/bad" --download s --out "$work/x" && one_line && says err "set s names no file"
wrong "set s: again" "only once"
finish
