// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "agent/events.h"
#include "bpf/events.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int print_fn(const void *data, size_t size, struct fail *f);

/* What print writes to stdout; the caller frees. */
static char *printed(print_fn *print, const void *data, size_t size, int *ret_err)
{
	FILE *real = stdout;
	struct fail f = { "" };
	char *text = NULL;
	size_t n;

	stdout = open_memstream(&text, &n);
	if (!stdout)
		abort();
	*ret_err = print(data, size, &f);
	fclose(stdout);
	stdout = real;
	return text;
}

static void shows(print_fn *print, const void *data, size_t size, const char *want,
		  const char *what)
{
	int err;
	char *got = printed(print, data, size, &err);

	tap_is_int(err, 0, "%s: is read", what);
	tap_is_str(got, want, "%s", what);
	free(got);
}

static void refused(const void *data, size_t size, int want, const char *what)
{
	int err;
	char *got = printed(events_print_json, data, size, &err);

	tap_is_int(err, want, "%s is refused", what);
	tap_is_str(got, "", "%s prints nothing", what);
	free(got);
}

static struct event_exit an_exit(void)
{
	return (struct event_exit){
		.header = { .type = EVENT_EXIT, .size = sizeof(struct event_exit), .time_ns = 5 },
		.process = { .started_boot_ns = 18446744073709551615ull,
			     .pid = 7,
			     .ppid = 1,
			     .uid = 4294967295u,
			     .comm = "sh",
			     .parent_comm = "init" },
		.duration_ns = 1250000,
		.wait_status = 3 << 8,
	};
}

static void test_exit(void)
{
	struct event_exit e = an_exit();

	shows(events_print_text, &e, sizeof(e),
	      "exit pid=7 ppid=1 uid=4294967295 comm=\"sh\" parent_comm=\"init\" code=3 "
	      "duration=1.250ms\n",
	      "exit as text");
	shows(events_print_json, &e, sizeof(e),
	      "{\"event\":\"exit\",\"time_ns\":5,\"pid\":7,\"ppid\":1,\"uid\":4294967295,"
	      "\"comm\":\"sh\",\"parent_comm\":\"init\",\"started_boot_ns\":18446744073709551615,"
	      "\"exit_code\":3,\"signal\":null,\"core_dumped\":false,\"duration_ns\":1250000}\n",
	      "exit as JSON");
	e.wait_status = 11 | 0x80;
	shows(events_print_text, &e, sizeof(e),
	      "exit pid=7 ppid=1 uid=4294967295 comm=\"sh\" parent_comm=\"init\" signal=11 core "
	      "duration=1.250ms\n",
	      "killed, as text");
	shows(events_print_json, &e, sizeof(e),
	      "{\"event\":\"exit\",\"time_ns\":5,\"pid\":7,\"ppid\":1,\"uid\":4294967295,"
	      "\"comm\":\"sh\",\"parent_comm\":\"init\",\"started_boot_ns\":18446744073709551615,"
	      "\"exit_code\":null,\"signal\":11,\"core_dumped\":true,\"duration_ns\":1250000}\n",
	      "killed, as JSON");
}

/* A process chooses its name: 15 bytes of anything. */
static void test_names(void)
{
	struct event_exec e = {
		.header = { .type = EVENT_EXEC, .size = sizeof(e) },
		.process = { .comm = "a\"\\\n\x1b\xc3\xa9\xff\xc3", .parent_comm = "\xe2\x82" },
	};

	shows(events_print_text, &e, sizeof(e),
	      "exec pid=0 ppid=0 uid=0 comm=\"a\\\"\\\\\\x0a\\x1b\\xc3\\xa9\\xff\\xc3\" "
	      "parent_comm=\"\\xe2\\x82\"\n",
	      "foreign bytes as text");
	shows(events_print_json, &e, sizeof(e),
	      "{\"event\":\"exec\",\"time_ns\":0,\"pid\":0,\"ppid\":0,\"uid\":0,"
	      "\"comm\":\"a\\\"\\\\\\u000a\\u001b\xc3\xa9\\ufffd\\ufffd\","
	      "\"parent_comm\":\"\\ufffd\\ufffd\",\"started_boot_ns\":0}\n",
	      "foreign bytes as JSON");
	memset(e.process.comm, 'x', sizeof(e.process.comm));
	shows(events_print_text, &e, sizeof(e),
	      "exec pid=0 ppid=0 uid=0 comm=\"xxxxxxxxxxxxxxx\" parent_comm=\"\\xe2\\x82\"\n",
	      "a name without NUL ends");
}

static void test_creds(void)
{
	struct event_creds e = {
		.header = { .type = EVENT_CREDS, .size = sizeof(e) },
		.process = { .pid = 9, .comm = "su", .parent_comm = "sh" },
		.new_uid = 65534,
		.new_euid = 1,
	};

	shows(events_print_text, &e, sizeof(e),
	      "creds pid=9 ppid=0 uid=0 comm=\"su\" parent_comm=\"sh\" new_uid=65534 euid=0 "
	      "new_euid=1\n",
	      "creds as text");
	shows(events_print_json, &e, sizeof(e),
	      "{\"event\":\"creds\",\"time_ns\":0,\"pid\":9,\"ppid\":0,\"uid\":0,\"comm\":\"su\","
	      "\"parent_comm\":\"sh\",\"started_boot_ns\":0,\"new_uid\":65534,\"euid\":0,"
	      "\"new_euid\":1}\n",
	      "creds as JSON");
}

static void test_sizes(void)
{
	struct {
		char odd;
		struct event_exit e;
		char more[12];
	} __attribute__((packed)) longer = { .e = an_exit() };
	struct event_exit e = an_exit();
	int err;
	char *text;

	text = printed(events_print_text, &longer.e, sizeof(longer.e) + sizeof(longer.more), &err);
	tap_is_int(err, 0, "an unaligned event with padding behind it is read");
	free(text);
	longer.e.header.size += (__u32)sizeof(longer.more);
	text = printed(events_print_text, &longer.e, sizeof(longer.e) + sizeof(longer.more), &err);
	tap_is_int(err, 0, "an event with fields that are newer is read");
	free(text);
	refused(&e, 0, -EBADMSG, "nothing");
	refused(&e, sizeof(e.header) - 1, -EBADMSG, "half a header");
	refused(&e, sizeof(e) - 1, -EBADMSG, "a cut event");
	e.header.size--;
	refused(&e, sizeof(e), -EBADMSG, "an event shorter than its type");
	e = an_exit();
	e.header.type = 0;
	refused(&e, sizeof(e), -ENOTSUP, "type 0");
	e.header.type = 4000000000u;
	refused(&e, sizeof(e), -ENOTSUP, "an unknown type");
}

int main(void)
{
	test_exit();
	test_names();
	test_creds();
	test_sizes();
	return tap_done();
}
