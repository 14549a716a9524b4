// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "source.h"
#include "accept.h"
#include "cache.h"
#include "depot.h"
#include "place.h"
#include "btfs/archive.h"
#include "btfs/fetch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define SERVER_RETRY_MIN_MS 50 /* before the one retry that a server gets ... */
#define SERVER_RETRY_MAX_MS 250

struct server {
	struct btfdepot *depot;
	struct fetch *fetch;
	const char *url;
	uint64_t deadline_ms; /* its share of what was left */
	bool retried;
	uint32_t retry_after_s;
};

/* What a status other than 200 means: errno, what to say, and whether other paths may differ. */
static const struct meaning {
	long status;
	int err;
	bool next_path;
	const char *said;
} meanings[] = {
	{ 404, -ENOENT, true, "has none" },
	{ 410, -ENOENT, false, "says that this kernel ships its own BTF: is /sys mounted here?" },
	{ 409, -ENOENT, true, "has several that differ for this kernel (HTTP 409)" },
	{ 401, -ECONNREFUSED, false, "does not let us in (HTTP 401)" },
	{ 403, -ECONNREFUSED, false, "does not let us in (HTTP 403)" },
	{ 429, -ECONNREFUSED, false, "is asked too often (HTTP 429)" },
	{ 503, -ECONNREFUSED, false, "is busy (HTTP 503)" },
	{ 301, -ECONNREFUSED, false,
	  "redirects (HTTP 301), which is not followed: name its target" },
	{ 302, -ECONNREFUSED, false,
	  "redirects (HTTP 302), which is not followed: name its target" },
	{ 307, -ECONNREFUSED, false,
	  "redirects (HTTP 307), which is not followed: name its target" },
	{ 308, -ECONNREFUSED, false,
	  "redirects (HTTP 308), which is not followed: name its target" },
};

static int explain_status(long status, struct fail *f, bool *ret_next_path)
{
	size_t i;

	for (i = 0; i < sizeof(meanings) / sizeof(*meanings); i++) {
		if (meanings[i].status != status)
			continue;
		*ret_next_path = meanings[i].next_path;
		return fail(f, meanings[i].err, "%s", meanings[i].said);
	}
	*ret_next_path = false;
	return fail(f, -ECONNREFUSED, "answers HTTP %ld", status);
}

static bool is_transient(int err, long status)
{
	return err == -EPROTO || (!err && (status == 500 || status == 502 || status == 504));
}

static void pause_before_retry(void)
{
	struct timespec pause = { 0 };
	uint32_t x = 0;

	if (getrandom(&x, sizeof(x), GRND_NONBLOCK) < 0)
		x = 0;
	x = SERVER_RETRY_MIN_MS + x % (SERVER_RETRY_MAX_MS - SERVER_RETRY_MIN_MS);
	pause.tv_nsec = x * 1000000L;
	while (nanosleep(&pause, &pause) && errno == EINTR)
		;
}

/* One retry for a server, not for a path: a server that cuts connections is not asked on. */
static int get(struct server *s, const char *url, size_t max_bytes, struct fetch_answer *ret_answer,
	       struct fail *f)
{
	struct fetch_request request = {
		.url = url,
		.max_bytes = max_bytes,
		.deadline_ms = s->deadline_ms,
		.ca_file = s->depot->opts.ca_file,
	};
	struct fetch_answer answer = { 0 };
	int err = fetch_get(s->fetch, &request, &answer, f);

	if (is_transient(err, answer.status) && !s->retried &&
	    fetch_now_ms() + SERVER_RETRY_MAX_MS < s->deadline_ms) {
		s->retried = true;
		fetch_answer_free(&answer);
		pause_before_retry();
		err = fetch_get(s->fetch, &request, &answer, f);
	}
	if (!err)
		*ret_answer = answer;
	return err;
}

static int accept_answer(struct server *s, const struct place *place, struct fetch_answer *answer,
			 struct found *ret_found, struct fail *f)
{
	const struct btfdepot *depot = s->depot;
	struct found found = { .verdict = place->verdict };
	int err;

	if (place->form == PLACE_FULL) {
		err = depot_unpack(depot, answer->data, answer->size, &found, f);
		if (!err)
			*ret_found = found;
		return err;
	}
	err = accept_btf(answer->data, answer->size, depot->kernel.arch, f);
	if (err)
		return err;
	found.data = answer->data;
	found.size = answer->size;
	answer->data = NULL;
	*ret_found = found;
	return 0;
}

