// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "audit.h"
#include "batch.h"
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/layout.h"
#include "btfs/need.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "inputs.h"
#include "match.h"
#include "minimize.h"
#include "plan.h"
#include "scan.h"
#include "tree.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Every option of every command; a command takes those that its table names. */
struct options {
	const char *out, *archive, *kernels, *arch, *need;
	unsigned jobs;
	bool each, no_probe, id, json, quiet, verbose;
};

enum {
	OPT_OUT = 256,
	OPT_ARCHIVE,
	OPT_KERNELS,
	OPT_ARCH,
	OPT_NEED,
	OPT_JOBS,
	OPT_EACH,
	OPT_NO_PROBE,
	OPT_ID,
	OPT_JSON,
	OPT_HELP,
};

static const struct option all_options[] = {
	{ "out", required_argument, NULL, OPT_OUT },
	{ "archive", required_argument, NULL, OPT_ARCHIVE },
	{ "kernels", required_argument, NULL, OPT_KERNELS },
	{ "arch", required_argument, NULL, OPT_ARCH },
	{ "need", required_argument, NULL, OPT_NEED },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "each", no_argument, NULL, OPT_EACH },
	{ "no-probe", no_argument, NULL, OPT_NO_PROBE },
	{ "id", no_argument, NULL, OPT_ID },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

struct command {
	const char *name;
	const char *usage, *about;
	int (*run)(struct options *o, char **args, int n);
	int min_args;
	int options[10]; /* of OPT_*, 0 ends */
};

static int complain(const struct fail *f)
{
	fprintf(stderr, "btfgen: %s\n", f->text);
	return EXIT_FAILED;
}

static int misuse(const char *what)
{
	fprintf(stderr, "btfgen: %s; try btfgen --help\n", what);
	return EXIT_USAGE;
}

/* Results that could not be written are no results. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "btfgen: cannot write to standard output\n");
		return EXIT_FAILED;
	}
	return status;
}

static void note_empty(const struct inputs *in, const struct options *o)
{
	for (size_t i = 0; !o->quiet && i < in->n; i++)
		if (!in->files[i].n_records)
			fprintf(stderr, "btfgen: %s: no CO-RE relocations, nothing to do for it\n",
				in->files[i].path);
}

/* From --need, or from the objects. */
static int read_inputs(const struct options *o, char **args, int n, struct inputs *ret,
		       struct fail *f)
{
	struct inputs in = { 0 };
	char *text = NULL;
	size_t size;
	int err;

	if (!o->need)
		return inputs_read(args, n, ret, f);
	if (n)
		return fail(f, -EINVAL, "--need stands for the objects: give one or the other");
	err = hostfile_read(NULL, o->need, NEED_MAX_TEXT, &text, &size, f);
	if (!err)
		err = need_parse(text, size, &in.need, f);
	free(text);
	if (err)
		return fail_in(f, err, "%s", o->need);
	*ret = in;
	return 0;
}

static int cmd_need(struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	const char *text;
	size_t size;

	if (read_inputs(o, args, n, &in, &f))
		return complain(&f);
	note_empty(&in, o);
	text = need_text(in.need, &size);
	if (o->id)
		printf("%s\n", need_id(in.need));
	else
		fwrite(text, 1, size, stdout);
	inputs_free(&in);
	return finish(EXIT_DONE);
}

static int read_kernels(const struct options *o, const char *arch, struct scan *ret, struct fail *f)
{
	struct text unused = { 0 };
	int err;

	err = scan_archive(o->archive, ret, f);
	if (err)
		return err;
	if (o->kernels)
		err = scan_select(ret, o->kernels, &unused, f);
	if (!err && unused.size && !o->quiet)
		fprintf(stderr, "btfgen: %s: these lines cover no kernel of the archive:\n%s",
			o->kernels, unused.p);
	text_free(&unused);
	if (!err && arch)
		scan_select_arch(ret, arch);
	if (!err && !ret->n)
		err = fail(f, -ENOENT, "%s: no kernel to work on", o->archive);
	if (err)
		scan_free(ret);
	return err;
}

