# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=bash
# Which kernels lack what is asked for, and which are alike.
. "$TOP/tests/cli/kernels.bash"
archive
"$BIN/btfgen" coverage --archive archive --need need.txt
echo "exit $?"
"$BIN/btfgen" coverage --archive archive --need need.txt --arch arm64
"$BIN/btfgen" coverage --archive archive --need need.txt -v --arch x86_64 | sed -n '/same answers:/,$p'
echo junk >archive/debian/13/x86_64/6.13.0-amd64.btf
"$BIN/btfgen" coverage --archive archive --need need.txt --json | python3 -m json.tool --indent 1 |
	grep -vE '^ *[]}{[],?$'
echo "exit ${PIPESTATUS[0]}"
"$BIN/btfgen" coverage --archive archive --need need.txt | tail -n 2
rm archive/debian/13/x86_64/6.13.0-amd64.btf
for i in {1..150}; do
	kernel rocky/8/x86_64/4.18.0-$i.el8.x86_64 100
done
echo "--- never over 100 columns"
"$BIN/btfgen" coverage --archive archive --need need.txt | awk 'length > 100' | wc -l
"$BIN/btfgen" coverage --archive archive --need need.txt | grep -E '^ {4}[a-z]|^ +1 [x.]'
