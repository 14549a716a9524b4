# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# Exit 0 where two kernels answer alike, 1 where not.
. "$TOP/tests/cli/kernels.bash"
archive
a=archive/ubuntu/20.04/x86_64/5.4.0-77-generic.btf
b=archive/ubuntu/18.04/x86_64/5.4.0-77-generic.btf.tar.xz
c=archive/debian/9/x86_64/4.9.0-19-amd64.btf
"$BIN/btfgen" diff $a $b --need need.txt
echo "exit $?"
"$BIN/btfgen" diff -v $a $c --need need.txt
echo "exit $?"
"$BIN/btfgen" diff -v --json $a $b --need need.txt
"$BIN/btfgen" diff $a $a --need need.txt
echo "exit $?"
"$BIN/btfgen" diff $a nowhere --need need.txt
echo "exit $?"
"$BIN/btfgen" diff $a $b