/* Reports come as threads finish; they are shown in the order of kernels. */
struct outcome {
	struct batch_report report;
	char *why;
};

struct outcomes {
	struct outcome *all;
	size_t n, room;
	bool failed; /* out of memory: shown as such */
};

static void collect(void *ctx, const struct batch_report *report)
{
	struct outcomes *outcomes = ctx;
	struct outcome *o;

	if (outcomes->n == outcomes->room) {
		size_t room = outcomes->room ? outcomes->room * 2 : 256;

		o = reallocarray(outcomes->all, room, sizeof(*o));
		if (!o) {
			outcomes->failed = true;
			return;
		}
		outcomes->all = o;
		outcomes->room = room;
	}
	o = &outcomes->all[outcomes->n];
	o->report = *report;
	o->why = strdup(report->why ? report->why : "");
	outcomes->failed |= !o->why;
	outcomes->n += o->why != NULL;
}

static int compare_outcomes(const void *a, const void *b)
{
	const struct batch_report *x = &((const struct outcome *)a)->report;
	const struct batch_report *y = &((const struct outcome *)b)->report;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	return strcmp(x->kernel->path, y->kernel->path);
}

static void show_json(const struct outcome *o, const char *need)
{
	const struct batch_report *r = &o->report;
	const struct kernel *k = &r->kernel->kernel;
	struct text t = { 0 };

	text_add(&t, "{\"distribution\": ");
	text_json(&t, k->distro);
	text_add(&t, ", \"distribution_version\": ");
	text_json(&t, k->distro_version);
	text_add(&t, ", \"arch\": ");
	text_json(&t, k->arch);
	text_add(&t, ", \"kernel_version\": ");
	text_json(&t, k->release);
	text_add(&t, ", \"need\": \"%s\", \"status\": \"%s\"", need,
		 r->err			   ? "failed"
		 : r->written == TREE_SAME ? "reused"
					   : "done");
	if (r->err) {
		text_add(&t, ", \"why\": ");
		text_json(&t, o->why);
	} else {
		text_add(&t, ", \"full_bytes\": %zu, \"bytes\": %zu, \"unmatched\": %zu",
			 r->full_size, r->size, r->n_unmatched);
	}
	text_add(&t, "}\n");
	fputs(t.failed ? "{}\n" : t.p, stdout);
	text_free(&t);
}

static void show(const struct outcome *o, const char *need, const struct options *opts)
{
	const struct batch_report *r = &o->report;
	char path[LAYOUT_PATH_SIZE] = "?";

	if (opts->json) {
		show_json(o, need);
		return;
	}
	layout_path(&r->kernel->kernel, LAYOUT_RAW, path, NULL);
	path[strcspn(path, "\n") - strlen(".btf")] = '\0';
	if (r->err) {
		printf("failed  %s: %s\n", path, o->why);
		return;
	}
	if (opts->quiet)
		return;
	printf("%s  %s: %zu -> %zu bytes", r->written == TREE_SAME ? "reused" : "done  ", path,
	       r->full_size, r->size);
	if (r->n_unmatched)
		printf(", %zu relocations lead nowhere", r->n_unmatched);
	if (opts->verbose)
		printf(", %.2f ms", r->took_ms);
	putchar('\n');
}

static int show_all(struct outcomes *outcomes, const struct batch_job *jobs,
		    const struct options *o)
{
	size_t failed = 0;

	if (outcomes->n)
		qsort(outcomes->all, outcomes->n, sizeof(*outcomes->all), compare_outcomes);
	for (size_t i = 0; i < outcomes->n; i++) {
		const struct outcome *x = &outcomes->all[i];

		failed += x->report.err != 0;
		show(x, need_id(jobs[x->report.job].plan->need), o);
	}
	if (outcomes->failed) {
		fprintf(stderr, "btfgen: no memory for the report\n");
		return EXIT_FAILED;
	}
	if (failed)
		fprintf(stderr, "btfgen: %zu of %zu failed\n", failed, outcomes->n);
	return finish(failed ? EXIT_FAILED : EXIT_DONE);
}

