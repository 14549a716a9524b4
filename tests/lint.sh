#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# The rules of the code that a machine can check. Says each breach as FILE:LINE: what, exits 1 if
# there was one. Called by make lint, which sets the compilers and flags; V=1 shows why clang-tidy
# says what it says. Arguments choose some of the checks.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${O:=build}" "${CC:=cc}" "${CLANG:=clang}"
: "${LINT_CFLAGS:?}" "${LINT_BPF_CFLAGS:?}" "${LISTED:?}" "${LIBRARY:?}"
read -ra cflags <<<"${LINT_CFLAGS//\\/}"
read -ra bpf_cflags <<<"$LINT_BPF_CFLAGS"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

find . \( -path ./build -o -path ./.git -o -path ./btfs/tree \) -prune -o -type f -print |
	sed 's|^\./||' | sort >"$work/files"
pick() # pattern [pattern-to-leave-out]
{
	grep -E -- "$1" "$work/files" | grep -vE -- "${2:-^$}"
}
mapfile -t room_code < <(pick '^(btfs|btfgen|server|agent)/.*\.[ch]$')
mapfile -t bpf_code < <(pick '^bpf/.*\.[ch]$')
mapfile -t test_code < <(pick '^tests/.*\.[ch]$' '\.bpf\.[ch]$')
mapfile -t c_files < <(pick '\.[ch]$')
mapfile -t scripts < <(pick '' | xargs grep -lIE -m 1 '^#!(/usr)?/bin/(env )?(ba)?sh')

# Each check prints its findings; no finding is a pass.

# Which rooms may include which; agent/ shares the events of bpf/, server/ btfgen's minimiser.
includes()
{
	local room allowed

	while read -r room allowed; do
		pick "^$room/.*\.[chS]$" | xargs -r grep -HnE '^ *# *include *"[^"]*/' |
			grep -vE "include *\"($allowed)\"" | sed 's/$/: against the rooms/'
	done <<-'END'
	bpf	bpf/[a-z_]+\.h
	btfs	btfs/[a-z_]+\.h
	btfgen	(btfs|btfgen)/[a-z_]+\.h
	server	(btfs|server)/[a-z_]+\.h|btfgen/(match|minimize)\.h
	agent	(btfs|agent)/[a-z_]+\.h|bpf/events\.h
	END
}

# Comments are taken out first: they may name anything.
calls() # regex what file...
{
	local regex=$1 what=$2 file

	shift 2
	for file; do
		"$CC" -fpreprocessed -dD -E -P -w -x c "$file" 2>/dev/null |
			sed 's/"\([^"\\]\|\\.\)*"/""/g' | grep -oE "\b($regex)" |
			sort -u | sed "s|^|$file: |; s|\$| $what|"
	done
}

forbidden()
{
	local never='(strcpy|strcat|v?sprintf|strtok|atoi|system|gets) *\('

	calls "$never" 'is not used here' "${c_files[@]}"
}

# What belongs to a program, and to no library, may print; child.c is where a forked process ends.
prints()
{
	local silent out='(v?printf|v?dprintf|puts|putchar|perror|exit|_exit|abort) *\('

	mapfile -t silent < <(printf '%s\n' "${room_code[@]}" | grep -vE \
		'/(main|cmd(_[a-z]+)?)\.c$|^agent/(options|run|events)\.c$|^btfgen/child\.c$')
	calls "$out|std(out|err)\\b" 'only in a main.c' "${silent[@]}"
}

alone() # header compiler flag...
{
	local header=$1 compiler=$2

	shift 2
	"$compiler" "$@" -Werror -fsyntax-only -include "$header" -x "${LANGUAGE:-c}" /dev/null ||
		echo "$header: does not compile alone with $*"
}

