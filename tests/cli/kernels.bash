# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
#
# Small kernels for these tests, to be sourced.
command -v python3 >/dev/null || { echo "python3 is missing" >&2; exit 77; }

kernel() # path offset: raw BTF in which task_struct.pid is at that byte
{
	mkdir -p "$(dirname "archive/$1")"
	python3 "$TOP/tests/btfgen/mkkernel.py" "archive/$1.btf" "$2"
}

without_pid() # path offset: the member has another name
{
	kernel "$1" "$2"
	sed -i 's/pid/pix/' "archive/$1.btf"
}

packed() # path offset: in BTFHub's form
{
	kernel "$1" "$2"
	mv "archive/$1.btf" "$(basename "$1").btf"
	tar -cJf "archive/$1.btf.tar.xz" --owner=root:0 --group=root:0 --mode=a=r --mtime=@0 \
		"$(basename "$1").btf"
	rm -f "$(basename "$1").btf"
}

printf 'btfdepot-need 1\n%s\n%s\n' \
	"$(printf 'byte_off\tstruct\ttask_struct\t0.pid\tint')" \
	"$(printf 'field_exists\tstruct\ttask_struct\t0.pid\tint')" >need.txt

archive() # seven kernels of three distributions
{
	kernel ubuntu/20.04/x86_64/5.4.0-77-generic 100
	packed ubuntu/18.04/x86_64/5.4.0-77-generic 104
	kernel ubuntu/20.04/x86_64/5.4.0-9-generic 100
	kernel ubuntu/20.04/arm64/5.4.0-77-generic 200
	kernel debian/13/x86_64/6.12.117+deb13-amd64 100
	without_pid centos/8/x86_64/4.18.0-80.el8.x86_64 100
	without_pid debian/9/x86_64/4.9.0-19-amd64 100
}
