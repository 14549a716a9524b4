#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# One kernel cut from the command line: the same bytes from objects, from their need, in any order
# and any number of times; 32-bit kernels keep their pointers' size.
. "$TOP/tests/tap.sh"
. "$TOP/tests/oracle/build.sh"
[ -r $LIVE ] || tap_skip "$LIVE cannot be read"
ok "the corner cases compile" corners
cd "$TMP/corners" || exit 1
objects=(fields.bpf.o types.bpf.o enums.bpf.o chains.bpf.o)
backwards=(chains.bpf.o enums.bpf.o types.bpf.o fields.bpf.o fields.bpf.o)

cut() # BTF out option or object...
{
	"$BTFGEN" cut -q "$@"
}

ok "objects are cut for" cut $LIVE one "${objects[@]}"
ok "backwards, one twice" cut $LIVE two "${backwards[@]}"
ok "the same bytes" cmp one two
"$BTFGEN" need "${objects[@]}" >need
ok "from the need alone" cut $LIVE three --need need
ok "the same bytes" cmp one three
ok "to standard output" eval "cut $LIVE - ${objects[*]} >four"
ok "the same bytes" cmp one four
ok "from what was cut" cut one five "${objects[@]}"
ok "the same bytes" cmp one five
ok "it is small" test "$(stat -c %s one)" -lt 8192

pointers() # kernel: bytes of a pointer, as bpftool finds them in what is cut
{
	tar -xJOf "$SHARED/archive/$1.btf.tar.xz" >kernel.btf
	shift
	cut "$@" kernel.btf min fields.bpf.o
	bpftool btf dump file min | sed -n "s/^.*INT 'long unsigned int' size=\([0-9]*\) .*/\1/p"
}

if [ -d "$SHARED/archive" ] && command -v bpftool >/dev/null; then
	for kernel in debian/12/armhf/6.1.0-54-armmp debian/12/i386/6.1.0-54-686-pae \
		debian/12/mipsel/6.1.0-50-4kc-malta debian/12/armel/6.1.0-50-rpi; do
		is "$(pointers $kernel)" 4 "$kernel: pointers of 4 bytes"
		is "$(pointers $kernel --no-probe)" 4 "$kernel: in either form"
	done
	is "$(pointers debian/13/s390x/6.12.113+deb13-s390x)" 8 "s390x: of 8 bytes"
	is "$(od -An -tx1 -N 2 min)" " eb 9f" "in its own byte order"
else
	skip "no archive of kernels, or no bpftool"
fi

cut /dev/null none fields.bpf.o 2>said
is $? 1 "no BTF"
is "$(wc -l <said)" 1 "is one line"
ok "and no file" test ! -e none
mknod device c 1 3 2>/dev/null && {
	cut $LIVE device fields.bpf.o 2>said
	is $? 1 "a device is no place for a file"
	ok "and stays one" test -c device
}
cut $LIVE - fields.bpf.o >/dev/full 2>said
is $? 1 "standard output that is full is a failure"
tap_done
