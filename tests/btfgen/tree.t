#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# What "btfgen min" leaves in a tree, whatever ran before, and in which order.
. "$TOP/tests/tap.sh"
command -v python3 >/dev/null || tap_skip "python3 is missing"
cd "$TMP" || exit 1
HERE=$TOP/tests/btfgen
second=ubuntu/20.04/x86_64/5.4.0-77-generic@0123456789ab

kernel() # path offset: raw
{
	mkdir -p "$(dirname "archive/$1")"
	python3 "$HERE/mkkernel.py" "archive/$1.btf" "$2"
}

packed() # path offset: in BTFHub's form
{
	local name

	name=$(basename "$1").btf
	mkdir -p "$(dirname "archive/$1")"
	python3 "$HERE/mkkernel.py" "$name" "$2"
	tar -cJf "archive/$1.btf.tar.xz" "$name"
	rm "$name"
}

min() # option...: into $TREE
{
	"$BIN/btfgen" min --archive archive --need need.txt --out "${TREE:-tree}" "$@" >said 2>err
}

inode()
{
	stat -c %i "$part/$1"
}

# Everything that stands there, with content: one line per file, times and numbers of links left out.
snapshot() # tree
{
	(cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2)
}

printf 'btfdepot-need 1\nbyte_off\tstruct\ttask_struct\t0.pid\tint\n' >need.txt
need=$(sha256sum <need.txt | cut -c 1-64)
part=tree/min/$need
kernel ubuntu/20.04/x86_64/5.4.0-77-generic 100
packed ubuntu/18.04/x86_64/5.4.0-77-generic 100
kernel ubuntu/20.04/arm64/5.4.0-77-generic 200
packed debian/13/x86_64/6.12.117+deb13-amd64 300

ok "a tree is made" min
is "$(grep -c '^done ' said)" 4 "four kernels are done"
is "$("$BIN/btfgen" need --id --need need.txt)" "$need" "the need's name is the digest of its text"
ok "need.txt is the need" cmp need.txt "$part/need.txt"
is "$(inode ubuntu/20.04/x86_64/5.4.0-77-generic.btf)" \
	"$(inode ubuntu/18.04/x86_64/5.4.0-77-generic.btf)" "equal files are one"
is "$(inode by-release/x86_64/5.4.0-77-generic.btf)" \
	"$(inode ubuntu/18.04/x86_64/5.4.0-77-generic.btf)" "by-release too, if all agree"
ok "the other arch has its own" cmp -s "$part/by-release/arm64/5.4.0-77-generic.btf" \
	"$part/ubuntu/20.04/arm64/5.4.0-77-generic.btf"
ok "a + stays one" test -s "$part/by-release/x86_64/6.12.117+deb13-amd64.btf"

# The index: its columns, its order, and what it says of each file.
index=$part/index.tsv
is "$(head -n 1 "$index")" \
	"$(printf 'arch\tdistro\tdistro_version\trelease\tbuild_id\tversion\tsha256\tsize')" \
	"the index has its header"
is "$(tail -n +2 "$index" | awk -F '\t' 'NF != 8' | wc -l)" 0 "eight columns each"
ok "rows are sorted by bytes" eval "tail -n +2 '$index' | LC_ALL=C sort -c"
bad=0 rows=0
while IFS=$'\t' read -r arch distro version release _ _ digest size; do
	file=$part/$distro/$version/$arch/$release.btf
	rows=$((rows + 1))
	[ "$(sha256sum <"$file" | cut -c 1-64) $(stat -c %s "$file")" = "$digest $size" ] || bad=1
done < <(tail -n +2 "$index")
is "$rows $bad" "4 0" "one row each, with the file's digest and size"

snapshot tree >before
links=$(find tree -type f -printf '%i\n' | sort -u | wc -l)
ok "again" min
is "$(grep -c '^reused ' said)" 4 "all four stand there already"
ok "nothing changed" diff before <(snapshot tree)
is "$(find tree -type f -printf '%i\n' | sort -u | wc -l)" "$links" "nor was it written anew"

# A name that two kernels answer differently to is no name.
packed ubuntu/18.04/x86_64/5.4.0-77-generic 104
ok "one kernel changes" min
is "$(grep -c '^reused ' said) $(grep -c '^done ' said)" "3 1" "one is done, three are reused"
ok "the name is gone" test ! -e "$part/by-release/x86_64/5.4.0-77-generic.btf"
ok "the other arch's stays" test -e "$part/by-release/arm64/5.4.0-77-generic.btf"
ok "the one it was linked with is as before" grep -q \
	"$(sha256sum "$part/ubuntu/20.04/x86_64/5.4.0-77-generic.btf" | cut -c 1-64)" before
packed ubuntu/18.04/x86_64/5.4.0-77-generic 100
ok "and changes back" min
ok "everything is as at first" diff before <(snapshot tree)

# Leftovers of a killed run, on either side.
cp "archive/ubuntu/20.04/x86_64/5.4.0-77-generic.btf" \
	"archive/ubuntu/20.04/x86_64/.tmp-5.4.0-78-generic.btf"
cp "$part/need.txt" "$part/ubuntu/20.04/x86_64/.tmp-5.4.0-78-generic.btf"
ok "leftovers" min
ok "are no kernels" eval "! grep 5.4.0-78 said '$index'"
ok "and none of ours are there" [ "$(find tree -name '.tmp-*' | wc -l)" = 1 ]
rm -f "$part/ubuntu/20.04/x86_64/.tmp-5.4.0-78-generic.btf"

# Both forms of one kernel: the packed one counts.
kernel ubuntu/18.04/x86_64/5.4.0-77-generic 999
ok "twins" min
ok "the packed one counts" diff before <(snapshot tree)

# Another number of threads, and shards' worth of separate runs.
for options in "--jobs 1" "--jobs 7"; do
	# shellcheck disable=SC2086 # words
	TREE="other $options" ok "with $options" min $options
	ok "the same tree" diff <(snapshot tree) <(snapshot "other $options")
done
TREE=parts ok "arm64 alone" min --arch arm64
TREE=parts ok "then x86_64" min --arch x86_64
ok "the same tree" diff <(snapshot tree) <(snapshot parts)

# A second build of a release has its own file beside the first.
kernel $second 500
ok "a second build" min
is "$(grep -c '^done ' said)" 1 "is done"
ok "it has its own file" test -e "$part/$second.btf"
ok "the first keeps its" grep -q \
	"$(sha256sum "$part/ubuntu/20.04/x86_64/5.4.0-77-generic.btf" | cut -c 1-64)" before
ok "no name for both" test ! -e "$part/by-release/x86_64/5.4.0-77-generic.btf"
is "$(grep -c "5.4.0-77-generic	0123456789ab	" "$index")" 1 "the index tells them apart"
snapshot tree >before

# One bad kernel is told, and does no harm.
echo junk >archive/debian/13/x86_64/6.13.0-amd64.btf
min
is $? 1 "a bad kernel is a failure"
is "$(grep -c '^failed .*debian/13/x86_64/6.13.0-amd64: ' said)" 1 "told with its name"
ok "the others stand" diff before <(snapshot tree)
min --json
is "$(python3 -c 'import json, sys
print(sorted(json.loads(line)["status"] for line in sys.stdin))' <said)" \
	"['failed', 'reused', 'reused', 'reused', 'reused', 'reused']" "the same as JSON"
tap_done
