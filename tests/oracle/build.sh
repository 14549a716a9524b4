# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# What the tests beside it ask about, built below $TMP; to be sourced after tests/tap.sh:
#	corners		objects of the corner cases into $TMP/corners
#	kernels		$TMP/here: the live kernel and the made-up one, in BTFHub's layout
#	subset		$TMP/subset.list: kernels of the archive, one of each sort
#	tools		the programs of libbpf-tools, one on each line
# clang-16 compiles what clang 14 crashes at; without it these corners are left out.
HERE=$TOP/tests/oracle
# shellcheck disable=SC2034 # for who sources this
BTFGEN=$BIN/btfgen
LIVE=/sys/kernel/btf/vmlinux
asks="SAME MOVED ONLY_A BOTH PRUNED LATE EMPTY OVERLAP SIZE EXISTS IRQ EOI NUMBER SUN GAP"

compile() # compiler object source flag...
{
	local compiler=$1 object=$2 source=$3

	shift 3
	"$compiler" -g -O2 -target bpf -D__TARGET_ARCH_x86 -Wall -Werror -iquote "$HERE" \
		-idirafter "/usr/include/$(uname -m)-linux-gnu" "$@" -c -o "$object" "$HERE/$source"
}

corners()
{
	local name ask new

	mkdir -p "$TMP/corners"
	new=$(command -v clang-16)
	for name in fields types ids enums chains; do
		compile clang "$TMP/corners/$name.bpf.o" $name.bpf.c || return
		[ -z "$new" ] || compile "$new" "$TMP/corners/${name}-16.bpf.o" $name.bpf.c || return
	done
	[ -z "$new" ] || compile "$new" "$TMP/corners/matches.bpf.o" matches.bpf.c || return
	for ask in $asks; do
		compile clang "$TMP/corners/twins-$ask.bpf.o" twins.bpf.c -DASK="ASK_$ask" || return
	done
}

# Linked by bpftool, which takes equal types together and leaves others of one name apart.
world() # BTF
{
	local part parts=()

	for part in 1 2 3; do
		parts+=("$TMP/world$part.o")
		compile clang-16 "$TMP/world$part.o" world.c -DPART=$part || return
	done
	bpftool gen object "$TMP/world.o" "${parts[@]}" &&
		llvm-objcopy --dump-section ".BTF=$1" "$TMP/world.o" "$TMP/world.copy.o"
}

kernels()
{
	mkdir -p "$TMP/here/made/up/x86_64" "$TMP/here/live/1/x86_64"
	[ ! -r $LIVE ] || cp $LIVE "$TMP/here/live/1/x86_64/live.btf"
	{ command -v clang-16 && command -v bpftool; } >/dev/null || return 0
	world "$TMP/here/made/up/x86_64/world.btf"
}

# Either byte order, pointers of 4 and 8 bytes, before and after 5.14; one without FUNC, one that
# never was deduplicated.
subset()
{
	cat >"$TMP/subset.list" <<-'END'
	debian/11/x86_64/5.10.0-30-amd64
	debian/12/armhf/6.1.0-54-armmp
	debian/12/mips64el/6.1.0-50-octeon
	debian/12/x86_64/6.1.0-56-amd64
	debian/13/s390x/6.12.113+deb13-s390x
	debian/13/x86_64/6.18.15+deb13-amd64
	centos/8/arm64/4.18.0-147.5.1.el8_1.aarch64
	kylin/V10/arm64/4.19.90-52.22.v2207.ky10.aarch64
	END
}

tools()
{
	local file

	dpkg -L libbpf-tools 2>/dev/null | grep -E '/s?bin/' | while read -r file; do
		[ ! -f "$file" ] || [ -L "$file" ] || echo "$file"
	done
}

# libbpf probes the kernel before it relocates.
may_ask()
{
	[ "$(id -u)" = 0 ] || tap_skip "libbpf wants root or CAP_BPF to probe the kernel"
}
