// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Against tests/provision/faultd.py, which gets most things wrong on purpose. */
#include "btfs/fail.h"
#include "btfs/fetch.h"
#include "tests/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BODY	 "0123456789abcdef"
#define MAX_BODY (1u << 20)

struct faultd {
	pid_t pid;
	char root[64], port[16];
};

static int start(struct faultd *d)
{
	char path[128], log[128];
	int out[2];
	FILE *f;

	snprintf(d->root, sizeof(d->root), "/tmp/btfdepot-fetch-XXXXXX");
	if (!mkdtemp(d->root) || pipe(out))
		return -1;
	snprintf(path, sizeof(path), "%s/file", d->root);
	snprintf(log, sizeof(log), "%s/log", d->root);
	f = fopen(path, "w");
	if (!f || fputs(BODY, f) < 0 || fclose(f))
		return -1;
	d->pid = fork();
	if (!d->pid) {
		dup2(out[1], 1);
		close(out[0]);
		execlp("python3", "python3", "tests/provision/faultd.py", d->root, log, NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	if (!f || !fgets(d->port, sizeof(d->port), f))
		return -1;
	d->port[strcspn(d->port, "\n")] = '\0';
	return fclose(f);
}

static void stop(struct faultd *d)
{
	char path[128];

	if (d->pid > 0) {
		kill(d->pid, SIGTERM);
		waitpid(d->pid, NULL, 0);
	}
	snprintf(path, sizeof(path), "%s/file", d->root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/log", d->root);
	unlink(path);
	rmdir(d->root);
}

static int ask(struct fetch *fetch, const char *url, const char *etag, uint32_t ms,
	       struct fetch_answer *answer, struct fail *f)
{
	struct fetch_request request = {
		.url = url,
		.max_bytes = MAX_BODY,
		.deadline_ms = fetch_now_ms() + ms,
		.etag = etag,
	};

	memset(answer, 0, sizeof(*answer));
	f->text[0] = '\0';
	return fetch_get(fetch, &request, answer, f);
}

static const struct row {
	const char *path;
	int err;
	long status;
	uint32_t deadline_ms;
	const char *said; /* part of the sentence */
} rows[] = {
	{ "ok/file", 0, 200, 5000, "" },
	{ "ok/none", 0, 404, 5000, "" },
	{ "status-410/x", 0, 410, 5000, "" },
	{ "status-204/x", 0, 204, 5000, "" },
	{ "status-206/x", 0, 206, 5000, "" },
	{ "status-302/x", 0, 302, 5000, "" },
	{ "status-429/x", 0, 429, 5000, "" },
	{ "status-500/x", 0, 500, 5000, "" },
	{ "status-503/x", 0, 503, 5000, "" },
	{ "cut-5/file", -EPROTO, 0, 5000, "cut after 5 bytes" },
	{ "reset/file", -EPROTO, 0, 5000, "" },
	{ "nohttp/file", -EPROTO, 0, 5000, "" },
	{ "headers/x", -EPROTO, 0, 5000, "headers" },
	{ "interim/x", -EPROTO, 0, 5000, "headers" },
	{ "endless/x", -E2BIG, 0, 5000, "larger than 1048576 bytes" },
	{ "huge/x", -E2BIG, 0, 5000, "larger than 1048576 bytes" },
	{ "drip/file", -ETIMEDOUT, 0, 600, "in time" },
	{ "silent/x", -ETIMEDOUT, 0, 300, "in time" },
};

static void test_rows(struct fetch *fetch, const char *port)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct fetch_answer answer;
		struct fail f;
		uint64_t before = fetch_now_ms(), took;
		char url[128];
		int err;

		snprintf(url, sizeof(url), "http://127.0.0.1:%s/%s", port, rows[i].path);
		err = ask(fetch, url, NULL, rows[i].deadline_ms, &answer, &f);
		took = fetch_now_ms() - before;
		tap_is_int(err, rows[i].err, "%s: error (%s)", rows[i].path, f.text);
		tap_is_int(answer.status, rows[i].status, "%s: status", rows[i].path);
		tap_ok(strstr(f.text, rows[i].said) != NULL, "%s: says \"%s\"", rows[i].path,
		       rows[i].said);
		tap_ok(took < rows[i].deadline_ms + 2000, "%s: took %d ms", rows[i].path,
		       (int)took);
		tap_ok(!answer.data == (rows[i].status != 200), "%s: body only with 200",
		       rows[i].path);
		fetch_answer_free(&answer);
	}
}

static void test_answer(struct fetch *fetch, const char *port)
{
	struct fetch_answer answer;
	struct fail f;
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%s/ok/file", port);
	tap_is_int(ask(fetch, url, "\"old\"", 5000, &answer, &f), 0, "asks with an ETag");
	tap_ok(answer.size == strlen(BODY) && !memcmp(answer.data, BODY, answer.size),
	       "gives the body");
	tap_is_str(answer.etag, "\"one\"", "gives the ETag");
	fetch_answer_free(&answer);
	fetch_answer_free(NULL);

	snprintf(url, sizeof(url), "http://127.0.0.1:%s/status-429/x", port);
	ask(fetch, url, NULL, 5000, &answer, &f);
	tap_is_int(answer.retry_after_s, 7, "gives Retry-After");
	tap_is_str(answer.etag, "", "no ETag of an earlier answer");
	tap_is_int(ask(fetch, url, "a\r\nX: y", 5000, &answer, &f), -EINVAL,
		   "no line break gets into a header");
}

/* A port that was free a moment ago: bound, so that nobody takes it, but not listening. */
static void test_refused(struct fetch *fetch)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	struct fetch_answer answer;
	struct fail f;
	char url[64];
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) ||
	    getsockname(s, (struct sockaddr *)&a, &len)) {
		tap_skip("no port to be had");
		return;
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", ntohs(a.sin_port));
	tap_is_int(ask(fetch, url, NULL, 5000, &answer, &f), -ECONNREFUSED, "nobody listens (%s)",
		   f.text);
	close(s);
}

