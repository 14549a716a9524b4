#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# --old-readers: no kind that libbpf before 1.0 refuses, unless the need hangs on it; and a run that
# is killed at any moment leaves whole files only.
. "$TOP/tests/tap.sh"
LIVE=/sys/kernel/btf/vmlinux
[ -r $LIVE ] || tap_skip "$LIVE cannot be read"
command -v bpftool >/dev/null || tap_skip "no bpftool to look with"
cd "$TMP" || exit 1
enum=$(bpftool btf dump file $LIVE | sed -n "s/^.*ENUM64 '\([a-z_]*\)'.*/\1/p" | head -n 1)
[ -n "$enum" ] || tap_skip "this kernel has no named enum64"
large=$(bpftool btf dump file $LIVE | sed -n "/ENUM64 '$enum'/,/^\[/p" |
	sed -n "s/^\t'\([A-Z_0-9]*\)' val=[0-9]\{11,\}.*/\1/p" | head -n 1)

need() { printf 'btfdepot-need 1\n%s\n' "$1" >need.txt; }
kinds() { bpftool btf dump file out.btf | grep -c "ENUM64"; }

need "type_exists	enum	$enum	-	enum"
ok "an enum64 is cut" "$BIN/btfgen" cut --need need.txt $LIVE out.btf
is "$(kinds)" 1 "as it is"
ok "for old readers" "$BIN/btfgen" cut --old-readers --need need.txt $LIVE out.btf
is "$(kinds)" 0 "as an enum"
is "$(bpftool btf dump file out.btf | grep -c "ENUM '$enum'.*size=8")" 1 "of the same size"
if [ -n "$large" ]; then
	need "enumval_value	enum	$enum	$large	-"
	ok "a value that only an enum64 holds" \
		"$BIN/btfgen" cut --old-readers --need need.txt $LIVE out.btf
	is "$(kinds)" 1 "stays in one"
else
	skip "no value of $enum is that large"
fi

# Killed after more and more system calls, until one run gets through.
mkdir -p archive/d/1/x86_64
for i in a b c; do cp $LIVE archive/d/1/x86_64/$i.btf; done
need "type_size	struct	task_struct	-	struct"
"$BIN/btfgen" cut --need need.txt $LIVE whole.btf
torn=0 kills=0
for ms in $(seq 0 2 60); do
	rm -rf tree
	timeout -s KILL "0.$(printf %03d "$ms")" \
		"$BIN/btfgen" min -q --no-work --need need.txt --out tree --archive archive 2>/dev/null
	[ $? = 137 ] && kills=$((kills + 1))
	while read -r f; do cmp -s "$f" whole.btf || torn=$((torn + 1)); done \
		< <(find tree -name '*.btf' ! -name '.tmp-*' 2>/dev/null)
done
ok "some runs were killed" test "$kills" -gt 0
is "$torn" 0 "no file was torn"
ok "the next run is as if nothing had been" \
	"$BIN/btfgen" min -q --no-work --need need.txt --out tree --archive archive
is "$(find tree -name '*.btf' | wc -l)" 6 "all files are there"
tap_done
