# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# Kernels of an archive, needs of a tree, and what is left of them by the filters.
. "$TOP/tests/cli/kernels.bash"
archive
touch archive/ubuntu/20.04/x86_64/5.15.0-1-generic.hasbtf
printf '%s\n' '# ours' 'ubuntu/*/*/*' >list
"$BIN/btfgen" min -q --out tree --archive archive --need need.txt

echo "--- archive"
"$BIN/btfgen" list --archive archive | sed 's/\(18.04.*  \).*/\1N/' # xz is not the same everywhere
"$BIN/btfgen" list --archive archive --kernels list --arch arm64 --json
echo "--- tree"
"$BIN/btfgen" list --tree tree
"$BIN/btfgen" list --tree tree -v --kernels list --arch x86_64
"$BIN/btfgen" list --tree tree --arch arm64 --json
echo "--- both, and mistakes"
mkdir -p tree/min/0000000000000000000000000000000000000000000000000000000000000000 empty
"$BIN/btfgen" list --archive archive --arch arm64 --tree tree
echo "exit $?"
"$BIN/btfgen" list --tree empty
echo "exit $?"
"$BIN/btfgen" list --tree nowhere
echo "exit $?"
"$BIN/btfgen" list
