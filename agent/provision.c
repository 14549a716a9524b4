// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfdepot.h"
#include "accept.h"
#include "cache.h"
#include "depot.h"
#include "handover.h"
#include "identity.h"
#include "source.h"
#include "btfs/archive.h"
#include "btfs/fetch.h"
#include "btfs/need.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPOT_TIMEOUT_MS  5000
#define DEPOT_CACHE_DIR	  "/var/cache/btfdepot"
#define DEPOT_MAX_ANSWERS (2 * DEPOT_MAX_SOURCES + 8)
#define DEPOT_MAX_OBJECTS 1024

static const struct source {
	int (*ask)(struct btfdepot *depot, struct found *ret_found);
	bool keep; /* in the cache: what is for this kernel, but not what the user chose */
} sources[] = {
	{ source_kernel, false }, { source_path, false },   { source_cache, false },
	{ source_trees, true },	  { source_bundles, true }, { source_servers, true },
};

void found_free(struct found *found)
{
	if (!found)
		return;
	free(found->data);
	free(found->path);
	memset(found, 0, sizeof(*found));
}

int depot_unpack(const struct btfdepot *depot, const void *data, size_t size,
		 struct found *ret_found, struct fail *f)
{
	struct accept_packed packed = {
		.data = data,
		.size = size,
		.arch = depot->kernel.arch,
		.max_bytes = depot->opts.max_btf_bytes,
	};

	return accept_packed(&packed, &ret_found->data, &ret_found->size, f);
}

void depot_log(const struct btfdepot *depot, enum btfdepot_log_level level, const char *fmt, ...)
{
	char line[FAIL_TEXT_MAX];
	va_list args;

	if (!depot->opts.log)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	depot->opts.log(depot->opts.log_ctx, level, line);
}

/* fail() makes the sentence: what a server or a file name put into it is cleaned there. */
int depot_answer(struct btfdepot *depot, const char *source, const char *where, uint64_t since_ms,
		 int err, const char *fmt, ...)
{
	struct answer answer = { .source = source, .err = err };
	struct fail said, clean_where;
	struct answer *answers;
	va_list args;
	char text[FAIL_TEXT_MAX];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fail(&said, 0, "%s", text);
	fail(&clean_where, 0, "%s", where);
	answer.took_ms = fetch_now_ms() - since_ms;
	answer.where = strdup(clean_where.text);
	answer.said = strdup(said.text);
	answers = reallocarray(depot->answers, depot->n_answers + 1, sizeof(*answers));
	if (answers)
		depot->answers = answers;
	if (!answers || !answer.where || !answer.said) {
		free(answer.where);
		free(answer.said);
		return -ENOMEM;
	}
	depot->answers[depot->n_answers++] = answer;
	return err;
}

