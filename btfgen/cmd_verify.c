// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "audit.h"
#include "btfs/fail.h"
#include "cmd.h"
#include "inputs.h"
#include "scan.h"
#include "work.h"

#include <stdio.h>

/* What verify has seen so far. */
struct tally {
	const struct options *o;
	size_t same, refused, different, unasked;
	size_t insns, type_ids, poisoned;
};

static void count(void *ctx, const struct audit_report *r)
{
	static const char *const words[] = { "same", "refused", "DIFFERENT" };
	const struct kernel *k = &r->kernel->kernel;
	struct tally *t = ctx;
	bool bad = r->err || r->result.verdict == VERIFY_DIFFERENT;

	t->unasked += r->err != 0;
	if (!r->err) {
		t->same += r->result.verdict == VERIFY_SAME;
		t->refused += r->result.verdict == VERIFY_REFUSED;
		t->different += r->result.verdict == VERIFY_DIFFERENT;
	}
	t->insns += r->result.n_insns;
	t->type_ids += r->result.n_type_ids;
	t->poisoned += r->result.n_poisoned;
	if (!bad && !t->o->verbose)
		return;
	printf("%-9s  %s/%s/%s/%s  %s%s%s\n", r->err ? "unasked" : words[r->result.verdict],
	       k->distro, k->distro_version, k->arch, k->release, r->object,
	       r->result.note[0] ? ": " : "", r->result.note);
}

int cmd_verify(const struct options *o, char **args, int n)
{
	struct tally tally = { .o = o };
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	struct scan kernels = { 0 };
	struct audit audit = {
		.kernels = &kernels,
		.inputs = &in,
		.scope = o->each ? AUDIT_EACH : AUDIT_TOGETHER,
		.n_threads = o->jobs,
		.report = count,
		.ctx = &tally,
	};
	int err;

	if (!o->archive)
		return misuse("verify wants --archive DIR");
	err = inputs_read(args, n, &in, &f);
	if (!err)
		err = read_kernels(o, o->arch ? o->arch : in.arch, &kernels, &f);
	if (!err)
		err = open_work(o, &audit.work, &f);
	if (!err)
		err = audit_run(&audit, &f);
	work_close(audit.work);
	scan_free(&kernels);
	inputs_free(&in);
	if (err)
		return complain(&f);
	printf("%zu pairs of object and kernel: %zu the same, %zu refused by libbpf with either, "
	       "%zu different, %zu not asked\n",
	       tally.same + tally.refused + tally.different + tally.unasked, tally.same,
	       tally.refused, tally.different, tally.unasked);
	printf("%zu instructions compared; %zu poisoned in both; %zu hold a type's id, which "
	       "differs by nature\n",
	       tally.insns, tally.poisoned, tally.type_ids);
	return finish(tally.different || tally.unasked ? EXIT_FAILED : EXIT_DONE);
}
