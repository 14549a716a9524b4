# SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
# shellcheck shell=sh
#
# In the guest, one run of the agent: run_agent NAME OPTION... starts it, lets one known child
# process change its user and end with 7, and shows what was printed as NAME.json and NAME.err once
# the child's end was. The child's pid is in NAME.pid, the agent's exit code in NAME.exit.

wait_for() # pid, command...: until it succeeds, the process has ended or 30 s are over
{
	pid=$1
	shift
	i=0
	while ! "$@" && [ $i -lt 300 ] && kill -0 "$pid" 2>/dev/null; do
		usleep 100000
		i=$((i + 1))
	done
}

run_agent() # name, option...
{
	name=$1
	shift
	rm -f /tmp/ready /tmp/json /tmp/ticks
	btf-agent run "$@" --json --steps --duration-ms 60000 --ready-fd 9 \
		9>/tmp/ready >/tmp/json 2>/tmp/err &
	agent=$!
	wait_for $agent [ -s /tmp/ready ]
	/usr/bin/setpriv --reuid 65534 /bin/known7 &
	echo $! >/tmp/pid
	wait $!
	wait_for $agent grep -q '"exit_code":7' /tmp/json
	kill -TERM $agent
	wait $agent
	echo $? >/tmp/exit
	for file in json err pid ppid ticks exit; do
		show "$name.$file" "/tmp/$file"
	done
}

# Its own words for when it started: field 22 of proc(5) stat.
cat >/bin/known7 <<'END'
#!/bin/sh
read -r line </proc/$$/stat
set -- ${line##*) }
echo "${20}" >/tmp/ticks
exit 7
END
chmod 755 /bin/known7
chmod 1777 /tmp
echo $$ >/tmp/ppid