/* The needs of one run, each with its plan and its part of the tree. */
struct jobs {
	struct inputs *inputs;
	struct batch_job *jobs;
	size_t n;
};

static int add_job(const struct options *o, struct jobs *jobs, char **args, int n, struct fail *f)
{
	struct inputs *in = &jobs->inputs[jobs->n];
	struct batch_job *job = &jobs->jobs[jobs->n];
	struct plan *plan = NULL;
	struct text json = { 0 };
	int err;

	err = read_inputs(o, args, n, in, f);
	if (err)
		return err;
	jobs->n++;
	note_empty(in, o);
	if (!need_count(in->need))
		return 0;
	job->arch = o->arch ? o->arch : in->arch;
	err = plan_new(in->need, &plan, f);
	if (err)
		return err;
	job->plan = plan;
	inputs_json(in, &json);
	err = json.failed ? fail(f, -ENOMEM, "no memory")
			  : tree_open(o->out, in->need, o->need ? NULL : &json, &job->tree, f);
	text_free(&json);
	return err;
}

static int add_jobs(const struct options *o, struct jobs *jobs, char **args, int n, struct fail *f)
{
	int err = 0;

	jobs->inputs = calloc(n + 1, sizeof(*jobs->inputs));
	jobs->jobs = calloc(n + 1, sizeof(*jobs->jobs));
	if (!jobs->inputs || !jobs->jobs)
		return fail(f, -ENOMEM, "no memory");
	if (!o->each)
		return add_job(o, jobs, args, n, f);
	for (int i = 0; !err && i < n; i++)
		err = add_job(o, jobs, args + i, 1, f);
	return err;
}

/* Objects without relocations need no file; their jobs, which have no plan, are left out. */
static size_t drop_empty(struct jobs *jobs)
{
	size_t n = 0;

	for (size_t i = 0; i < jobs->n; i++)
		if (jobs->jobs[i].plan)
			jobs->jobs[n++] = jobs->jobs[i];
	return n;
}

static void free_jobs(struct jobs *jobs, size_t n_jobs)
{
	for (size_t i = 0; jobs->jobs && i < n_jobs; i++) {
		tree_close(jobs->jobs[i].tree);
		plan_free((struct plan *)jobs->jobs[i].plan);
	}
	for (size_t i = 0; jobs->inputs && i < jobs->n; i++)
		inputs_free(&jobs->inputs[i]);
	free(jobs->inputs);
	free(jobs->jobs);
}

static int run_jobs(const struct options *o, const struct jobs *jobs, size_t n_jobs)
{
	const char *arch = o->arch ? o->arch : n_jobs == 1 ? jobs->jobs[0].arch : NULL;
	struct outcomes outcomes = { 0 };
	struct fail f = { .text = "" };
	struct scan kernels = { 0 };
	struct batch batch = {
		.kernels = &kernels,
		.jobs = jobs->jobs,
		.n_jobs = n_jobs,
		.form = o->no_probe ? MINIMIZE_NO_PROBE : MINIMIZE_SERVED,
		.n_threads = o->jobs,
		.report = collect,
		.ctx = &outcomes,
	};
	int status;

	if (read_kernels(o, arch, &kernels, &f))
		return complain(&f);
	batch_run(&batch);
	status = show_all(&outcomes, jobs->jobs, o);
	for (size_t i = 0; i < n_jobs; i++)
		if (tree_index(jobs->jobs[i].tree, &f))
			status = complain(&f);
	for (size_t i = 0; i < outcomes.n; i++)
		free(outcomes.all[i].why);
	free(outcomes.all);
	scan_free(&kernels);
	return status;
}

static int cmd_min(struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct jobs jobs = { 0 };
	size_t n_jobs;
	int status = EXIT_DONE;

	if (!o->out || !o->archive)
		return misuse("min wants --out TREE and --archive DIR");
	if (!n && !o->need)
		return misuse("min wants BPF objects, or --need FILE");
	if (add_jobs(o, &jobs, args, n, &f))
		status = complain(&f);
	n_jobs = status ? jobs.n : drop_empty(&jobs);
	if (!status && n_jobs)
		status = run_jobs(o, &jobs, n_jobs);
	free_jobs(&jobs, n_jobs);
	return status;
}

