# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# The three forms in which a tree is packed.
. "$TOP/tests/cli/kernels.bash"
archive
long=$(printf 'x%.0s' {1..80})
"$BIN/btfgen" min -q --out tree --archive archive --need need.txt

echo "--- bundle"
"$BIN/btfgen" bundle tree --out all
"$BIN/btfgen" bundle tree --out again
cmp all again
"$BIN/btfgen" info all
printf 'debian/*/*/*\n' >list
"$BIN/btfgen" bundle tree --kernels list --arch x86_64 --out some
"$BIN/btfgen" info some --json
echo "--- bcc"
"$BIN/btfgen" bundle tree --format bcc --out min_core_btfs.tar.gz
tar -tzvf min_core_btfs.tar.gz
mkdir bcc
tar -xzf min_core_btfs.tar.gz -C bcc
cmp bcc/ubuntu/20.04/aarch64/5.4.0-77-generic.btf \
	"$(echo tree/min/*)/ubuntu/20.04/arm64/5.4.0-77-generic.btf"
echo "--- flat"
"$BIN/btfgen" bundle tree --format flat --arch arm64 --out custom-archive
find custom-archive -type f
echo "--- names that a form has no room for, or that two kernels share"
kernel "debian/13/x86_64/$long" 100
kernel ubuntu/20.04/x86_64/5.4.0-9-generic@0123456789ab 300
"$BIN/btfgen" min -q --out tree --archive archive --need need.txt
"$BIN/btfgen" bundle tree --format bcc --out left.tar.gz
echo "exit $?"
tar -tzf left.tar.gz | wc -l
echo "--- several needs"
sed 1,2d need.txt | sed '1i btfdepot-need 1' >other.txt
"$BIN/btfgen" min -q --out tree --archive archive --need other.txt
"$BIN/btfgen" bundle tree --out both
"$BIN/btfgen" bundle tree --need "$(sha256sum <other.txt | cut -c 1-8)" --out one
"$BIN/btfgen" bundle tree --format flat --out flat
echo "exit $?"
"$BIN/btfgen" bundle tree --need 0123 --out none
echo "exit $?"
"$BIN/btfgen" bundle tree --format zip --out none