static bool is_zero(const char *bytes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

static size_t count_strings(const char *const *list)
{
	size_t n = 0;

	while (list && list[n] && n <= DEPOT_MAX_SOURCES)
		n++;
	return n;
}

/* Callers built with an older or a newer header than this library both get what they mean. */
static int take_opts(const struct btfdepot_opts *opts, struct btfdepot_opts *ret_opts)
{
	struct btfdepot_opts o = { 0 };

	if (opts && opts->sz < sizeof(opts->sz))
		return -EINVAL;
	if (opts && opts->sz > sizeof(o) &&
	    !is_zero((const char *)opts + sizeof(o), opts->sz - sizeof(o)))
		return -E2BIG;
	if (opts)
		memcpy(&o, opts, opts->sz < sizeof(o) ? opts->sz : sizeof(o));
	o.sz = sizeof(o);
	if ((o.n_objects && !o.objects) || o.n_objects > DEPOT_MAX_OBJECTS ||
	    count_strings(o.trees) > DEPOT_MAX_SOURCES || count_strings(o.urls) > DEPOT_MAX_SOURCES)
		return -EINVAL;
	if ((o.n_bundles && !o.bundles) || o.n_bundles > DEPOT_MAX_SOURCES ||
	    count_strings(o.bundle_files) > DEPOT_MAX_SOURCES)
		return -EINVAL;
	if (!o.cache_dir)
		o.cache_dir = DEPOT_CACHE_DIR;
	if (!o.host_root)
		o.host_root = "/";
	if (!o.timeout_ms)
		o.timeout_ms = DEPOT_TIMEOUT_MS;
	if (!o.max_btf_bytes || o.max_btf_bytes > ARCHIVE_MAX_BTF)
		o.max_btf_bytes = ARCHIVE_MAX_BTF;
	*ret_opts = o;
	return 0;
}

/* Gives the number of relocations that the objects need of a kernel; 1 without objects. */
static int compute_need(struct btfdepot *depot, size_t *ret_count, struct fail *f)
{
	const struct btfdepot_opts *opts = &depot->opts;
	struct need *need;
	char name[32];
	size_t i;
	int err = 0;

	*ret_count = 1;
	if (!opts->n_objects)
		return 0;
	need = need_new();
	if (!need)
		return fail(f, -ENOMEM, "no memory");
	for (i = 0; i < opts->n_objects && err >= 0; i++) {
		snprintf(name, sizeof(name), "object %zu", i + 1);
		err = need_add_object(need, opts->objects[i].data, opts->objects[i].size, name, f);
	}
	if (err >= 0)
		err = need_finish(need, f);
	if (!err) {
		memcpy(depot->need_id, need_id(need), sizeof(depot->need_id));
		*ret_count = need_count(need);
	}
	need_free(need);
	return err;
}

static void keep_in_cache(struct btfdepot *depot)
{
	uint64_t since = fetch_now_ms();
	struct fail f;
	int err;

	if (!depot->cache)
		return;
	err = cache_put(depot->cache, &depot->found, &f);
	if (err)
		depot_answer(depot, "cache", depot->opts.cache_dir, since, err, "%s", f.text);
}

/* The bytes move on: what libbpf reads is the copy that nobody can change. */
static int hand_over(struct btfdepot *depot)
{
	struct fail f;
	int err;

	if (!depot->found.data)
		return 0;
	err = handover_make(depot->found.data, depot->found.size, HANDOVER_ANY, &depot->handover,
			    &f);
	free(depot->found.data);
	depot->found.data = NULL;
	if (!err)
		return 0;
	found_free(&depot->found);
	depot_answer(depot, "handover", "memory", fetch_now_ms(), err, "%s", f.text);
	return err == -ENOMEM ? err : -EIO;
}

static int ask_sources(struct btfdepot *depot)
{
	size_t i;
	int err;

	for (i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		err = sources[i].ask(depot, &depot->found);
		if (err == -ENOMEM)
			return err;
		if (err)
			continue;
		if (sources[i].keep)
			keep_in_cache(depot);
		return hand_over(depot);
	}
	return -ENOENT;
}

enum severity { SAID_NONE, WAS_UNREACHABLE, WAS_REFUSED };

static enum severity severity_of(int err)
{
	switch (err) {
	case -EBADMSG:
	case -E2BIG:
	case -ENOTSUP:
		return WAS_REFUSED;
	case -ENOENT:
	case -ENOTUNIQ: /* asking again would not help */
		return SAID_NONE;
	default:
		return WAS_UNREACHABLE;
	}
}

/* The worst answer names the failure; the cache can only have lost something. */
static int code_of_answers(const struct btfdepot *depot)
{
	enum severity worst = SAID_NONE;
	int err = -ENOENT;
	size_t i;

	for (i = 0; i < depot->n_answers; i++) {
		const struct answer *a = &depot->answers[i];

		if (!strcmp(a->source, "cache") || severity_of(a->err) <= worst)
			continue;
		worst = severity_of(a->err);
		err = a->err == -ETIMEDOUT ? -ETIMEDOUT : -ECONNREFUSED;
		if (worst == WAS_REFUSED)
			err = -EBADMSG;
	}
	return err;
}

static int build_report(struct btfdepot *depot)
{
	size_t i, size;
	FILE *out = open_memstream(&depot->report, &size);

	if (!out)
		return -ENOMEM;
	for (i = 0; i < depot->n_answers; i++) {
		const struct answer *a = &depot->answers[i];

		fprintf(out, "%s %s: %s (%u ms)\n", a->source, a->where, a->said, a->took_ms);
	}
	return fclose(out) ? -ENOMEM : 0;
}

/* What is wrong here was given to us, by the caller or by uname: -EINVAL, and the report says it.
 */
static int prepare(struct btfdepot *depot, size_t *ret_count)
{
	uint64_t since = fetch_now_ms();
	struct fail f = { "" };
	char note[FAIL_TEXT_MAX] = "";
	int err;

	depot->deadline_ms = since + depot->opts.timeout_ms;
	err = identity_read(&depot->opts, &depot->kernel, note, sizeof(note), &f);
	if (err)
		return depot_answer(depot, "kernel", "uname", since, -EINVAL, "%s", f.text);
	if (*note)
		depot_log(depot, BTFDEPOT_LOG_INFO, "%s", note);
	err = compute_need(depot, ret_count, &f);
	if (err)
		return err == -ENOMEM ? err
				      : depot_answer(depot, "need", "objects", since, -EINVAL, "%s",
						     f.text);
	if (!*ret_count)
		depot_answer(depot, "need", "objects", since, 0,
			     "need no BTF of the kernel: nobody was asked");
	return 0;
}

static int provision(struct btfdepot *depot)
{
	size_t count = 0;
	int err;

	err = prepare(depot, &count);
	if (err)
		return err;
	if (count) {
		err = ask_sources(depot);
		if (err == -ENOENT)
			err = code_of_answers(depot);
	}
	cache_free(depot->cache);
	depot->cache = NULL;
	if (err == -EBADMSG)
		depot->found.verdict = BTFDEPOT_REFUSED;
	return err;
}

int btfdepot__provision(const struct btfdepot_opts *opts, struct btfdepot **ret)
{
	struct btfdepot *depot;
	int err;

	if (!ret)
		return -EINVAL;
	*ret = NULL;
	depot = calloc(1, sizeof(*depot));
	if (!depot)
		return -ENOMEM;
	err = take_opts(opts, &depot->opts);
	if (err) {
		btfdepot__free(depot);
		return err;
	}
	err = provision(depot);
	if (build_report(depot) || err == -ENOMEM) {
		btfdepot__free(depot);
		return -ENOMEM;
	}
	*ret = depot;
	return err;
}

void btfdepot__free(struct btfdepot *depot)
{
	size_t i;

	if (!depot)
		return;
	for (i = 0; i < depot->n_answers; i++) {
		free(depot->answers[i].where);
		free(depot->answers[i].said);
	}
	free(depot->answers);
	free(depot->report);
	handover_free(depot->handover);
	found_free(&depot->found);
	cache_free(depot->cache);
	free(depot);
}

const char *btfdepot__path(const struct btfdepot *depot)
{
	if (depot->handover)
		return handover_path(depot->handover);
	/* A path that the caller gave is one where libbpf would not look. */
	if (depot->own_elsewhere)
		return depot->found.path;
	return NULL;
}

const char *btfdepot__file(const struct btfdepot *depot)
{
	return depot->found.path;
}

int btfdepot__fd(const struct btfdepot *depot)
{
	return depot->handover ? handover_fd(depot->handover) : -1;
}

enum btfdepot_verdict btfdepot__verdict(const struct btfdepot *depot)
{
	return depot->found.verdict;
}

const char *btfdepot__verdict_name(enum btfdepot_verdict verdict)
{
	static const char *const names[] = {
		[BTFDEPOT_NONE] = "none",	  [BTFDEPOT_NATIVE] = "native",
		[BTFDEPOT_EXPLICIT] = "explicit", [BTFDEPOT_EXACT] = "exact",
		[BTFDEPOT_ATTESTED] = "attested", [BTFDEPOT_NAMED] = "named",
		[BTFDEPOT_REFUSED] = "refused",
	};

	return (size_t)verdict < sizeof(names) / sizeof(*names) ? names[verdict] : "unknown";
}

const char *btfdepot__need(const struct btfdepot *depot)
{
	return depot->need_id;
}

const char *btfdepot__report(const struct btfdepot *depot)
{
	return depot->report;
}

size_t btfdepot__n_answers(const struct btfdepot *depot)
{
	return depot->n_answers;
}

int btfdepot__answer(const struct btfdepot *depot, size_t i, struct btfdepot_answer *ret_answer)
{
	const struct answer *a;

	if (i >= depot->n_answers)
		return -ENOENT;
	a = &depot->answers[i];
	*ret_answer = (struct btfdepot_answer){
		.source = a->source,
		.where = a->where,
		.said = a->said,
		.err = a->err,
		.took_ms = a->took_ms,
	};
	return 0;
}

int btfdepot__open_object(const struct btfdepot_opts *opts, struct btfdepot **ret_depot,
			  struct bpf_object **ret_object)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_opts);
	struct bpf_object *object;
	int err;

	if (!ret_depot || !ret_object)
		return -EINVAL;
	*ret_depot = NULL;
	if (!opts || opts->sz < offsetof(struct btfdepot_opts, kernel_btf) || !opts->n_objects ||
	    !opts->objects)
		return -EINVAL;
	err = btfdepot__provision(opts, ret_depot);
	if (err)
		return err;
	open_opts.btf_custom_path = btfdepot__path(*ret_depot);
	object = bpf_object__open_mem(opts->objects[0].data, opts->objects[0].size, &open_opts);
	/* Not a mere NULL check: libbpf before 1.0 gives error pointers. */
	err = libbpf_get_error(object);
	if (err)
		return err;
	*ret_object = object;
	return 0;
}

const char *btfdepot__version(void)
{
	return VERSION;
}
