#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# make demo tells what happened, as root and as nobody, and leaves nothing behind; what README.md and
# docs/formats.md show works as it stands there.
. "$TOP/tests/tap.sh"
case $(uname -m) in
x86_64) arch=x86_64 ;;
aarch64) arch=arm64 ;;
*) tap_skip "no collector for $(uname -m)" ;;
esac
object=$BPF/kernel.$arch.bpf.o
cd "$TOP" || exit 1
chmod 711 "$TMP"

demo() # name, command before it...: leaves its words in $TMP/name and its exit code in $status
{
	local name=$1

	shift
	mkdir -m 1777 "$TMP/$name.tmp"
	TMPDIR=$TMP/$name.tmp DEMO_SECONDS=200 "$@" tests/demo.sh >"$TMP/$name" 2>&1
	status=$?
}

told() # name, pattern, description
{
	ok "$1: $3" grep -Eq "$2" "$TMP/$1"
}

lacks() # file, pattern
{
	! grep -q "$2" "$1"
}

# Whether the minimised files have at most a kilobyte each.
is_small() # name
{
	local bytes files

	read -r bytes files < <(sed -nE 's/^ *after +([0-9,]+) bytes: ([0-9]+) files?,.*/\1 \2/p' \
		"$TMP/$1" | tr -d ,)
	[ "${bytes:-0}" -gt 0 ] && [ "$bytes" -le $((1024 * files)) ]
}

check_demo() # name
{
	is $status 0 "$1: succeeds"
	told "$1" '^ *byte_off .*task_struct .*0\.comm ' "the need"
	told "$1" '^ *before [0-9]{1,3}(,[0-9]{3}){2,} bytes: the whole BTF of' "megabytes before"
	ok "$1: at most a kilobyte for each kernel after" is_small "$1"
	told "$1" '^ *GET "/min/.*/by-release/.*" 200 ' "the server's log of the request"
	told "$1" ' from cache cache: [0-9]+ bytes' "the cache's answer"
	told "$1" 'server .* has none for .* 0\.0\.0-nobodys' "the refusal of an unknown kernel"
	told "$1" 'tree damaged: .* sections end at byte' "the refusal of a damaged file"
	told "$1" '^demo: done in ' "the end"
	is "$(ls -A "$TMP/$1.tmp")" "" "$1: its temporary folder is gone"
	ok "$1: no colour where there is no terminal" lacks "$TMP/$1" $'\e'
	[ $tap_failed = 0 ] || tap_show "$TMP/$1" 100
}

[ -r /sys/kernel/btf/vmlinux ] || [ -d "$SHARED/archive" ] ||
	tap_skip "no BTF here, neither the kernel's nor an archive's"
