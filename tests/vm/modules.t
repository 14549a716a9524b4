#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# A type that only a module has, out of a real kernel's modules: named one by one, as a folder, and
# from an archive that holds them beside vmlinux. The kernel is the one that the VM test fetched.
. "$TOP/tests/tap.sh"
kernel=6.1.0-56-cloud-amd64
module=$(find "$TOP/build/vm-cache" -path "*$kernel*" -name nf_conntrack.ko 2>/dev/null | head -n 1)
archived=$SHARED/archive/debian/12/x86_64/$kernel.btf.tar.xz
[ -n "$module" ] || tap_skip "no modules of $kernel; debian61.t fetches them"
[ -r "$archived" ] || tap_skip "no BTF of $kernel in $SHARED/archive"
command -v bpftool >/dev/null || tap_skip "no bpftool to look with"
cd "$TMP" || exit 1
BTFGEN=$BIN/btfgen

tar -xJf "$archived"
vmlinux=$kernel.btf
printf 'btfdepot-need 1\n%s\n%s\n' "byte_off	struct	ct_iter_state	0.bucket	int" \
	"byte_off	struct	task_struct	0.pid	int" >need.txt
structs() { bpftool btf dump file "$1" | grep -c "STRUCT 'ct_iter_state'"; }
offset() # file: bits, of the member in it
{
	bpftool btf dump file "$1" | sed -n "s/^\t'bucket' .*bits_offset=//p" | head -n 1
}

ok "vmlinux alone" "$BTFGEN" cut --need need.txt "$vmlinux" alone.btf
is "$(structs alone.btf)" 0 "has no such type"
ok "with the module" "$BTFGEN" cut --need need.txt --module "$module" "$vmlinux" one.btf
is "$(structs one.btf)" 1 "has it"
is "$(offset one.btf)" "$(bpftool btf dump -B "$vmlinux" file "$module" |
	sed -n "/STRUCT 'ct_iter_state'/,/^\[/s/^\t'bucket' .*bits_offset=//p")" "at its place"
ok "libbpf reads the file as it is" bpftool btf dump file one.btf

mkdir modules
find "${module%/net/*}" -name '*.ko' -path '*/net/*' -exec cp {} modules/ \;
ok "with a folder of $(find modules -type f | wc -l)" \
	"$BTFGEN" cut --need need.txt --module modules "$vmlinux" folder.btf
ok "the same bytes" cmp one.btf folder.btf

mkdir -p archive/debian/12/x86_64 members
cp "$vmlinux" members/vmlinux
llvm-objcopy --dump-section .BTF=members/nf_conntrack "$module" /dev/null
tar -C members -cJf "archive/debian/12/x86_64/$kernel.btf.tar.xz" vmlinux nf_conntrack
for again in "at first" "from the working copy"; do
	rm -rf tree
	ok "an archive with modules, $again" \
		"$BTFGEN" min -q --need need.txt --out tree --archive archive
	ok "the same bytes" cmp one.btf tree/min/*/debian/12/x86_64/$kernel.btf
done

other=$(find modules -name 'nf_*.ko' ! -name nf_conntrack.ko | head -n 1)
ok "an archive with modules, and one more" "$BTFGEN" cut --need need.txt --module "$other" \
	"archive/debian/12/x86_64/$kernel.btf.tar.xz" more.btf
is "$(structs more.btf)" 1 "both are looked at"

head -c 1000 members/nf_conntrack >members/torn
"$BTFGEN" cut --need need.txt --module members/torn "$vmlinux" none.btf 2>said
is $? 1 "a torn module is refused"
is "$(wc -l <said)" 1 "in one line"
ok "and nothing is written" test ! -e none.btf
tap_done