static void test_bad_urls(struct fetch *fetch)
{
	static const char *const urls[] = {
		"ftp://127.0.0.1/x", "file:///etc/passwd",	   "",
		"http:/x",	     "http://127.0.0.1/a\r\nX: y", "http://127.0.0.1/a b"
	};
	struct fetch_answer answer;
	struct fail f;
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		tap_is_int(ask(fetch, urls[i], NULL, 5000, &answer, &f), -EINVAL, "bad URL %zu", i);
		tap_ok(*f.text != '\0', "and says so");
	}
	tap_is_int(ask(fetch, "http://127.0.0.1:1/x", NULL, 0, &answer, &f), -ETIMEDOUT,
		   "no time left: nobody is asked");
}

static void test_url(void)
{
	static const struct {
		const char *base, *path, *want;
	} urls[] = {
		{ "http://h", "a/b", "http://h/a/b" },
		{ "http://h/", "/a", "http://h/a" },
		{ "http://h/t//", "6.1+deb.btf", "http://h/t/6.1%2Bdeb.btf" },
		{ "http://h", "r@12:~%\r\n x", "http://h/r%4012%3A~%25%0D%0A%20x" },
		{ "http://h", "\xc3\xa9?#", "http://h/%C3%A9%3F%23" },
		{ "http://h", "", "http://h/" },
	};
	size_t i;

	for (i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		char *url = fetch_url(urls[i].base, urls[i].path);

		tap_is_str(url, urls[i].want, "path is encoded: row %zu", i);
		free(url);
	}
}

int main(void)
{
	struct faultd d = { 0 };
	struct fetch *fetch = fetch_new();

	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	tap_ok(fetch != NULL, "a handle");
	test_url();
	test_bad_urls(fetch);
	test_refused(fetch);
	if (start(&d)) {
		tap_skip("python3 is missing, or the tests do not run from the top folder");
	} else {
		test_rows(fetch, d.port);
		test_answer(fetch, d.port);
	}
	stop(&d);
	fetch_free(fetch);
	fetch_free(NULL);
	return tap_done();
}
