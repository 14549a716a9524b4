/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The collectors of bpf/, linked into the program: this machine's architecture only. */
#ifndef AGENT_COLLECTORS_H
#define AGENT_COLLECTORS_H

extern const unsigned char collector_kernel[], collector_kernel_end[];

#endif
