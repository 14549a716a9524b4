/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* btf-agent run: finds the BTF, loads a collector with it and prints its events. */
#ifndef AGENT_RUN_H
#define AGENT_RUN_H

/* argv[0] is the command's name. Gives the exit code. */
int cmd_run(int argc, char **argv);

#endif
