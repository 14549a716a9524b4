// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "events.h"
#include "options.h"
#include "bpf/events.h"
#include "btfs/fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Every event begins like this. */
struct event_any {
	struct event_header header;
	struct event_process process;
};

union event {
	struct event_any any;
	struct event_exec exec;
	struct event_exit exit;
	struct event_creds creds;
};

static void exec_text(const union event *e)
{
}

static void exec_json(const union event *e)
{
}

static void exit_text(const union event *e)
{
	int status = (int)e->exit.wait_status;

	if (WIFSIGNALED(status))
		printf(" signal=%d%s", WTERMSIG(status), WCOREDUMP(status) ? " core" : "");
	else
		printf(" code=%d", WEXITSTATUS(status));
	printf(" duration=%.3fms", (double)e->exit.duration_ns / 1e6);
}

static void exit_json(const union event *e)
{
	int status = (int)e->exit.wait_status;

	if (WIFSIGNALED(status))
		printf(",\"exit_code\":null,\"signal\":%d,\"core_dumped\":%s", WTERMSIG(status),
		       WCOREDUMP(status) ? "true" : "false");
	else
		printf(",\"exit_code\":%d,\"signal\":null,\"core_dumped\":false",
		       WEXITSTATUS(status));
	printf(",\"duration_ns\":%" PRIu64, (uint64_t)e->exit.duration_ns);
}

static void creds_text(const union event *e)
{
	printf(" new_uid=%u euid=%u new_euid=%u", e->creds.new_uid, e->creds.euid,
	       e->creds.new_euid);
}

static void creds_json(const union event *e)
{
	printf(",\"new_uid\":%u,\"euid\":%u,\"new_euid\":%u", e->creds.new_uid, e->creds.euid,
	       e->creds.new_euid);
}

static const struct kind {
	const char *name;
	size_t size;
	void (*text)(const union event *e);
	void (*json)(const union event *e);
} kinds[] = {
	[EVENT_EXEC] = { "exec", sizeof(struct event_exec), exec_text, exec_json },
	[EVENT_EXIT] = { "exit", sizeof(struct event_exit), exit_text, exit_json },
	[EVENT_CREDS] = { "creds", sizeof(struct event_creds), creds_text, creds_json },
};

/* data may lie anywhere and be longer: a perf buffer pads, a newer program appends. */
static int read_event(const void *data, size_t size, union event *ret_event,
		      const struct kind **ret_kind, struct fail *f)
{
	const struct kind *kind;
	struct event_header header;

	if (size < sizeof(header))
		return fail(f, -EBADMSG, "an event of %zu bytes is too short", size);
	memcpy(&header, data, sizeof(header));
	if (header.type >= sizeof(kinds) / sizeof(kinds[0]) || !kinds[header.type].name)
		return fail(f, -ENOTSUP, "events of type %u are newer than this program",
			    header.type);
	kind = &kinds[header.type];
	if (header.size > size || header.size < kind->size)
		return fail(f, -EBADMSG, "an event of type %s says %u bytes, has %zu and needs %zu",
			    kind->name, header.size, size, kind->size);
	memcpy(ret_event, data, kind->size);
	/* The kernel ends them with a NUL; whoever else wrote this may not have. */
	ret_event->any.process.comm[EVENTS_COMM_SIZE - 1] = '\0';
	ret_event->any.process.parent_comm[EVENTS_COMM_SIZE - 1] = '\0';
	*ret_kind = kind;
	return 0;
}

static void print_quoted(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s < ' ' || *s > '~')
			printf("\\x%02x", (unsigned char)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

int events_print_text(const void *data, size_t size, struct fail *f)
{
	const struct event_process *p;
	const struct kind *kind;
	union event e;
	int err;

	err = read_event(data, size, &e, &kind, f);
	if (err)
		return err;
	p = &e.any.process;
	printf("%s pid=%u ppid=%u uid=%u comm=", kind->name, p->pid, p->ppid, p->uid);
	print_quoted(p->comm);
	printf(" parent_comm=");
	print_quoted(p->parent_comm);
	kind->text(&e);
	putchar('\n');
	return 0;
}

int events_print_json(const void *data, size_t size, struct fail *f)
{
	const struct event_process *p;
	const struct kind *kind;
	union event e;
	int err;

	err = read_event(data, size, &e, &kind, f);
	if (err)
		return err;
	p = &e.any.process;
	printf("{\"event\":\"%s\",\"time_ns\":%" PRIu64 ",\"pid\":%u,\"ppid\":%u,\"uid\":%u",
	       kind->name, (uint64_t)e.any.header.time_ns, p->pid, p->ppid, p->uid);
	printf(",\"comm\":");
	options_print_json_string(p->comm);
	printf(",\"parent_comm\":");
	options_print_json_string(p->parent_comm);
	printf(",\"started_boot_ns\":%" PRIu64, (uint64_t)p->started_boot_ns);
	kind->json(&e);
	printf("}\n");
	return 0;
}
