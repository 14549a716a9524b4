// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "ingest.h"

#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "dedup.h"
#include "extract.h"
#include "flavour.h"
#include "sources.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS  256
#define MAX_PACKED   (64u << 20) /* bytes of an archive that is there already */
#define BUILD_DIGITS 12		 /* of a second build's id, in its path */

/* One kernel on its way from its source to its place. */
struct work {
	struct extract extract;
	struct mapping deduped;
	struct view *view; /* of the BTF that is to be kept */
	struct ingest_report *report;
	void *packed;
	size_t packed_size;
};

static void work_free(struct work *w)
{
	view_close(w->view);
	mapping_close(&w->deduped);
	extract_close(&w->extract);
	free(w->packed);
}

static bool has_struct(const struct view *v, const char *name)
{
	for (uint32_t id = v->first_id; id < v->n_types; id++) {
		struct view_type t = view_type(v, id);

		if (t.kind == BTF_KIND_STRUCT && !strcmp(view_name(v, t.name_off), name))
			return true;
	}
	return false;
}

/* Only if it helps; whatever comes out is checked like what went in. */
static int deduplicate(struct work *w, uint32_t times, const char *worst, struct fail *f)
{
	struct sidecar *about = &w->report->about;
	struct view *view = NULL;
	uint32_t before = w->view->n_types - 1;
	char name[64];
	int err;

	snprintf(name, sizeof(name), "%s", worst);
	err = dedup(w->view, &w->deduped, f);
	if (!err)
		err = view_open(w->deduped.data, w->deduped.size, NULL, &view, f);
	if (!err && view->n_types >= w->view->n_types) {
		view_close(view);
		view = NULL;
	}
	if (view) {
		view_close(w->view);
		w->view = view;
		about->types_before = before;
	}
	/* its duplicates do no harm but to speed: better kept and told than not kept */
	if (err && err != -ENOMEM)
		err = 0;
	if (!err)
		err = dedup_worst(w->view, &worst, &times, f);
	if (!err && times >= DEDUP_MANY) {
		snprintf(about->duplicated, sizeof(about->duplicated), "%.100s", worst);
		about->duplicates = times;
	}
	snprintf(w->report->note, sizeof(w->report->note),
		 "struct %s stood there over and over: deduplicated from %u to %u types%s", name,
		 before, w->view->n_types - 1, about->duplicates ? ", and still does" : "");
	return err;
}

/* Whether this can be a kernel's BTF at all, and whether it was deduplicated. */
static int judge(struct work *w, struct fail *f)
{
	const char *worst;
	uint32_t times;
	int err;

	err = view_open(w->extract.btf, w->extract.btf_size, NULL, &w->view, f);
	if (err)
		return fail_in(f, err, "its BTF");
	if (w->view->n_types <= 1)
		return fail(f, -EBADMSG, "its BTF is empty");
	if (!has_struct(w->view, "task_struct"))
		return fail(f, -EBADMSG,
			    "its BTF has no struct task_struct: not that of a whole kernel");
	err = dedup_worst(w->view, &worst, &times, f);
	if (!err && times >= DEDUP_MANY)
		err = deduplicate(w, times, worst, f);
	return err;
}

static void set(char ret_field[KERNEL_FIELD_SIZE], const char *s)
{
	snprintf(ret_field, KERNEL_FIELD_SIZE, "%s", s);
}

static void describe(struct work *w)
{
	struct sidecar *about = &w->report->about;
	const struct package *p = &w->extract.package;

	set(about->package, p->name);
	set(about->package_version, p->version);
	set(about->package_arch, p->arch);
	set(about->btf_from, w->extract.from);
	set(about->pahole, w->extract.pahole);
	set(about->btfgen, VERSION);
	digest_hex(w->view->data, w->view->size, about->sha256);
	about->bytes = w->view->size;
	about->types = w->view->n_types - 1;
}

/* All that takes long. */
static int make(const struct identify_given *given, const struct mapping *file, struct work *w,
		struct fail *f)
{
	struct ingest_report *r = w->report;
	const char *debug;
	int err;

