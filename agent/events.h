/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The events of bpf/events.h, as text for people or JSON for programs. */
#ifndef AGENT_EVENTS_H
#define AGENT_EVENTS_H

#include <stddef.h>

struct fail;

/*
 * Writes one event to stdout, one line of either:
 *
 *	exit pid=7 ppid=1 uid=0 comm="sh" parent_comm="init" code=3 duration=1.250ms
 *	{"event":"exit","time_ns":...,"pid":7,...,"exit_code":3,"signal":null,...}
 *
 * Of a text's names, bytes that do not print are shown as \xNN; in JSON what is not UTF-8 becomes
 * U+FFFD. -EBADMSG: not an event, or shorter than its type; -ENOTSUP: a type newer than this
 * program. Nothing is written then.
 */
int events_print_text(const void *data, size_t size, struct fail *f);
int events_print_json(const void *data, size_t size, struct fail *f);

#endif
