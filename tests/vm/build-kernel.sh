#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# build-kernel.sh [FOLDER]: makes the kernel without BTF that tests/vm/nobtf.t boots, out of
# Debian's source package: bzImage, config, and vmlinux.btf of the same build, from its DWARF.
# FOLDER is build/vm-kernel. Takes 5 to 20 minutes and 3 GB below build/; what is there already is
# not made again. JOBS says how many compilers run (2).
#
# Linux 5.10 is wanted, as the oldest that Debian has: if this machine's release has a newer one,
# bullseye is asked for it with package lists of our own, so that the machine's stay as they are.
set -u
cd "$(dirname "$0")/../.." || exit 1
TOP=$PWD
OUT=${1:-$TOP/build/vm-kernel}
WORK=$TOP/build/vm-kernel-work
JOBS=${JOBS:-2}
APT_SECONDS=600

fail()
{
	echo "build-kernel.sh: $1" >&2
	exit 1
}

need_programs()
{
	local missing=() program

	for program in apt-get apt-cache dpkg-deb make gcc flex bison bc pahole xz perl; do
		command -v $program >/dev/null || missing+=("$program")
	done
	[ ${#missing[@]} = 0 ] ||
		fail "missing: ${missing[*]}; try: apt-get install build-essential flex bison bc dwarves libelf-dev"
}

# The archive that this machine takes Debian from, as apt tells it.
mirror()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }'
}

apt_of_ours() # apt program, argument...: with the lists in $WORK/apt
{
	local program=$1

	shift
	timeout $APT_SECONDS "$program" -q -o Dir::Etc::sourcelist="$WORK/apt/sources.list" \
		-o Dir::Etc::sourceparts=- -o Dir::Etc::preferencesparts=- \
		-o Dir::State::lists="$WORK/apt/lists" -o Dir::Cache="$WORK/apt/cache" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

download_bullseye()
{
	local from keys=/usr/share/keyrings/debian-archive-keyring.gpg

	from=$(mirror)
	[ -n "$from" ] || return 1
	[ -e $keys ] || return 1
	mkdir -p "$WORK/apt/lists/partial" "$WORK/apt/cache/archives/partial"
	echo "deb [signed-by=$keys] $from bullseye main" >"$WORK/apt/sources.list"
	apt_of_ours apt-get update >&2 && apt_of_ours apt-get download linux-source-5.10 >&2
}

# This machine's own oldest.
download_own()
{
	local name

	name=$(apt-cache pkgnames linux-source- | grep -Ex 'linux-source-[0-9.]+' | sort -V | head -n 1)
	[ -n "$name" ] && timeout $APT_SECONDS apt-get -q download "$name" >&2
}

unpack()
{
	local deb

	cd "$WORK" || return 1
	ls linux-source-*.deb >/dev/null 2>&1 || download_bullseye || download_own ||
		fail "no linux-source package can be had from bullseye or from this machine's archive"
	deb=$(echo linux-source-*.deb)
	[ -d "${deb%%_*}" ] && echo "${deb%%_*}" && return
	dpkg-deb -x "$deb" package && tar -xf "package/usr/src/${deb%%_*}.tar.xz" &&
		rm -rf package && echo "${deb%%_*}"
}

configure() # source: in $WORK/obj
{
	local line

	make -s -C "$1" O="$WORK/obj" tinyconfig || return 1
	(cd "$WORK/obj" && "$1/scripts/kconfig/merge_config.sh" -m -O . .config \
		"$1/kernel/configs/kvm_guest.config" "$TOP/tests/vm/kernel.config" >merge.log) || return 1
	make -s -C "$1" O="$WORK/obj" olddefconfig || return 1
	# Kconfig drops what it does not know: names change between versions, these must not.
	for line in BPF_SYSCALL KPROBES KPROBE_EVENTS BPF_EVENTS VIRTIO_NET VIRTIO_MMIO_CMDLINE_DEVICES; do
		grep -qx "CONFIG_$line=y" "$WORK/obj/.config" || fail "the configuration lost CONFIG_$line"
	done
	! grep -qx 'CONFIG_DEBUG_INFO_BTF=y' "$WORK/obj/.config" || fail "the configuration has BTF"
}

[ ! -e "$OUT/vmlinux.btf" ] || { echo "$OUT is there"; exit 0; }
[ "$(uname -m)" = x86_64 ] || fail "only on x86_64"
need_programs
mkdir -p "$WORK" || exit 1
name=$(unpack)
[ -n "$name" ] || fail "the source cannot be unpacked"
configure "$WORK/$name" || fail "the source cannot be configured"
[ -z "${CONFIGURE_ONLY:-}" ] || exit 0
nice -n 10 make -s -C "$WORK/$name" O="$WORK/obj" -j"$JOBS" bzImage ||
	fail "the kernel does not compile; $WORK holds what there is"

publish()
{
	mkdir -p "$WORK/out"
	cp "$WORK/obj/arch/x86/boot/bzImage" "$WORK/out/bzImage" &&
		cp "$WORK/obj/.config" "$WORK/out/config" &&
		pahole -j"$JOBS" --btf_encode_detached="$WORK/out/vmlinux.btf" "$WORK/obj/vmlinux" &&
		chmod 644 "$WORK"/out/* && rm -rf "$OUT" && mv "$WORK/out" "$OUT"
}
publish || fail "cannot finish $OUT"
rm -rf "$WORK"
ls -l "$OUT"