	err = extract_open(file, &w->extract, f);
	if (err)
		return err;
	err = identify(given, &w->extract.kernel, &w->extract.package, r->source, &r->about.kernel,
		       f);
	if (err)
		return err;
	debug = flavour_of_debug(r->about.kernel.release, w->extract.package.name);
	if (debug)
		return fail(f, -EBADMSG, "%s is a kernel built to be debugged, with other layouts",
			    debug);
	err = judge(w, f);
	if (err)
		return err;
	describe(w);
	err = archive_write(r->about.kernel.release, w->view->data, w->view->size, &w->packed,
			    &w->packed_size, f);
	r->packed_size = w->packed_size;
	return err;
}

/* What lies where this kernel belongs. */
struct slot {
	bool taken, same_bytes;
	bool about_known;
	struct sidecar about;
};

static char *join(const char *archive, const char *path)
{
	struct text t = { 0 };

	text_add(&t, "%s/%s", archive, path);
	if (!t.failed)
		return t.p;
	text_free(&t);
	return NULL;
}

static int look(const char *archive, struct work *w, struct slot *ret_slot, struct fail *f)
{
	char *path = join(archive, w->report->path), *data = NULL;
	struct slot slot = { 0 };
	struct kernel identity;
	enum layout_kind kind;
	size_t size;
	int err;

	if (!path)
		return fail(f, -ENOMEM, "no memory");
	err = hostfile_read(NULL, path, MAX_PACKED, &data, &size, f);
	slot.taken = err != -ENOENT;
	if (!err) {
		slot.same_bytes = size == w->packed_size && !memcmp(data, w->packed, size);
		slot.about_known = !layout_parse(w->report->path, &identity, &kind, NULL) &&
				   !sidecar_read(path, &identity, &slot.about, NULL);
	}
	free(data);
	free(path);
	if (err && err != -ENOENT)
		return err;
	*ret_slot = slot;
	return 0;
}

/* For what stands there and what comes: are they one build? */
static enum kernel_match compare(const struct slot *slot, const struct sidecar *about)
{
	if (!slot->about_known)
		return KERNEL_NAMED;
	return kernel_match(&slot->about.kernel, &about->kernel);
}

static int write_both(const char *archive, const struct work *w, struct fail *f)
{
	const struct ingest_report *r = w->report;
	const size_t suffix = strlen(".btf.tar.xz");
	char *path = join(archive, r->path);
	struct text name = { 0 }, text = { 0 };
	int err;

	sidecar_text(&r->about, &text);
	if (path)
		text_add(&name, "%.*s.json", (int)(strlen(path) - suffix), path);
	if (!path || name.failed || text.failed)
		err = fail(f, -ENOMEM, "no memory");
	else
		err = publish_parents(path, 0755, f);
	/* first, so that an archive never stands without it */
	if (!err)
		err = publish_file(name.p, text.p, text.size, 0644, f);
	if (!err)
		err = publish_file(path, w->packed, w->packed_size, 0644, f);
	text_free(&name);
	text_free(&text);
	free(path);
	return err;
}

/* Decides what is to be done about what is there. *ret_other: it is another build. */
static int settle(const struct slot *slot, struct work *w, bool *ret_other, struct fail *f)
{
	struct ingest_report *r = w->report;
	enum kernel_match match = compare(slot, &r->about);

	*ret_other = false;
	r->status = INGEST_NEW;
	if (!slot->taken)
		return 0;
	if (match == KERNEL_DIFFERS) {
		*ret_other = true;
		return 0;
	}
	if (slot->same_bytes) {
		r->status = slot->about_known ? INGEST_SAME : INGEST_REPLACED;
	} else if (match == KERNEL_NAMED) {
		return fail(f, -EEXIST,
			    "%s is there with other content, and nothing tells whether it is of "
			    "this build; move it away if it is not wanted",
			    r->path);
	} else if (!strcmp(slot->about.btf_from, "kernel") && strcmp(r->about.btf_from, "kernel")) {
		/* the kernel's own is never replaced by what was made from its DWARF */
		r->status = INGEST_SAME;
	} else {
		r->status = INGEST_REPLACED;
	}
	return 0;
}

