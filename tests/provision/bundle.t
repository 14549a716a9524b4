#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# Bundles as a source: from files, and linked into a program. Never the nearest, never a guess.
. "$(dirname "$0")/common.sh"

OBJECT=$BPF/kernel.x86_64.bpf.o
[ -e "$OBJECT" ] || tap_skip "no BPF object was built"
NEED=$("$BIN/btfgen" need --id "$OBJECT")
mkbtf good "$DIR/good"

# row DISTRO VERSION BUILD-ID UNAME-V FILE: one line of the index, and the file
row() {
	local path=$DIR/tree/min/$NEED/$1/$2/x86_64

	mkdir -p "$path"
	cp "$5" "$path/$RELEASE.btf"
	printf 'x86_64\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$RELEASE" "$3" "$4" \
		"$(sha256sum <"$5" | cut -c 1-64)" "$(stat -c %s "$5")" >>"$DIR/rows"
}

# bundle NAME: of the rows since the last one
bundle() {
	{
		printf 'arch\tdistro\tdistro_version\trelease\tbuild_id\tversion\tsha256\tsize\n'
		LC_ALL=C sort "$DIR/rows"
	} >"$DIR/tree/min/$NEED/index.tsv"
	"$BIN/btfgen" bundle "$DIR/tree" --out "$DIR/$1" >"$DIR/said" 2>&1 || cat "$DIR/said"
	rm -rf "$DIR/tree" "$DIR/rows"
}

ask() {
	rm -f "$DIR/result"
	agent fetch --no-cache --object "$OBJECT" --out "$DIR/result" "$@"
}

sed 's/task/tusk/' "$DIR/good" >"$DIR/other"
row debian 11 - - "$DIR/good"
bundle one
row fedora 31 - - "$DIR/good"
row ubuntu 20.04 - - "$DIR/other"
bundle split
row debian 11 - - "$DIR/other"
row fedora 31 - - "$DIR/good"
bundle tied
row fedora 31 "$BUILD_ID" %23other "$DIR/good"
row debian 11 - - "$DIR/other"
bundle ids
ok "two answers are two" eval "! cmp -s '$DIR/good' '$DIR/other'"

ask --bundle "$DIR/one"
is "$CODE" 0 "a bundle serves"
ok "the right bytes" cmp "$DIR/result" "$DIR/good"
ok "said" grep -q "from bundle $DIR/one: .* bytes (named)" "$DIR/out"

ask --bundle "$DIR/split"
is "$CODE" 3 "two answers, neither of this distribution: none"
said 'bundle .*/split: bundle has different ones for x86_64 .*: fedora/31, ubuntu/20.04 ' "it lists them"
ask --bundle "$DIR/split" --bundle "$DIR/one"
is "$CODE" 0 "the next one is asked"
ask --bundle "$DIR/tied"
is "$CODE" 0 "two answers, one of this distribution"
ok "it is taken" cmp "$DIR/result" "$DIR/other"
ask --bundle "$DIR/ids"
ok "without a build-id the name decides" cmp "$DIR/result" "$DIR/other"

mkbtf notes "$DIR/notes" $BUILD_ID
ask --bundle "$DIR/ids" --notes "$DIR/notes" --json
ok "with one it decides" cmp "$DIR/result" "$DIR/good"
ok "exactly" grep -q '"verdict":"exact"' "$DIR/out"

RELEASE=5.10.0-faults+y ask --bundle "$DIR/one"
is "$CODE" 3 "never the nearest"
said 'bundle .*/one: bundle has none for x86_64 5.10.0-faults\+y' "it says so"
agent fetch --no-cache --bundle "$DIR/one"
is "$CODE" 3 "without an object a bundle is not asked"
ok "nobody was" grep -q 'there is nobody to ask: give --tree, --bundle or --url' "$DIR/err"
ask --bundle "$DIR/nowhere"
is "$CODE" 3 "no such file"
python3 - "$DIR/one" <<'END'
import sys

with open(sys.argv[1], "r+b") as f:
    data = bytearray(f.read())
    data[-20] ^= 1
    f.seek(0)
    f.write(data)
END
ask --bundle "$DIR/one"
is "$CODE" 4 "a damaged bundle is refused"
said 'bundle .*/one: bundle is damaged: content 0 has sha256' "it says how"
head -c 100 "$DIR/tied" >"$DIR/cut"
ask --bundle "$DIR/cut"
is "$CODE" 4 "one that was cut short is"

[[ $O != *san* ]] || tap_skip "a sanitized library is for the tests alone"
cat >"$DIR/linked.c" <<'END'
#include "agent/btfdepot.h"
#include <stdio.h>
#include <stdlib.h>

extern const char _binary_tied_start[], _binary_tied_end[];

int main(int argc, char **argv)
{
	static char elf[1 << 20];
	FILE *file = fopen(argv[1], "rb");
	struct btfdepot_object object = { elf, fread(elf, 1, sizeof(elf), file) };
	struct btfdepot_bundle bundle = { _binary_tied_start,
					  _binary_tied_end - _binary_tied_start };
	struct btfdepot_opts opts = { .sz = sizeof(opts), .objects = &object, .n_objects = 1,
				      .cache_dir = "", .bundles = &bundle, .n_bundles = 1,
				      .host_root = argv[2], .release = argv[3],
				      .machine = "x86_64" };
	struct btfdepot *depot = NULL;
	int err = btfdepot__provision(&opts, &depot);

	fputs(depot ? btfdepot__report(depot) : "no depot\n", stdout);
	btfdepot__free(depot);
	opts.bundles = NULL;
	return argc != 4 || err || btfdepot__provision(&opts, &depot) != -22;
}
END
build() {
	(cd "$DIR" && ld -r -b binary -o tied.o tied && "${CC:-cc}" -iquote "$TOP" linked.c tied.o \
		-L"$BIN" -lbtfdepot -o linked)
}
ok "a program with a bundle inside" build
ok "finds its BTF" eval "LD_LIBRARY_PATH='$BIN' '$DIR/linked' '$OBJECT' '$DIR/host' '$RELEASE' >'$DIR/out'"
ok "in memory" grep -q '^bundle memory: [0-9]* bytes (named)' "$DIR/out"
tap_done
