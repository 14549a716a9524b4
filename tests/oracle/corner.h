/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What the corner cases share. Their programs are relocated and never run, so they need no sense:
 * each adds up what it asks, for the compiler to keep it. */
#ifndef TESTS_ORACLE_CORNER_H
#define TESTS_ORACLE_CORNER_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define RELOCATED __attribute__((preserve_access_index))
#define PROGRAM	  SEC("raw_tp/sys_enter") int

#define INFO(field, what) __builtin_preserve_field_info(field, BPF_FIELD_##what)

char LICENSE[] SEC("license") = "GPL";

#endif