static int write_result(const char *path, const void *data, size_t size, struct fail *f)
{
	if (strcmp(path, "-"))
		return publish_file(path, data, size, 0644, f);
	if (fwrite(data, 1, size, stdout) != size)
		return fail(f, -EIO, "cannot write to standard output");
	return 0;
}

static int cut(const struct options *o, const struct inputs *in, char **args, struct fail *f)
{
	enum minimize_form form = o->no_probe ? MINIMIZE_NO_PROBE : MINIMIZE_SERVED;
	struct archive archive = { 0 };
	struct plan *plan = NULL;
	struct view *view = NULL;
	void *data = NULL;
	size_t size;
	int err;

	err = plan_new(in->need, &plan, f);
	if (!err)
		err = archive_read(args[0], &archive, f);
	if (!err)
		err = view_open(archive.btf.data, archive.btf.size, NULL, &view, f);
	if (!err)
		err = minimize(plan, view, form, &data, &size, NULL, f);
	if (err && view)
		err = fail_in(f, err, "%s", args[0]);
	if (!err)
		err = write_result(args[1], data, size, f);
	free(data);
	view_close(view);
	archive_free(&archive);
	plan_free(plan);
	return err;
}

static int cmd_cut(struct options *o, char **args, int n)
{
	struct fail f = { .text = "" };
	struct inputs in = { 0 };
	int err;

	if (n < 3 && !o->need)
		return misuse("cut wants BPF objects, or --need FILE");
	err = read_inputs(o, args + 2, n - 2, &in, &f);
	if (!err) {
		note_empty(&in, o);
		err = cut(o, &in, args, &f);
	}
	inputs_free(&in);
	return err ? complain(&f) : finish(EXIT_DONE);
}

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

static int cmd_verify(struct options *o, char **args, int n)
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
		err = audit_run(&audit, &f);
	scan_free(&kernels);
	inputs_free(&in);
	if (err)
		return complain(&f);
	printf("%zu pairs of object and kernel: %zu the same, %zu refused by libbpf with either, "
	       "%zu different, %zu not asked\n",
	       tally.same + tally.refused + tally.different + tally.unasked, tally.same,
	       tally.refused, tally.different, tally.unasked);
	printf("%zu instructions compared; %zu poisoned in both; %zu hold a type's id, which differs "
	       "by nature\n",
	       tally.insns, tally.poisoned, tally.type_ids);
	return finish(tally.different || tally.unasked ? EXIT_FAILED : EXIT_DONE);
}

static const struct command commands[] = {
	{
		"min",
		"--out TREE --archive DIR [--kernels LIST] [--arch ARCH] [--each] OBJ...",
		"cut what the objects need out of every kernel's BTF",
		cmd_min,
		0,
		{ OPT_OUT, OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_NEED, OPT_JOBS, OPT_EACH,
		  OPT_NO_PROBE, OPT_JSON },
	},
	{
		"cut",
		"BTF OUT OBJ...",
		"the same for one kernel's BTF, into one file (- for standard output)",
		cmd_cut,
		2,
		{ OPT_NEED, OPT_NO_PROBE },
	},
	{
		"need",
		"[--id] OBJ...",
		"print what the objects need of a kernel, or its fingerprint",
		cmd_need,
		0,
		{ OPT_NEED, OPT_ID },
	},
	{
		"verify",
		"--archive DIR [--kernels LIST] [--arch ARCH] [--each] OBJ...",
		"let libbpf relocate with whole and minimised BTF and compare",
		cmd_verify,
		1,
		{ OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_JOBS, OPT_EACH },
	},
};

