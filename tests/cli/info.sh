# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# What each kind of file is said to be.
. "$TOP/tests/cli/kernels.bash"
packed debian/12/x86_64/6.1.0 100
object() # macro
{
	"${CLANG:-clang}" -g -O2 -target bpf -iquote "$TOP" -D"$1" -D__TARGET_ARCH_x86 \
		-c "$TOP/tests/chain/partly.bpf.c" -o "$1.x86_64.bpf.o"
}
object FUNCTION_ENTRY
object TYPED_SYMBOL

"$BIN/btfgen" info archive/debian/12/x86_64/6.1.0.btf.tar.xz | grep -vE '^  (bytes|sha256) '
"$BIN/btfgen" info need.txt
"$BIN/btfgen" info --json need.txt
# Compilers differ in bytes and relocations.
"$BIN/btfgen" info FUNCTION_ENTRY.x86_64.bpf.o TYPED_SYMBOL.x86_64.bpf.o |
	grep -E 'BPF objects|arch|needs_kernel_btf'
printf 'btfdepot-need 1\ntarget_type_id\tstruct\ttask_struct\t-\tstruct\n' >ids.txt
"$BIN/btfgen" info ids.txt
echo junk >junk
printf 'btfdepot-need 1\nbyte_off\n' >bad.txt
"$BIN/btfgen" info junk bad.txt nowhere need.txt | head -n 1
echo "exit ${PIPESTATUS[0]}"