before=$(ls -A "$TOP")
demo all env
check_demo all
if [ "$(id -u)" = 0 ] && [ -r /sys/kernel/btf/vmlinux ] && unshare -m -n true 2>/dev/null; then
	told all 'BTF named from server http://127.0.0.1:[0-9]+, [0-9]+ bytes; provision .* load .* attach ' \
		"loaded with what was fetched"
	pid=$(sed -n "s/.*Meanwhile process \([0-9]*\) ran.*/\1/p" "$TMP/all")
	# In a pid namespace of a container the kernel knows it by another number.
	[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || pid='[0-9]+'
	told all "^ *exec pid=$pid ppid=[0-9]+ uid=0 comm=\"sh\" parent_comm=\"demo.sh\"" "the exec of its child"
	told all "^ *exit pid=$pid ppid=[0-9]+ uid=0 comm=\"sh\" .* code=7 duration=" "its exit"
	told all '^ *btf-agent run: [0-9]+ events, 0 lost$' "no event lost"
else
	skip "loading needs root, a kernel with BTF and namespaces"
fi
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
if "${nobody[@]}" test -r "$object" 2>/dev/null && [ -r /sys/kernel/btf/vmlinux ]; then
	demo nobody env BTFDEPOT_SHARED=/nonexistent "${nobody[@]}"
	check_demo nobody
	told nobody 'NOT LOADED: loading BPF programs needs root' "says that nothing was loaded"
	told nobody 'the whole BTF of 1 kernel$' "does with this machine's own BTF"
else
	skip "another user cannot be, or cannot read what is built, or there is no BTF"
fi
is "$(ls -A "$TOP")" "$before" "nothing was written beside the sources"

# It must be able to fail: with a server that ends at once.
mkdir -p "$TMP/O/bin"
cp "$BIN/btfgen" "$BIN/btf-agent" "$TMP/O/bin/"
cp "$(type -P false)" "$TMP/O/bin/btf-server"
demo broken env "O=$(realpath --relative-to=. "$TMP/O")"
is $status 1 "broken: a server that does not start fails the demo"
told broken 'FAILED in step 3: the server does not start' "says what failed"
is "$(ls -A "$TMP/broken.tmp")" "" "broken: its temporary folder is gone"

fenced() # file, language, n: its n-th block of that language
{
	awk -v start="\`\`\`$2" -v want="$3" '
		$0 == start { n++; inside = n == want; next }
		$0 == "```" { inside = 0 }
		inside' "$1"
}

free_port()
{
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

if [ "$(id -u)" = 0 ] && [ -r /sys/kernel/btf/vmlinux ]; then
	fenced README.md sh 1 | sed -e 's/^make$/:/; s/^sudo //' -e "s|build/try|$TMP/try|g" \
		-e "s|build/bin/|$BIN/|g" -e "s|8080|$(free_port)|g" >"$TMP/session"
	timeout 60 bash -e "$TMP/session" >"$TMP/session.out" 2>"$TMP/session.err"
	is $? 0 "README: the session works"
	ok "README: the server answers" grep -qx ok "$TMP/session.out"
	is "$(grep -cE '^(exec|exit|creds) pid=' "$TMP/session.out")" 4 "README: four events are printed"
	need=$("$BIN/btfgen" need --id "$object")
	ok "README: fetch writes what min made" cmp "$TMP/try/kernel.btf" \
		"$TMP/try/tree/min/$need/by-release/$arch/$(uname -r).btf"
	[ $tap_failed = 0 ] || { tap_show "$TMP/session.out"; tap_show "$TMP/session.err"; }
else
	skip "README's session needs root and a kernel with BTF"
fi

# README's C, with a main that loads the collector.
{
	fenced README.md c 1
	cat <<-'END'
	int main(int argc, char **argv)
	{
		static char elf[1 << 20];
		FILE *file = fopen(argc > 1 ? argv[1] : "", "rb");
		size_t size = file ? fread(elf, 1, sizeof(elf), file) : 0;
		struct bpf_object *object = size ? load(elf, size, "http://127.0.0.1:1") : NULL;

		bpf_object__close(object);
		return object ? 0 : 1;
	}
	END
} >"$TMP/user.c"
if [[ $O = *san* ]]; then
	skip "a sanitized library is for the tests alone"
else
	ok "README: the C compiles" "${CC:-cc}" -std=gnu11 -Wall -Wextra -Wno-missing-prototypes -Werror \
		-Iagent -o "$TMP/user" "$TMP/user.c" -L"$BIN" -lbtfdepot -lbpf
	if [ "$(id -u)" = 0 ] && [ -r /sys/kernel/btf/vmlinux ]; then
		LD_LIBRARY_PATH=$BIN ok "README: the C loads the collector" "$TMP/user" "$object"
	else
		skip "loading needs root and a kernel with BTF"
	fi
fi

fenced docs/formats.md c 1 >"$TMP/example.bpf.c"
ok "formats.md: the example compiles" "${CLANG:-clang}" -g -O2 -target bpf -Wall -Werror \
	-c -o "$TMP/example.bpf.o" "$TMP/example.bpf.c"
"$BIN/btfgen" need "$TMP/example.bpf.o" | tr -s '\t' ' ' >"$TMP/need"
is "$(cat "$TMP/need")" "$(fenced docs/formats.md need 1 | tr -s ' ' ' ')" "formats.md: the need is as shown"

# The default list, over an archive of one kernel that it covers and one that it does not.
if [ -r /sys/kernel/btf/vmlinux ]; then
	for kernel in ubuntu/20.04/$arch/5.4.0-42-generic nobody/1/$arch/1.0; do
		mkdir -p "$TMP/list/${kernel%/*}"
		cp /sys/kernel/btf/vmlinux "$TMP/list/$kernel.btf"
	done
	is "$("$BIN/btfgen" min --out "$TMP/out" --archive "$TMP/list" --kernels btfs/kernels.list \
		"$object" 2>/dev/null | sed 's/: .*//')" "done    ubuntu/20.04/$arch/5.4.0-42-generic" \
		"kernels.list covers an Ubuntu kernel and not nobody's"
else
	skip "a list needs an archive, and this machine has no BTF to make one of"
fi

for page in btfgen/btfgen.1 agent/btf-agent.1 server/btf-server.8; do
	[ "$(command -v man)" ] || { skip "no man here"; continue; }
	is "$(MANWIDTH=80 man --warnings -l $page 2>&1 >/dev/null)" "" "$page renders without warnings"
done
tap_done