static void help(void)
{
	printf("btfgen cuts the few hundred bytes of kernel type information (BTF) that BPF objects\n"
	       "need out of the megabytes that kernels have.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		printf("  btfgen %s %s\n      %s\n", commands[i].name, commands[i].usage,
		       commands[i].about);
	printf("\nOBJ is a BPF ELF object, or a program that has some inside. Options:\n"
	       "  --archive DIR   kernels' BTF, in BTFHub's layout\n"
	       "  --out TREE      where min/ is written; what stands there is kept\n"
	       "  --kernels LIST  file with a kernel on each line, wildcards allowed:\n"
	       "                  distro/version/arch/release, or a release alone\n"
	       "  --arch ARCH     only kernels of it; NAME.ARCH.bpf.o says it by itself\n"
	       "  --each          one need for each object, instead of one for all together\n"
	       "  --need FILE     what \"btfgen need\" printed, instead of objects\n"
	       "  --no-probe      leave out what only our agent asks for, to compare with other tools\n"
	       "  --jobs N        threads [one per core]\n"
	       "  --json          one JSON object per kernel\n"
	       "  -q, -v          say less, say more\n"
	       "  --help, --version\n\n"
	       "Exit: 0 done, 1 failed (for some kernel at least), 2 wrong usage.\n");
}

static bool takes(const struct command *c, int option)
{
	for (size_t i = 0; i < sizeof(c->options) / sizeof(*c->options); i++)
		if (c->options[i] == option)
			return true;
	return false;
}

static int set_jobs(struct options *o, const char *s)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(s, &end, 10);
	if (errno || *end || end == s || n > 4096 || *s == '-')
		return misuse("--jobs wants a number from 0 (one per core) to 4096");
	o->jobs = n;
	return 0;
}

static int set_arch(struct options *o, const char *s)
{
	o->arch = kernel_arch(s);
	return o->arch ? 0 : misuse("--arch is not known; x86_64, arm64, i386, armhf ... are");
}

static int set_option(struct options *o, int option)
{
	switch (option) {
	case OPT_OUT:
		o->out = optarg;
		return 0;
	case OPT_ARCHIVE:
		o->archive = optarg;
		return 0;
	case OPT_KERNELS:
		o->kernels = optarg;
		return 0;
	case OPT_ARCH:
		return set_arch(o, optarg);
	case OPT_NEED:
		o->need = optarg;
		return 0;
	case OPT_JOBS:
		return set_jobs(o, optarg);
	case OPT_EACH:
		o->each = true;
		return 0;
	case OPT_NO_PROBE:
		o->no_probe = true;
		return 0;
	case OPT_ID:
		o->id = true;
		return 0;
	case OPT_JSON:
		o->json = true;
		return 0;
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	default:
		return misuse("an option is not known, or lacks its value");
	}
}

static int run(const struct command *c, int argc, char **argv)
{
	struct options o = { 0 };
	char what[128];
	int option, err;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "qv", all_options, NULL)) != -1) {
		if (option == OPT_HELP) {
			help();
			return finish(EXIT_DONE);
		}
		if (option >= OPT_OUT && !takes(c, option)) {
			snprintf(what, sizeof(what), "%s does not take the option %.40s", c->name,
				 argv[optind - 1]);
			return misuse(what);
		}
		if (option == '?') {
			snprintf(what, sizeof(what),
				 "option %.40s is not known, or lacks its value", argv[optind - 1]);
			return misuse(what);
		}
		err = set_option(&o, option);
		if (err)
			return err;
	}
	if (argc - optind < c->min_args) {
		snprintf(what, sizeof(what), "usage: btfgen %s %.90s", c->name, c->usage);
		return misuse(what);
	}
	if (o.each && o.need)
		return misuse("--each and --need exclude each other");
	return c->run(&o, argv + optind, argc - optind);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	char what[128];

	if (!strcmp(name, "--help") || !strcmp(name, "help")) {
		help();
		return finish(EXIT_DONE);
	}
	if (!strcmp(name, "--version")) {
		printf("btfgen " VERSION "\n");
		return finish(EXIT_DONE);
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(name, commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	snprintf(what, sizeof(what), *name ? "there is no command %.40s" : "which command?%.0s",
		 name);
	return misuse(what);
}
