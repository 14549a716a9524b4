#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# A cache that is full, read-only, planted or raced for never makes a fetch fail.
. "$(dirname "$0")/common.sh"

NAME=$LAYOUT/$RELEASE.btf.tar.xz
full good "$DIR/root/$NAME"
mkbtf good "$DIR/good"

# served DESCRIPTION PATTERN: it works, and -v says what became of the cache
served() {
	is "$CODE" 0 "$1: served all the same"
	ok "$1: said" grep -Eq "$2" "$DIR/out"
}

fetch_json() {
	rm -f "$DIR/result"
	fetch --tree "$DIR/root" --json --out "$DIR/result"
}

mkdir -m 0777 "$DIR/cache"
chmod 0777 "$DIR/cache"
fetch_json
served "a folder that others can write" 'is writable for others'
rmdir "$DIR/cache"

mkdir -m 0700 "$DIR/elsewhere"
ln -s elsewhere "$DIR/cache"
fetch_json
served "a symbolic link" 'symbolic link'
is "$(find "$DIR/elsewhere" -type f | wc -l)" 0 "nothing went through it"
rm "$DIR/cache"

fetch_json
is "$(n_cached)" 2 "an entry"
for file in "$DIR"/cache/index/* "$DIR"/cache/blob/*; do
	chmod 0600 "$file"
	echo damage >"$file"
	fetch_json
	served "a damaged $(basename "$(dirname "$file")") file" 'entry removed'
	ok "the right bytes" cmp "$DIR/result" "$DIR/good"
	is "$(n_cached)" 2 "and the entry is back"
done
rm "$DIR"/cache/blob/*
mkfifo "$(sed -n "s|^sha256 |$DIR/cache/blob/|p" "$DIR"/cache/index/*)"
fetch_json
served "a FIFO for a blob" 'not a regular file'
ok "nobody was held: $MS ms" test "$MS" -lt 5000

# Twenty at once on one empty cache, then all killed at some time: readers see whole files only.
rm -rf "$DIR/cache"
pids=
for i in $(seq 20); do
	"$AGENT" fetch --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		--cache "$DIR/cache" --tree "$DIR/root" --out "$DIR/result-$i" -q &
	pids="$pids $!"
done
bad=0
for pid in $pids; do
	wait "$pid" || bad=$((bad + 1))
done
is "$bad $(n_cached)" "0 2" "twenty agents share one cache"
is "$(sha256sum "$DIR"/result-* | cut -c1-64 | sort -u | wc -l)" 1 "all have the same bytes"

private() {
	unshare -m -n "$@"
}
if [ "$(id -u)" != 0 ] || ! private true 2>/dev/null; then
	skip "a file system that is full or read-only needs root"
	tap_done
fi

rm -rf "$DIR/cache"
mkdir -m 0700 "$DIR/cache"
cat >"$DIR/full.sh" <<-END
	mount -t tmpfs -o size=4k,mode=0700 none "$DIR/cache" || exit 99
	head -c 4096 /dev/zero >"$DIR/cache/filler"
	"$AGENT" fetch --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		--cache "$DIR/cache" --tree "$DIR/root" --json
	code=\$?
	find "$DIR/cache" -name '.tmp-*' -o -path '*/blob/*' -size +0 >&2
	exit \$code
END
private bash "$DIR/full.sh" >"$DIR/out" 2>"$DIR/err"
CODE=$?
served "a full disk" 'No space left'
is "$(cat "$DIR/err")" "" "a full disk: nothing half-written stays"

cat >"$DIR/readonly.sh" <<-END
	mount -t tmpfs -o ro,mode=0700 none "$DIR/cache" || exit 99
	"$AGENT" fetch --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		--cache "$DIR/cache" --tree "$DIR/root" --json
END
private bash "$DIR/readonly.sh" >"$DIR/out" 2>"$DIR/err"
CODE=$?
served "a read-only disk" 'Read-only'

# No /proc: the memfd has no name, so a file in a private folder is handed over, and removed.
cat >"$DIR/noproc.sh" <<-END
	mount -t tmpfs none /proc || exit 99
	ASAN_OPTIONS=detect_leaks=0 "$AGENT" --version >/dev/null 2>&1 || exit 98
	ASAN_OPTIONS=detect_leaks=0 "$AGENT" fetch --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		--no-cache --tree "$DIR/root" --json 2>/dev/null
	code=\$?
	ls -d /run/btfdepot-* /dev/shm/btfdepot-* >&2 2>/dev/null
	exit \$code
END
private bash "$DIR/noproc.sh" >"$DIR/out" 2>"$DIR/err"
CODE=$?
if [ "$CODE" = 98 ]; then
	skip "this build itself does not start without /proc"
else
	is "$CODE" 0 "without /proc"
	is "$(cat "$DIR/err")" "" "without /proc: no file stays"
fi

# A name server that never answers: its time is counted too.
cat >"$DIR/dns.sh" <<-END
	ip link set lo up || exit 99
	echo 'nameserver 127.0.0.1' >"$DIR/resolv.conf"
	echo 'hosts: dns' >"$DIR/nsswitch.conf"
	mount --bind "$DIR/resolv.conf" /etc/resolv.conf || exit 99
	mount --bind "$DIR/nsswitch.conf" /etc/nsswitch.conf || exit 99
	python3 -c 'import socket, sys, time
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind(("127.0.0.1", 53))
	print("ready", flush=True)
	time.sleep(60)' >"$DIR/ready" &
	until [ -s "$DIR/ready" ]; do kill -0 \$! || exit 99; done
	"$AGENT" fetch --machine x86_64 --release "$RELEASE" --host-root "$DIR/host" \
		--no-cache --url http://btf.example/ --timeout-ms 1000
	code=\$?
	kill \$!
	exit \$code
END
sed -i 's/^\t\(s\.\|s =\|print\|time\)/\1/' "$DIR/dns.sh"
start=$(date +%s%3N)
private timeout 60 bash "$DIR/dns.sh" >"$DIR/out" 2>"$DIR/err"
CODE=$?
MS=$(($(date +%s%3N) - start))
if [ "$CODE" = 99 ]; then
	skip "no private name server: $(head -c 200 "$DIR/err" | tr '\n' ' ')"
else
	is "$CODE" 5 "a name server that is silent"
	said 'in time' "a name server that is silent"
	ok "within the deadline: $MS ms" test "$MS" -lt 5000
fi

tap_done
