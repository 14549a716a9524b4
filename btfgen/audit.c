// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "audit.h"

#include "batch.h"
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "inputs.h"
#include "plan.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One BPF object and the plan that it is minimised by. */
struct subject {
	char *name;
	struct verify_btf elf;
	struct need *need; /* its own; NULL where the union's plan is used */
	struct plan *plan;
};

struct run {
	const struct audit *audit;
	struct plan *together;
	struct subject *subjects;
	size_t n, room;
	pthread_mutex_t lock; /* of the report callback */
};

static int plan_own(struct subject *s, struct fail *f)
{
	int err;

	s->need = need_new();
	if (!s->need)
		return fail(f, -ENOMEM, "no memory");
	err = need_add_object(s->need, s->elf.data, s->elf.size, s->name, f);
	if (err >= 0)
		err = need_finish(s->need, f);
	if (!err)
		err = plan_new(s->need, &s->plan, f);
	return err;
}

static int add_subject(struct run *run, const struct input *in, size_t index, struct elf *elf,
		       struct fail *f)
{
	struct text name = { 0 };
	struct subject *s;

	if (run->n == run->room) {
		size_t room = run->room ? run->room * 2 : 64;

		s = reallocarray(run->subjects, room, sizeof(*s));
		if (!s)
			return fail(f, -ENOMEM, "no memory");
		run->subjects = s;
		run->room = room;
	}
	text_add(&name, index ? "%s#%zu" : "%s", in->path, index + 1);
	if (name.failed)
		return fail(f, -ENOMEM, "no memory");
	s = &run->subjects[run->n++];
	*s = (struct subject){ .name = name.p, .elf = { elf->data, elf->size } };
	return run->audit->scope == AUDIT_EACH ? plan_own(s, f) : 0;
}

static int find_subjects(struct run *run, struct fail *f)
{
	const struct inputs *inputs = run->audit->inputs;
	int err = 0;

	for (size_t i = 0; !err && i < inputs->n; i++) {
		const struct input *in = &inputs->files[i];
		size_t pos = 0, index = 0;
		struct elf elf;

		while (!err && !elf_next_object(in->data, in->size, &pos, &elf))
			err = add_subject(run, in, index++, &elf, f);
	}
	return err;
}

/* What we refuse libbpf has to refuse too, and the other way round. */
static int ask(const struct subject *s, const struct view *view, const struct minimized *min,
	       const char *refusal, struct verify_result *ret, struct fail *f)
{
	const struct verify_btf full = { view->data, view->size }, cut = { min->btf, min->size };
	int err;

	err = verify_object(&s->elf, &full, min->btf ? &cut : &full, ret, f);
	if (err || min->btf)
		return err;
	if (ret->verdict != VERIFY_REFUSED)
		ret->verdict = VERIFY_DIFFERENT;
	snprintf(ret->note, sizeof(ret->note), "%s", refusal);
	return 0;
}

static void report(struct run *run, struct audit_report *r, int err, const char *why)
{
	r->err = err;
	if (err)
		snprintf(r->result.note, sizeof(r->result.note), "%.500s", why);
	pthread_mutex_lock(&run->lock);
	run->audit->report(run->audit->ctx, r);
	pthread_mutex_unlock(&run->lock);
}

static void visit(void *ctx, const struct scan_entry *kernel, const struct view *view, int err,
		  const char *why)
{
	struct run *run = ctx;
	struct fail refusal = { .text = "" };
	const struct plan *made_for = NULL;
	struct minimized min = { 0 };

	for (size_t i = 0; i < run->n; i++) {
		const struct subject *s = &run->subjects[i];
		struct audit_report r = { .kernel = kernel, .object = s->name };
		const struct plan *plan = s->plan ? s->plan : run->together;
		struct fail f = { .text = "" };

		if (err) {
			report(run, &r, err, why);
			continue;
		}
		if (plan != made_for) {
			minimized_free(&min);
			minimize(plan, view, MINIMIZE_SERVED, &min, &refusal);
			made_for = plan;
		}
		report(run, &r, ask(s, view, &min, refusal.text, &r.result, &f), f.text);
	}
	minimized_free(&min);
}

int audit_run(const struct audit *audit, struct fail *f)
{
	struct run run = { .audit = audit, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct batch_visitor visitor = {
		.visit = visit,
		.ctx = &run,
		.work = audit->work,
	};
	int err;

	err = plan_new(audit->inputs->need, &run.together, f);
	if (!err)
		err = find_subjects(&run, f);
	if (!err)
		batch_kernels(audit->kernels, audit->n_threads, &visitor);
	for (size_t i = 0; i < run.n; i++) {
		plan_free(run.subjects[i].plan);
		need_free(run.subjects[i].need);
		free(run.subjects[i].name);
	}
	free(run.subjects);
	plan_free(run.together);
	pthread_mutex_destroy(&run.lock);
	return err;
}
