// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/text.h"
#include "cmd.h"
#include "ingest.h"
#include "sources.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHOW_AFTER_MS 500 /* what is done faster needs no progress */

static const char *const words[] = {
	[INGEST_NEW] = "new",	      [INGEST_SAME] = "same",	  [INGEST_REPLACED] = "replaced",
	[INGEST_SKIPPED] = "skipped", [INGEST_FAILED] = "failed",
};

struct show {
	const struct options *o;
	const struct sources *sources;
	size_t n_done, n[INGEST_FAILED + 1];
	uint64_t started_ms;
	bool terminal, line; /* a line of progress stands there */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void erase(struct show *s)
{
	if (s->line)
		fputs("\r\033[K", stderr);
	s->line = false;
}

static void begin(void *ctx, size_t i)
{
	struct show *s = ctx;
	const char *name = strrchr(s->sources->list[i].path, '/');

	if (!s->terminal || now_ms() - s->started_ms < SHOW_AFTER_MS)
		return;
	erase(s);
	fprintf(stderr, "%zu of %zu, now %.60s", s->n_done, s->sources->n,
		name ? name + 1 : s->sources->list[i].path);
	s->line = true;
}

static void show_json(const struct ingest_report *r)
{
	struct text t = { 0 };

	text_add(&t, "{\"source\": ");
	text_json(&t, r->source);
	text_add(&t, ", \"status\": \"%s\"", words[r->status]);
	if (r->status == INGEST_SKIPPED || r->status == INGEST_FAILED) {
		text_add(&t, ", \"why\": ");
		text_json(&t, r->why);
	} else {
		text_add(&t, ", \"path\": ");
		text_json(&t, r->path);
		text_add(&t, ", \"packed_bytes\": %zu, ", r->packed_size);
		sidecar_members(&r->about, ", ", &t);
	}
	if (*r->note) {
		text_add(&t, ", \"note\": ");
		text_json(&t, r->note);
	}
	text_add(&t, "}\n");
	fputs(t.failed ? "{}\n" : t.p, stdout);
	text_free(&t);
}

void show_ingested(const struct ingest_report *r, const struct options *o)
{
	const struct sidecar *about = &r->about;
	const char *from = !strcmp(about->btf_from, "kernel")  ? "the kernel's own BTF"
			   : !strcmp(about->btf_from, "dwarf") ? "BTF made from DWARF"
							       : "BTF as given";

	if (o->json) {
		show_json(r);
		return;
	}
	if (o->quiet && r->status != INGEST_FAILED)
		return;
	if (r->status == INGEST_SKIPPED && !o->verbose)
		return;
	if (r->status == INGEST_SKIPPED || r->status == INGEST_FAILED) {
		printf("%-8s  %s: %s\n", words[r->status], r->source, r->why);
		return;
	}
	printf("%-8s  %s: %s, %llu types, build-id %s\n", words[r->status], r->path, from,
	       (unsigned long long)about->types,
	       *about->kernel.build_id ? about->kernel.build_id : "unknown");
	if (*r->note)
		printf("          %s\n", r->note);
}

static void report(void *ctx, const struct ingest_report *r)
{
	struct show *s = ctx;

	erase(s);
	s->n_done++;
	s->n[r->status]++;
	show_ingested(r, s->o);
	fflush(stdout);
}

int cmd_ingest(const struct options *o, char **args, int n)
{
	struct sources sources = { 0 };
	struct fail f = { .text = "" };
	struct show show = { .o = o, .sources = &sources, .started_ms = now_ms() };
	const struct ingest ingest = {
		.archive = o->archive ? o->archive : ".",
		.given = { o->distro, o->distro_version, o->arch, o->release },
		.sources = &sources,
		.n_threads = o->jobs,
		.begin = begin,
		.report = report,
		.ctx = &show,
	};

	if (!o->archive)
		return misuse("ingest wants --archive DIR");
	show.terminal = !o->quiet && isatty(STDERR_FILENO);
	if (sources_find(args, n, &sources, &f))
		return complain(&f);
	if (o->release && sources.n > 1) {
		sources_free(&sources);
		return misuse("--release is for one SOURCE");
	}
	if (!sources.n && !o->quiet)
		fprintf(stderr, "btfgen: no kernel and no package there\n");
	ingest_run(&ingest);
	sources_free(&sources);
	if (!o->quiet && show.n_done > 1)
		fprintf(stderr,
			"btfgen: %zu new, %zu replaced, %zu there already, %zu skipped, "
			"%zu failed\n",
			show.n[INGEST_NEW], show.n[INGEST_REPLACED], show.n[INGEST_SAME],
			show.n[INGEST_SKIPPED], show.n[INGEST_FAILED]);
	return finish(show.n[INGEST_FAILED] || !show.n_done ? EXIT_FAILED : EXIT_DONE);
}
