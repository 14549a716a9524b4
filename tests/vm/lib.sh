# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# Boots kernels in qemu, without KVM: TCG takes a few seconds and works everywhere. A test does
#
#	. "$TOP/tests/vm/lib.sh"
#	vm_need				or skips
#	vm_root "$TMP/root"		busybox, init and no modules
#	vm_program "$TMP/root" "$BIN/btf-agent"
#	cp guest-script "$TMP/root/test"
#	vm_boot "$TMP/root" bzImage pc "$port" "$TMP/console"
#	vm_file "$TMP/console" events >"$TMP/events"
#
# In the guest the host's 127.0.0.1:$port is http://10.0.2.100, and nothing else is to be reached.
# The guest's script prints files for vm_file with "show NAME FILE", see vm_root.

VM_SECONDS=${VM_SECONDS:-120} # each boot is killed after that; a good one takes 5 to 15
VM_CACHE=$TOP/build/vm-cache

vm_need()
{
	local program

	[ "$(uname -m)" = x86_64 ] || tap_skip "the guests are x86_64 kernels with this machine's programs"
	for program in qemu-system-x86_64 busybox setpriv cpio gzip; do
		command -v $program >/dev/null || tap_skip "no $program here"
	done
	! ldd "$(command -v busybox)" >/dev/null 2>&1 || tap_skip "busybox is not static (busybox-static)"
}

vm_root() # folder
{
	mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,modules} "$1/var/cache"
	cp "$(command -v busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	cp "$TOP/tests/vm/init" "$1/init"
	chmod 755 "$1/init"
	: >"$1/modules/list"
	# shellcheck disable=SC2016 # the guest's variables
	printf '#!/bin/sh\necho "@file $1"\ncat "$2"\necho "@eof $1"\n' >"$1/bin/show"
	chmod 755 "$1/bin/show"
	vm_program "$1" "$(command -v setpriv)"
	printf 'ID=%s\nVERSION_ID="%s"\n' "${VM_DISTRO:-debian}" "${VM_DISTRO_VERSION:-12}" \
		>"$1/etc/os-release"
}

# With the shared libraries that it needs.
vm_program() # root, program
{
	local lib

	mkdir -p "$1/usr/bin"
	cp "$2" "$1/usr/bin/"
	ldd "$2" | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$1${lib%/*}"
		cp -L "$lib" "$1$lib"
	done
}

# Kernel modules and, before each, those that it needs; what is built in has no file.
vm_modules() # root, folder with modules, name...
{
	local root=$1 from=$2 name path needs

	shift 2
	for name; do
		path=$(find "$from" -name "${name//_/[-_]}.ko*" | head -n 1)
		[ -n "$path" ] || continue
		[ ! -e "$root/modules/$name.ko" ] || continue
		case $path in
		*.xz) xz -dc "$path" ;;
		*) cat "$path" ;;
		esac >"$root/modules/$name.ko"
		needs=$(tr '\0' '\n' <"$root/modules/$name.ko" | sed -n 's/^depends=//p')
		# shellcheck disable=SC2086 # a list
		vm_modules "$root" "$from" ${needs//,/ }
		echo "$name.ko" >>"$root/modules/list"
	done
}

# A kernel package of the distribution, unpacked and kept: gives its folder. No installing.
vm_package() # name
{
	local dir=$VM_CACHE/$1 tmp

	if [ ! -d "$dir" ]; then
		mkdir -p "$VM_CACHE"
		tmp=$(mktemp -d "$VM_CACHE/.tmp-XXXXXX") || return 1
		(cd "$tmp" && timeout 120 apt-get -q download "$1" && dpkg-deb -x ./*.deb root &&
			mv root "$dir") >&2
		rm -rf "$tmp"
	fi
	[ -d "$dir" ] && echo "$dir"
}

# The newest package of a name pattern, of those that are kept or else of those that apt knows.
vm_newest() # extended regular expression
{
	local found

	found=$(find "$VM_CACHE" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | grep -Ex "$1")
	[ -n "$found" ] || found=$(apt-cache pkgnames linux-image 2>/dev/null | grep -Ex "$1")
	sort -V <<<"$found" | tail -n 1
}

# What the virtio network card of a PCI machine needs.
# shellcheck disable=SC2034 # the tests use it
VM_NET_MODULES="virtio_pci virtio_net"

# What uname -r will say, from the boot protocol's kernel_version (Documentation/x86/boot.rst).
vm_release() # bzImage
{
	local at

	at=$(od -An -tu2 -j526 -N2 "$1")
	dd if="$1" bs=1 skip=$((at + 512)) count=128 status=none | tr '\0' '\n' | head -n 1 | cut -d' ' -f1
}

# The machine that a kernel is made for, by its configuration.
vm_machine() # config
{
	if grep -q '^CONFIG_PCI=y' "$1" 2>/dev/null; then echo pc; else echo microvm; fi
}

vm_boot() # root, kernel, pc or microvm, port, console's file
{
	local machine=(-M pc) card=virtio-net-pci,netdev=n0,romfile=

	if [ "$3" = microvm ]; then
		# With ACPI the cards would not be named on the command line, where such a kernel looks.
		machine=(-M "microvm,acpi=off")
		card=virtio-net-device,netdev=n0
	fi
	(cd "$1" && find . | cpio -o -H newc --quiet --owner 0:0 | gzip -1) >"$1.gz" || return 1
	# A command for each connection: with a plain address qemu would open one at its start, keep it
	# for all, and the server would have closed it before the guest is up.
	timeout -k 5 "$VM_SECONDS" qemu-system-x86_64 "${machine[@]}" -accel tcg -cpu max -m 512 \
		-nodefaults -no-user-config -display none -serial stdio -no-reboot \
		-kernel "$2" -initrd "$1.gz" \
		-append "console=ttyS0 quiet loglevel=1 panic=-1 reboot=t" \
		-netdev "user,id=n0,restrict=on,guestfwd=tcp:10.0.2.100:80-cmd:$(command -v busybox) nc 127.0.0.1 $4" \
		-device "$card" </dev/null 2>&1 | tr -d '\r' >"$5"
	grep -q '^@end 0$' "$5"
}

# A file that the guest showed.
vm_file() # console, name
{
	sed -n "/^@file $2\$/,/^@eof $2\$/{//!p}" "$1"
}
