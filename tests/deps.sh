#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# deps.sh SET...: looks whether all is there that the sets need (build, test, demo, vm-kernel). What is missing
# is installed where root on Debian or Ubuntu; elsewhere one line says what to install with apt and
# one with dnf.
set -u

# set, what shows that it is there, name for apt, name for dnf. A "?" after apt's name: done without
# where the distribution has no such package; the tests that want it then skip.
table="
build cmd:gcc           gcc                     gcc
build cmd:make          make                    make
build cmd:pkg-config    pkg-config              pkgconf-pkg-config
build file:limits.h     libc6-dev               glibc-devel
build cmd:clang         clang                   clang
build cmd:llvm-strip    llvm                    llvm
build pc:libbpf         libbpf-dev              libbpf-devel
build pc:libelf         libelf-dev              elfutils-libelf-devel
build pc:libcurl        libcurl4-openssl-dev    libcurl-devel
build pc:libarchive     libarchive-dev          libarchive-devel
build pc:liblz4         liblz4-dev              lz4-devel
build pc:jansson        libjansson-dev          jansson-devel
build pc:expat          libexpat1-dev           expat-devel
build pc:liblzma        liblzma-dev             xz-devel
build pc:libzstd        libzstd-dev             libzstd-devel
build pc:zlib           zlib1g-dev              zlib-devel
build pc:libsodium      libsodium-dev           libsodium-devel
build pc:libmicrohttpd  libmicrohttpd-dev       libmicrohttpd-devel
test  cmd:g++           g++                     gcc-c++
test  cmd:prove         perl                    perl-Test-Harness
test  cmd:bpftool       bpftool?                bpftool
test  cmd:pahole        dwarves                 dwarves
test  cmd:execsnoop     libbpf-tools?           libbpf-tools
test  cmd:qemu-system-x86_64 qemu-system-x86    qemu-system-x86-core
test  file:/usr/share/seabios seabios           seabios-bin
test  file:/usr/lib/ipxe/qemu ipxe-qemu         ipxe-roms-qemu
test  cmd:busybox       busybox-static          busybox
test  cmd:cpio          cpio                    cpio
test  cmd:strace        strace                  strace
test  cmd:ip            iproute2                iproute
test  cmd:unshare       util-linux              util-linux
test  cmd:setcap        libcap2-bin             libcap
test  cmd:xz            xz-utils                xz
test  cmd:lz4           lz4?                    lz4
test  cmd:rpmbuild      rpm?                    rpm-build
test  cmd:zstd          zstd                    zstd
test  cmd:curl          curl                    curl
test  cmd:python3       python3                 python3
test  cmd:shellcheck    shellcheck              ShellCheck
test  cmd:clang-format  clang-format            clang-tools-extra
test  cmd:clang-tidy    clang-tidy              clang-tools-extra
test  cmd:clang-16      clang-16?               clang16
test  fuzzer:           libclang-rt-dev?        compiler-rt
vm-kernel cmd:flex      flex                    flex
vm-kernel cmd:bison     bison                   bison
vm-kernel cmd:bc        bc                      bc
vm-kernel cmd:perl      perl                    perl
vm-kernel cmd:xz        xz-utils                xz
vm-kernel cmd:pahole    dwarves                 dwarves
demo  cmd:unshare       util-linux              util-linux
demo  cmd:ip            iproute2                iproute
demo  cmd:curl          curl                    curl
demo  cmd:python3       python3                 python3
"

there() # kind:what
{
	local what=${1#*:}

	case $1 in
	cmd:*) PATH=$PATH:/usr/sbin:/sbin command -v "$what" >/dev/null ;;
	pc:*) pkg-config --exists "$what" 2>/dev/null ;;
	file:/*) [ -e "$what" ] ;;
	file:*) [ -e "/usr/include/$what" ] ;;
	fuzzer:*) what=libclang_rt.fuzzer-$(uname -m).a
		[ -e "$(clang -print-file-name="$what" 2>/dev/null)" ] ;;
	esac
}

look() # set...: fills apt and dnf with what is missing
{
	local set shown apt_name dnf_name

	apt=() dnf=()
	while read -r set shown apt_name dnf_name; do
		[[ -n $set && " $* " == *" $set "* ]] || continue
		there "$shown" && continue
		apt+=("$apt_name")
		dnf+=("$dnf_name")
	done <<<"$table"
}

known() # package: whether apt can install it
{
	[ -n "$(apt-cache show --no-all-versions "${1%\?}" 2>/dev/null)" ]
}

# Names what apt may be asked for: all that must be, and of the others what there is.
wanted()
{
	local name

	for name in "${apt[@]}"; do
		[[ $name != *\? ]] || known "$name" || continue
		echo "${name%\?}"
	done
}

look "$@"
required=0
for name in "${apt[@]}"; do
	[[ $name == *\? ]] || required=1
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	# What is optional and unknown here stays unknown: no update for it in each run.
	[ $required = 1 ] || [ -n "$(wanted)" ] || exit 0
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q update >&2 || exit 1
	mapfile -t packages < <(wanted)
	[ ${#packages[@]} -gt 0 ] || exit 0
	echo "installing ${packages[*]}" >&2
	apt-get -q install -y --no-install-recommends "${packages[@]}" >&2
	exit
fi
# Without an optional package the tests that want it skip: no reason to stop.
[ $required = 1 ] || exit 0
echo "missing; as root: apt-get install ${apt[*]%\?}" >&2
echo "missing; as root: dnf install ${dnf[*]}" >&2
exit 1
