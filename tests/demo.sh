#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#
# make demo: takes real kernels' whole BTF, cuts out what a real BPF program needs, serves that over
# HTTP, starts the agent where the kernel's BTF is missing, has it fetch, load and print events that
# really happened. Writes into a temporary folder only, which goes at the end, as do the processes;
# ends with 1 and "FAILED" where anything is not as it should be. DEMO_SECONDS (300) bounds it.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
top=$PWD
bin=$top/${O:-build}/bin
archive=${BTFDEPOT_SHARED:-$top/../shared}/archive
own=/sys/kernel/btf/vmlinux
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY "${!BTFDEPOT_@}"
case $(uname -m) in
x86_64) arch=x86_64 ;;
aarch64) arch=arm64 ;;
*) echo "demo: FAILED: there is no collector for $(uname -m)" >&2; exit 1 ;;
esac
object=$top/build/bpf/kernel.$arch.bpf.o

# --- what it can do here ----------------------------------------------------------------------

# CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON.
may_load()
{
	local caps

	caps=$((16#$(awk '/^CapEff:/ { print $2 }' /proc/self/status)))
	((caps >> 21 & 1 || (caps >> 38 & 1 && caps >> 39 & 1)))
}

# The rest runs in namespaces of its own, where hiding the kernel's BTF hurts nobody and the network
# ends at the loopback. DEMO_HIDE says how the BTF is hidden: mount, option, or none is there.
enter()
{
	local ns=(env) load=no

	! may_load || load=yes
	if [ ! -r $own ]; then
		DEMO_HIDE=none
	elif unshare -m -n true 2>/dev/null; then
		DEMO_HIDE=mount ns=(unshare -m -n)
	elif [ $load = no ] && unshare -r -m -n true 2>/dev/null; then
		DEMO_HIDE=mount ns=(unshare -r -m -n)
	else
		DEMO_HIDE=option
	fi
	export DEMO_HIDE DEMO_LOAD=$load BTFDEPOT_SHARED=${archive%/archive}
	exec timeout --foreground -k 20 "${DEMO_SECONDS:-300}" "${ns[@]}" "$top/tests/demo.sh"
}
[ -n "${DEMO_HIDE:-}" ] || enter

# --- saying it --------------------------------------------------------------------------------
bold='' green='' red='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
	bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
fi
step=0
begin=$EPOCHREALTIME
server='' agent='' command=''
work=$(mktemp -d) || exit 1

cleanup()
{
	local pid

	for pid in $command $agent $server; do
		kill "$pid" 2>/dev/null
	done
	wait
	rm -rf "$work"
}
trap cleanup EXIT
trap 'echo "demo: FAILED: stopped, or took too long" >&2; exit 1' INT TERM HUP

step()
{
	step=$((step + 1))
	printf '\n%s%d  %s%s\n' "$bold" $step "$1" "$plain"
}

note()
{
	printf '   %s\n' "$*"
}

# Fingerprints and the temporary folder's name tell a reader nothing.
quote() # file
{
	sed -E "s|$work/||g; s|$top/||g; s|([0-9a-f]{8})[0-9a-f]{32,56}|\1...|g; s|^|     |" "$1"
}

die() # what [file]
{
	printf '\n%sdemo: FAILED in step %d: %s%s\n' "$red" $step "$1" "$plain" >&2
	[ $# = 1 ] || tail -n 30 "$2" | sed 's/^/     /' >&2
	exit 1
}

count() # number word
{
	echo "$1 $2$([ "$1" = 1 ] || echo s)"
}

since() # EPOCHREALTIME: ms
{
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f ms", (b - a) * 1000 }'
}

grouped() # number: 1,234,567
{
	sed ':a; s/\B[0-9]\{3\}\>/,&/; ta' <<<"$1"
}

# Runs a command, all it says goes to $work/said. Its exit code must be the first argument.
run() # code command...
{
	local want=$1 from=$EPOCHREALTIME status words

	shift
	words=$*
	words=${words//$work\//}
	words=${words//$bin\//}
	words=${words//$top\//}
	note "\$ $words"
	timeout 120 "$@" >"$work/said" 2>&1 & # a trap waits for what runs in the foreground
	command=$!
	wait $command
	status=$?
	command=''
	took=$(since "$from")
	[ $status = "$want" ] || die "exit code $status, not $want: $words" "$work/said"
}

# Until the command succeeds; at most 20 s, and while the process is there.
await() # pid its-log what command...
{
	local pid=$1 log=$2 what=$3 i

	shift 3
	for ((i = 0; i < 400; i++)); do
		! "$@" 2>/dev/null || return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	"$@" 2>/dev/null || die "$what" "$log"
}

# --- where the BTF comes from -----------------------------------------------------------------

distro_of()
{
	local ID='' VERSION_ID=''

	# shellcheck disable=SC1091
	. /etc/os-release 2>/dev/null || . /usr/lib/os-release 2>/dev/null
	echo "${ID:-linux}/${VERSION_ID:-0}"
}

# The image package of a small Debian kernel: its BTF is inside of vmlinuz.
debian_kernel()
{
	local meta package release to

	command -v apt-get >/dev/null && meta=linux-image-cloud-$(dpkg --print-architecture) ||
		die "this kernel has no BTF, and without apt-get no other kernel's can be had"
	package=$(apt-cache depends "$meta" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }')
	if [ -z "$package" ] && [ "$(id -u)" = 0 ]; then
		apt-get -q update >"$work/log" 2>&1
		package=$(apt-cache depends "$meta" 2>/dev/null |
			awk '/Depends: linux-image-/ { print $2; exit }')
	fi
	[ -n "$package" ] || die "this kernel has no BTF, and apt knows no $meta to take another's from"
	note "this machine has no BTF at all: taking that of Debian's $package"
	mkdir "$work/deb"
	(cd "$work/deb" && apt-get -q -o APT::Sandbox::User=root download "$package" &&
		dpkg-deb -x ./*.deb .) >"$work/log" 2>&1 || die "cannot get $package" "$work/log"
	release=${package#linux-image-}
	to=$work/archive/$(distro_of)/$arch
	mkdir -p "$to"
	python3 tests/demo/vmlinuz-btf.py "$work/deb/boot/vmlinuz-$release" "$to/$release.btf" \
		>"$work/log" 2>&1 || die "no BTF in $package" "$work/log"
}

collect_btf()
{
	local to

	archives=()
	if [ -r $own ]; then
		to=$work/archive/$(distro_of)/$arch
		mkdir -p "$to"
		cp $own "$to/$(uname -r).btf" || die "cannot copy $own"
		archives+=("$work/archive")
	fi
	[ ! -d "$archive" ] || archives+=("$archive")
	[ ${#archives[@]} -gt 0 ] || { debian_kernel; archives=("$work/archive"); }
}

hide_btf()
{
	hidden=()
	case $DEMO_HIDE in
	mount)
		mount -t tmpfs none /sys/kernel/btf && ip link set lo up ||
			die "cannot hide the kernel's BTF"
		[ -e /sys/kernel/tracing/events ] || mount -t tracefs none /sys/kernel/tracing 2>/dev/null
		;;
	option) hidden=(--kernel-btf "$work/hidden") ;;
	esac
}

# --- the steps --------------------------------------------------------------------------------

tell_need()
{
	step "What does the program need of a kernel?"
	run 0 "$bin/btfgen" need "$object"
	cp "$work/said" "$work/need.txt"
	expand -t 15,24,38,60 "$work/need.txt" >"$work/said"
	quote "$work/said"
	need=$("$bin/btfgen" need --id "$object") || die "no fingerprint"
	note "$(($(wc -l <"$work/need.txt") - 1)) relocations, $took. Fingerprint: ${need:0:8}..."
}

# One line for each answer: how many kernels share it, and which.
answers()
{
	tail -n +2 "$tree/index.tsv" | sort -t $'\t' -k 7,7 -s | awk -F '\t' '
		function tell() {
			if (n)
				printf "     %-11s %10d bytes %8d  %s%s\n", substr(last, 1, 8) "...", size, n,
					first, (n > 1 ? " to " to : "")
		}
		$7 != last { tell(); first = $4; n = 0 }
		{ last = $7; size = $8; to = $4; n++ }
		END { tell() }' | sort -k 5,5V
}

cut_it()
{
	local from=$EPOCHREALTIME dir full small kernels different

	step "Cut that out of each kernel's BTF"
	: >"$work/cut"
	for dir in "${archives[@]}"; do
		run 0 "$bin/btfgen" min --out "$work/tree" --archive "$dir" "$object"
		cat "$work/said" >>"$work/cut"
	done
	took=$(since "$from")
	read -r kernels full small < <(awk '$1 == "done" || $1 == "reused" { n++; full += $3; small += $5 }
		END { print n + 0, full + 0, small + 0 }' "$work/cut")
	[ "$kernels" -gt 0 ] || die "no kernel was done" "$work/cut"
	tree=$work/tree/min/$need
	different=$(tail -n +2 "$tree/index.tsv" | cut -f 7 | sort -u | wc -l)
	note "before $(grouped "$full") bytes: the whole BTF of $(count "$kernels" kernel)"
	note "after  $(grouped "$small") bytes: $(count "$kernels" file), $different different; $took"
	note "  answer                 size  kernels, first to last"
	answers
}

serve()
{
	local from=$EPOCHREALTIME

	step "Serve the tree over HTTP"
	note "\$ btf-server --root tree --listen 127.0.0.1:0"
	"$bin/btf-server" --root "$work/tree" --listen 127.0.0.1:0 --port-file "$work/port" \
		>"$work/log" 2>&1 &
	server=$!
	await $server "$work/log" "the server does not start" test -s "$work/port"
	url=http://127.0.0.1:$(cat "$work/port")
	note "at $url after $(since "$from")"
}

# The kernel to ask for: this one, else one of the tree's.
choose_kernel()
{
	foreign=()
	kernel=$(uname -r)
	[ ! -e "$tree/by-release/$arch/$kernel.btf" ] || return 0
	kernel=$(basename "$(find "$tree/by-release/$arch" -name '*.btf' | sort -V | tail -n 1)" .btf)
	foreign=(--release "$kernel" --machine "$arch")
}

start_blind()
{
	step "Start the agent where the kernel's BTF is missing"
	case $DEMO_HIDE in
	mount) note "hidden by an empty folder over /sys/kernel/btf, for this demo's processes alone" ;;
	option) note "hidden by an option, as this user may not make namespaces" ;;
	none) note "this kernel has none" ;;
	esac
	sources=(--url "$url" --cache "$work/cache")
	run 0 "$bin/btf-agent" status "${hidden[@]}" "${foreign[@]}" "${sources[@]}"
	quote "$work/said"
}

requests() # from line: those of the server's log
{
	sed -n "$(($1 + 1)),\$p" "$work/log" | sed 's/^[^"]*"/GET "/' >"$work/requests"
	quote "$work/requests"
}

child_event() # event, pattern behind the process
{
	grep -E "^$1 pid=$child_pid ppid=[0-9]+ uid=[0-9]+ comm=\"sh\" .*$2" "$work/events"
}

# A child of ours runs and ends while the agent looks.
watch_child()
{
	local status

	await $agent "$work/agent" "the agent is not ready" test -s "$work/ready"
	sh -c 'exit 7' &
	child=$!
	wait $child
	# In a pid namespace of a container we see another number than the kernel.
	child_pid=$child
	[ "$(readlink /proc/self/ns/pid)" = 'pid:[4026531836]' ] || child_pid='[0-9]+'
	await $agent "$work/agent" "the child's end was not told" child_event exit ' code=7 ' >/dev/null
	kill -TERM $agent
	wait $agent
	status=$?
	agent=''
	[ $status = 0 ] || die "the agent ended with $status" "$work/agent"
	child_event exec '' >/dev/null || die "the child's exec was not told" "$work/events"
}

load_it()
{
	local others

	step "Fetch, relocate, load, attach, print events"
	note "\$ btf-agent run ${hidden[*]:+--kernel-btf hidden }--url $url --cache cache"
	"$bin/btf-agent" run --steps "${hidden[@]}" "${sources[@]}" --duration-ms 60000 --ready-fd 9 \
		9>"$work/ready" >"$work/events" 2>"$work/agent" &
	agent=$!
	watch_child
	quote "$work/agent" | grep -v '^ *ready$'
	grep -q "^btf-agent run: BTF [a-z]* from server $url, $size bytes" "$work/agent" ||
		die "the BTF did not come from the server" "$work/agent"
	note "What the server was asked:"
	requests "$asked"
	note "Meanwhile process $child ran \"sh -c 'exit 7'\". What the kernel told of it:"
	{ child_event exec ''; child_event exit ' code=7 '; } | sed "s|^|     $green|; s|\$|$plain|"
	others=$(($(wc -l <"$work/events") - $(grep -cE "pid=$child_pid " "$work/events")))
	note "and $(count $others event) of other processes"
}

# All but the load.
fetch_it()
{
	step "Fetch it"
	if [ ${#foreign[@]} -gt 0 ]; then
		note "NOT LOADED: of the kernel that runs here there is no BTF; asking for that of $kernel"
	else
		note "NOT LOADED: loading BPF programs needs root, or CAP_BPF and CAP_PERFMON"
	fi
	run 0 "$bin/btf-agent" fetch "${hidden[@]}" "${foreign[@]}" "${sources[@]}" --object "$object"
	quote "$work/said"
	note "$took. What the server was asked:"
	requests "$asked"
	cmp -s "$work"/cache/blob/* "$tree/by-release/$arch/$kernel.btf" ||
		die "what was fetched is not what was made"
}

again()
{
	local before

	step "Ask once more: the cache answers, the server hears nothing"
	before=$(wc -l <"$work/log")
	run 0 "$bin/btf-agent" fetch "${hidden[@]}" "${foreign[@]}" "${sources[@]}" --object "$object"
	quote "$work/said"
	grep -q 'from cache ' "$work/said" || die "it did not come from the cache" "$work/said"
	[ "$(wc -l <"$work/log")" = "$before" ] || die "the server was asked again" "$work/log"
	note "$took"
}

refuse()
{
	step "What does not fit is refused, and each source says why"
	run 3 "$bin/btf-agent" fetch --release 0.0.0-nobodys --machine "$arch" --no-cache --url "$url" \
		--object "$object"
	quote "$work/said"
	note "exit code 3: every source said that it has none; the nearest kernel is never taken"
	mkdir -p "$work/damaged/min/$need/by-release/$arch"
	head -c $((size - 100)) "$tree/by-release/$arch/$kernel.btf" \
		>"$work/damaged/min/$need/by-release/$arch/$kernel.btf"
	run 4 "$bin/btf-agent" fetch "${hidden[@]}" "${foreign[@]}" --no-cache --tree "$work/damaged" \
		--object "$object"
	quote "$work/said"
	note "exit code 4: a file was there, cut short, and libbpf never saw it"
}

printf '%sbtfdepot: BTF for kernels that ship none%s\n' "$bold" "$plain"
for file in "$bin"/btfgen "$bin"/btf-server "$bin"/btf-agent "$object"; do
	[ -s "$file" ] || die "$file is missing: run make"
done
note "here: $(distro_of | tr / ' '), kernel $(uname -r), $arch"
collect_btf
hide_btf
tell_need
cut_it
serve
choose_kernel
start_blind
size=$(stat -c %s "$tree/by-release/$arch/$kernel.btf")
asked=$(wc -l <"$work/log")
if [ "$DEMO_LOAD" = yes ] && [ ${#foreign[@]} = 0 ]; then
	load_it
else
	fetch_it
fi
again
refuse
kill "$server"
wait "$server" || die "the server ended with $?" "$work/log"
server=''
printf '\n%sdemo: done in %s%s\n' "$green" "$(since "$begin")" "$plain"