static int place(const char *archive, struct work *w, struct fail *f)
{
	struct ingest_report *r = w->report;
	const struct kernel *k = &r->about.kernel;
	const size_t suffix = strlen(".btf.tar.xz");
	struct slot slot = { 0 };
	bool other = false;
	size_t n;
	int err;

	err = layout_path(k, LAYOUT_FULL, r->path, f);
	if (!err)
		err = look(archive, w, &slot, f);
	if (!err)
		err = settle(&slot, w, &other, f);
	if (!err && other) {
		if (!*k->build_id)
			return fail(f, -EEXIST,
				    "%s is there and of another build, and this one has no "
				    "build-id to be told apart by",
				    r->path);
		n = strlen(r->path) - suffix;
		snprintf(r->path + n, sizeof(r->path) - n, "@%.*s.btf.tar.xz", BUILD_DIGITS,
			 k->build_id);
		err = look(archive, w, &slot, f);
		if (!err)
			err = settle(&slot, w, &other, f);
		if (!err && other)
			err = fail(f, -EEXIST, "%s is there and of another build", r->path);
	}
	if (!err && r->status != INGEST_SAME)
		err = write_both(archive, w, f);
	return err;
}

static int finish(struct ingest_report *r, int err)
{
	if (err) {
		r->status = INGEST_FAILED;
		r->err = err;
		r->path[0] = '\0';
	}
	return err;
}

int ingest_file(const char *archive, const struct identify_given *given, const char *name,
		const struct mapping *file, struct ingest_report *ret_report, struct fail *f)
{
	struct work w = { .report = ret_report, .extract = EXTRACT_NONE, .deduped = MAPPING_NONE };
	int err;

	*ret_report = (struct ingest_report){ .source = name };
	err = make(given, file, &w, f);
	if (!err)
		err = place(archive, &w, f);
	work_free(&w);
	return finish(ret_report, err);
}

struct run {
	const struct ingest *ingest;
	atomic_size_t next;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	size_t turn; /* source whose place is to be found next */
};

static void begin(struct run *run, size_t i)
{
	if (!run->ingest->begin)
		return;
	pthread_mutex_lock(&run->lock);
	run->ingest->begin(run->ingest->ctx, i);
	pthread_mutex_unlock(&run->lock);
}

static void do_source(struct run *run, size_t i)
{
	const struct source *source = &run->ingest->sources->list[i];
	struct ingest_report report = { .source = source->path };
	struct work w = { .report = &report, .extract = EXTRACT_NONE, .deduped = MAPPING_NONE };
	struct mapping file = MAPPING_NONE;
	struct fail f = { .text = "" };
	int err;

	begin(run, i);
	err = mapping_open(source->path, &file, &f);
	if (!err)
		err = make(&run->ingest->given, &file, &w, &f);
	pthread_mutex_lock(&run->lock);
	/* of two builds of one name the earlier source gets the name, whoever is faster */
	while (run->turn != i)
		pthread_cond_wait(&run->moved, &run->lock);
	if (!err)
		err = place(run->ingest->archive, &w, &f);
	finish(&report, err);
	if (!source->named && (err == -ENOENT || err == -ENODATA))
		report.status = INGEST_SKIPPED;
	report.why = f.text;
	run->ingest->report(run->ingest->ctx, &report);
	run->turn++;
	pthread_cond_broadcast(&run->moved);
	pthread_mutex_unlock(&run->lock);
	work_free(&w);
	mapping_close(&file);
}

static void *work(void *arg)
{
	struct run *run = arg;
	size_t i;

	while ((i = atomic_fetch_add(&run->next, 1)) < run->ingest->sources->n)
		do_source(run, i);
	return NULL;
}

void ingest_run(const struct ingest *ingest)
{
	struct run run = { .ingest = ingest,
			   .lock = PTHREAD_MUTEX_INITIALIZER,
			   .moved = PTHREAD_COND_INITIALIZER };
	size_t want = ingest->n_threads ? ingest->n_threads : (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[MAX_THREADS];
	size_t n = 0;

	if (want > ingest->sources->n)
		want = ingest->sources->n;
	if (want > MAX_THREADS)
		want = MAX_THREADS;
	/* this thread works too: one that can't be had only makes it slower */
	while (n + 1 < want && !pthread_create(&threads[n], NULL, work, &run))
		n++;
	work(&run);
	while (n)
		pthread_join(threads[--n], NULL);
	pthread_cond_destroy(&run.moved);
	pthread_mutex_destroy(&run.lock);
}