/* *ret_next_path: whether another path of this server is worth a request; true only on -ENOENT. */
static int ask_place(struct server *s, const struct place *place, struct found *ret_found,
		     bool *ret_next_path, struct fail *f)
{
	struct fetch_answer answer = { 0 };
	char *url = fetch_url(s->url, place->path);
	int err;

	*ret_next_path = false;
	if (!url)
		return fail(f, -ENOMEM, "no memory");
	err = get(s, url, s->depot->opts.max_btf_bytes, &answer, f);
	s->retry_after_s = answer.retry_after_s;
	if (!err && answer.status != 200)
		err = explain_status(answer.status, f, ret_next_path);
	else if (!err) {
		err = accept_answer(s, place, &answer, ret_found, f);
		if (err)
			fail_in(f, err, "%s", place->path);
	}
	depot_log(s->depot, BTFDEPOT_LOG_DEBUG, "%s: %s", url, err ? f->text : "accepted");
	fetch_answer_free(&answer);
	free(url);
	return err;
}

static bool is_unreachable(int err)
{
	return err == -ECONNREFUSED || err == -ETIMEDOUT || err == -EPROTO;
}

/* Content that was refused is not remembered: whoever repairs it is seen at once. */
static void remember(struct server *s, int err, const char *said)
{
	if (is_unreachable(err))
		cache_neg_put(s->depot->cache, CACHE_NEG_SERVER, s->url, err, s->retry_after_s,
			      said);
	else if (err == -ENOENT)
		cache_neg_put(s->depot->cache, CACHE_NEG_NONE, s->url, err, 0, said);
}

static int recall(struct server *s, struct fail *f)
{
	int err = cache_neg_get(s->depot->cache, CACHE_NEG_SERVER, s->url, f);

	return err ? err : cache_neg_get(s->depot->cache, CACHE_NEG_NONE, s->url, f);
}

static int ask_places(struct server *s, const struct place *places, size_t n,
		      struct found *ret_found)
{
	uint64_t since = fetch_now_ms();
	struct btfdepot *depot = s->depot;
	struct fail f = { "" };
	bool next_path = true;
	int err = -ENOENT;
	size_t i;

	for (i = 0; i < n && next_path; i++) {
		err = ask_place(s, &places[i], ret_found, &next_path, &f);
		if (!err)
			return depot_answer(depot, "server", s->url, since, 0, "%s, %zu bytes (%s)",
					    places[i].path, ret_found->size,
					    btfdepot__verdict_name(ret_found->verdict));
	}
	remember(s, err, f.text);
	if (next_path)
		return depot_answer(depot, "server", s->url, since, err, "%s for %s %s", f.text,
				    depot->kernel.arch, depot->kernel.release);
	return depot_answer(depot, "server", s->url, since, err, "%s", f.text);
}

static int ask_server(struct server *s, struct found *ret_found)
{
	struct place places[PLACE_MAX];
	size_t n = place_list(&s->depot->kernel, s->depot->need_id, places);
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	int err = recall(s, &f);

	if (err)
		return depot_answer(s->depot, "server", s->url, since, err, "%s", f.text);
	if (!n)
		return depot_answer(
			s->depot, "server", s->url, since, -ENOENT,
			"not asked: the distribution is not known, so neither the path");
	return ask_places(s, places, n, ret_found);
}

/* scheme://host:port of both are the same: one machine that is down is down under all its paths. */
static bool same_server(const char *a, const char *b)
{
	const char *a_host = strstr(a, "://"), *b_host = strstr(b, "://");
	size_t a_len, b_len;

	if (!a_host || !b_host)
		return !strcmp(a, b);
	a_len = a_host + 3 - a + strcspn(a_host + 3, "/?#");
	b_len = b_host + 3 - b + strcspn(b_host + 3, "/?#");
	return a_len == b_len && !strncasecmp(a, b, a_len);
}

static bool failed_before(const char *const *urls, const bool *failed, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (failed[j] && same_server(urls[j], urls[i]))
			return true;
	return false;
}

/* A share of the time for each, or the first server that drips leaves nothing for its mirrors. */
static uint64_t share_of(uint64_t deadline_ms, size_t servers_left)
{
	uint64_t now = fetch_now_ms();

	return now < deadline_ms ? now + (deadline_ms - now) / servers_left : now;
}

int source_servers(struct btfdepot *depot, struct found *ret_found)
{
	const char *const *urls = depot->opts.urls;
	struct server s = { .depot = depot };
	bool failed[DEPOT_MAX_SOURCES] = { false };
	int err = -ENOENT;
	size_t i, n;

	for (n = 0; urls && urls[n] && n < DEPOT_MAX_SOURCES; n++)
		;
	if (!n)
		return -ENOENT;
	s.fetch = fetch_new();
	if (!s.fetch)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (failed_before(urls, failed, i)) {
			err = depot_answer(depot, "server", urls[i], fetch_now_ms(), -ECONNREFUSED,
					   "not asked: the same server failed just now");
			continue;
		}
		s.url = urls[i];
		s.retried = false;
		s.retry_after_s = 0;
		s.deadline_ms = share_of(depot->deadline_ms, n - i);
		err = ask_server(&s, ret_found);
		failed[i] = err == -ECONNREFUSED || err == -ETIMEDOUT;
		if (!err || err == -ENOMEM)
			break;
	}
	fetch_free(s.fetch);
	return err;
}