headers()
{
	local header

	while read -r header; do
		case $header in
		bpf/events.h) alone "$header" "$CC" "${cflags[@]}" ;;
		bpf/*) alone "$header" "$CLANG" "${bpf_cflags[@]}" -Wno-unused-function ;;
		*) alone "$header" "$CC" "${cflags[@]}" ;;
		esac
	done < <(pick '\.h$')
	alone agent/btfdepot.h "$CC" -std=c99 -pedantic -Wall -Wextra
	LANGUAGE=c++ alone agent/btfdepot.h "$CC" -Wall -Wextra
}

# The Makefile names sources by hand: none may be forgotten there, none be gone here.
listed()
{
	tr ' ' '\n' <<<"$LISTED" | sed '/^$/d' | sort >"$work/listed"
	pick '^(btfs|btfgen|server|agent|bpf)/[^/]*\.[cS]$' | sed 's/\.S$/.c/' | sort >"$work/there"
	comm -23 "$work/listed" "$work/there" | sed 's/$/: in the Makefile but not there/'
	comm -13 "$work/listed" "$work/there" | sed 's/$/: not in the Makefile/'
	pick '/(utils?|common|helpers?|misc)\.[ch]$' | sed 's/$/: a module is named for a thing/'
}

# Data that can change, in what becomes the library; what pthread_once takes cannot be had otherwise.
globals()
{
	local object

	for object in $LIBRARY; do
		objdump -t "$object" | awk -v object="$object" '
			NF > 4 && / O / && $(NF-2) ~ /^\.t?(data|bss)/ &&
			$(NF-2) !~ /^\.data\.rel\.ro/ && $NF !~ /_once$/ {
				print object ": " $NF " can be written to"
			}'
	done
}

text()
{
	local file limit

	pick '\.(c|h|S|sh|t|py|pm|pl)$|Makefile$|^\.ci/' | while read -r file; do
		limit=100
		[[ $file =~ \.[chS]$ ]] || limit=120 # scripts hold requests and answers as they are
		expand "$file" | awk -v file="$file" -v limit=$limit '
			length > limit { print file ":" NR ": over " limit " columns" }'
		head -n 3 "$file" | grep -q SPDX-License-Identifier ||
			echo "$file:1: names no licence"
	done
	# Brackets, so that this line does not find itself.
	pick '' '^LICENSES/' | xargs grep -nI '/wor[k]/' |
		sed 's/$/: a path of one machine/'
	pick '' '^LICENSES/' | xargs grep -nIE '[[:blank:]]+$' | sed 's/$/: blanks at the end/'
	pick '\.(sh|t|py)$|^\.ci/' | while read -r file; do
		[[ $(head -c 2 "$file") != '#!' || -x $file ]] ||
			echo "$file: begins with #! but is not executable"
	done
	wc -l "${c_files[@]}" | awk '$1 > 600 && $2 != "total" {
		print "note: " $2 " has " $1 " lines: is it one thing?" }' >&2
}

shells()
{
	command -v shellcheck >/dev/null || { echo "note: no shellcheck here" >&2; return; }
	[ ${#scripts[@]} = 0 ] || shellcheck -x -S warning -f gcc "${scripts[@]}"
}

format()
{
	local file

	for file in "${c_files[@]}"; do
		clang-format --dry-run -Werror "$file" 2>/dev/null ||
			echo "$file: clang-format -i would change it"
	done
}

# Compilers' warnings are the build's business: here only what clang-tidy itself has to say. What
# passed once, with the headers and rules of now, is not looked at again.
tidy_one() # file
{
	local flags said passed

	read -ra flags <<<"$TIDY_CFLAGS"
	[[ $1 != *.bpf.c ]] || read -ra flags <<<"$TIDY_BPF_CFLAGS"
	[[ $1 == *.bpf.c || $1 == btfs/fail.c ]] || flags+=(-include tests/lint-model.h)
	passed=$({ cat .clang-tidy && "$CLANG" "${flags[@]}" -E "$1"; } | sha256sum)
	passed=$O/lint/${passed%% *}
	[ ! -e "$passed" ] || return
	said=$(clang-tidy --quiet "$1" -- "${flags[@]}" 2>/dev/null) && [ -z "$said" ] && : >"$passed"
	[ -n "${V:-}" ] || said=$(grep -E '(error|warning): ' <<<"$said")
	[ -z "$said" ] || echo "${said//$PWD\//}"
}

tidy()
{
	export -f tidy_one
	export O CLANG TIDY_CFLAGS="${cflags[*]} -w" TIDY_BPF_CFLAGS="${bpf_cflags[*]} -w"
	mkdir -p "$O/lint"
	printf '%s\n' "${room_code[@]}" "${test_code[@]}" "${bpf_code[@]}" | grep '\.c$' |
		xargs -P "$(nproc)" -n 1 bash -c 'tidy_one "$1"' tidy | sort -u
}

status=0
[ $# -gt 0 ] || set -- includes forbidden prints headers listed globals text shells format tidy
for check; do
	start=$SECONDS
	"$check" >"$work/found" 2>"$work/said"
	grep '^note:' "$work/said"
	# A check that could not do its work says so there.
	if grep -v '^note:' "$work/said" >>"$work/found" || [ -s "$work/found" ]; then
		cat "$work/found"
		echo "lint: $check: failed"
		status=1
	else
		echo "lint: $check: ok ($((SECONDS - start)) s)"
	fi
done
exit $status
