// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfdepot.h"
#include "file.h"
#include "identity.h"
#include "options.h"
#include "run.h"
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/kernel.h"
#include "btfs/publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void print_json_field(const char *name, const char *value, const char *end)
{
	printf("\"%s\":", name);
	if (value)
		options_print_json_string(value);
	else
		printf("null");
	fputs(end, stdout);
}

static void print_json_answers(const struct btfdepot *depot)
{
	struct btfdepot_answer a;
	size_t i;

	printf("\"answers\":[");
	for (i = 0; !btfdepot__answer(depot, i, &a); i++) {
		printf(i ? ",{" : "{");
		print_json_field("source", a.source, ",");
		print_json_field("where", a.where, ",");
		print_json_field("said", a.said, ",");
		printf("\"err\":%d,\"took_ms\":%u}", -a.err, a.took_ms);
	}
	printf("]");
}

static void print_json_kernel(const struct kernel *k)
{
	printf("\"kernel\":{");
	print_json_field("arch", k->arch, ",");
	print_json_field("release", k->release, ",");
	print_json_field("version", k->version, ",");
	print_json_field("build_id", k->build_id, ",");
	print_json_field("distro", k->distro, ",");
	print_json_field("distro_version", k->distro_version, "},");
}

/* The answer that served; 0 without one. */
static int serving_answer(const struct btfdepot *depot, struct btfdepot_answer *ret_answer)
{
	struct btfdepot_answer a;
	size_t i;

	for (i = 0; !btfdepot__answer(depot, i, &a); i++) {
		if (a.err)
			continue;
		*ret_answer = a;
		return 1;
	}
	return 0;
}

static void print_failure(const char *command, const struct btfdepot *depot, int err)
{
	if (depot && *btfdepot__report(depot))
		fputs(btfdepot__report(depot), stderr);
	else if (depot)
		fprintf(stderr,
			"btf-agent %s: there is nobody to ask: give --tree, --bundle or --url\n",
			command);
	else
		fprintf(stderr, "btf-agent %s: %s\n", command,
			err == -ENOMEM ? "no memory" : "bad options");
}

static int read_found(const struct btfdepot *depot, void **ret_data, size_t *ret_size,
		      struct fail *f)
{
	int fd = btfdepot__fd(depot), err;
	const char *path = btfdepot__file(depot);

	if (fd >= 0)
		return file_read_fd(fd, ARCHIVE_MAX_BTF, ret_data, ret_size, f);
	err = file_read(path, ARCHIVE_MAX_BTF, ret_data, ret_size, f);
	return err ? fail_in(f, err, "%s", path) : 0;
}

static int write_out(const struct btfdepot *depot, const char *out, struct fail *f)
{
	size_t size;
	void *data;
	int err;

	if (btfdepot__fd(depot) < 0 && !btfdepot__file(depot))
		return 0;
	err = read_found(depot, &data, &size, f);
	if (err)
		return err;
	err = publish_file(out, data, size, 0644, f);
	free(data);
	return err ? fail_in(f, err, "%s", out) : 0;
}

static void print_fetched(const struct btfdepot *depot, const char *out)
{
	const char *file = out ? out : btfdepot__file(depot);
	struct btfdepot_answer a = { .source = "nobody", .where = "", .said = "" };

	serving_answer(depot, &a);
	if (file)
		printf("%s: from %s %s: %s\n", file, a.source, a.where, a.said);
	else if (btfdepot__fd(depot) >= 0)
		printf("%s %s: %s; not kept: name a file with --out\n", a.source, a.where, a.said);
	else
		printf("%s %s\n", a.where, a.said);
}

static void print_fetched_json(const struct btfdepot *depot, const char *out)
{
	printf("{");
	print_json_field("verdict", btfdepot__verdict_name(btfdepot__verdict(depot)), ",");
	print_json_field("need", btfdepot__need(depot), ",");
	print_json_field("file", out ? out : btfdepot__file(depot), ",");
	print_json_answers(depot);
	printf("}\n");
}

static int fetch_with(const struct options *o, const char *out)
{
	struct btfdepot *depot;
	struct fail f = { "" };
	int err = btfdepot__provision(&o->depot, &depot);

	if (err && !o->quiet)
		print_failure("fetch", depot, err);
	if (!err && out)
		err = write_out(depot, out, &f);
	if (*f.text)
		fprintf(stderr, "btf-agent fetch: %s\n", f.text);
	if (o->json && depot)
		print_fetched_json(depot, err ? NULL : out);
	else if (!err && !o->quiet)
		print_fetched(depot, out);
	btfdepot__free(depot);
	return *f.text ? OPTIONS_EXIT_FAILED : (int)options_exit_code(err);
}

static int cmd_fetch(int argc, char **argv)
{
	const char *out = NULL;
	const struct options_own own[] = {
		{ "out", "FILE", "write the BTF there, raw", &out },
		{ 0 },
	};
	const struct options_usage usage = {
		.synopsis = "fetch [options]",
		.about = "Finds the BTF for this kernel, checks it and says where it lies.\n"
			 "With --object, what these objects need of it is enough.",
		.own = own,
	};
	struct options o;
	int code = options_read(&o, argc, argv, &usage);

	if (code >= 0)
		return code;
	code = fetch_with(&o, out);
	options_free(&o);
	return code;
}

static void print_status(const struct kernel *k, const struct btfdepot *depot,
			 const struct options *o)
{
	static const char unknown[] = "not known";

	printf("kernel    %s %s\n", k->arch, k->release);
	printf("version   %s\n", *k->version ? k->version : unknown);
	printf("build-id  %s\n", *k->build_id ? k->build_id : unknown);
	printf("distro    %s %s\n", *k->distro ? k->distro : unknown, k->distro_version);
	if (*btfdepot__need(depot))
		printf("need      %s\n", btfdepot__need(depot));
	printf("verdict   %s\n", btfdepot__verdict_name(btfdepot__verdict(depot)));
	fputs(btfdepot__report(depot), stdout);
	if (!o->depot.urls && o->urls && btfdepot__verdict(depot) == BTFDEPOT_NONE)
		printf("server: not asked, --ask does that\n");
}

static void print_status_json(const struct kernel *k, const struct btfdepot *depot)
{
	printf("{");
	print_json_kernel(k);
	print_json_field("verdict", btfdepot__verdict_name(btfdepot__verdict(depot)), ",");
	print_json_field("need", btfdepot__need(depot), ",");
	print_json_field("file", btfdepot__file(depot), ",");
	print_json_answers(depot);
	printf("}\n");
}

/* That no BTF was found is a status, not a failure of this command. */
static int status_with(struct options *o, bool ask)
{
	struct btfdepot_opts opts = o->depot;
	struct btfdepot *depot;
	struct kernel kernel;
	struct fail f = { "" };
	int err;

	if (!opts.host_root)
		opts.host_root = "/";
	err = identity_read(&opts, &kernel, NULL, 0, &f);
	if (err) {
		fprintf(stderr, "btf-agent status: %s\n", f.text);
		return OPTIONS_EXIT_FAILED;
	}
	if (!ask)
		o->depot.urls = NULL;
	err = btfdepot__provision(&o->depot, &depot);
	if (!depot || err == -EINVAL) {
		print_failure("status", depot, err);
		btfdepot__free(depot);
		return OPTIONS_EXIT_FAILED;
	}
	if (o->json)
		print_status_json(&kernel, depot);
	else
		print_status(&kernel, depot, o);
	btfdepot__free(depot);
	return ask ? (int)options_exit_code(err) : OPTIONS_EXIT_OK;
}

static int cmd_status(int argc, char **argv)
{
	const char *ask = NULL;
	const struct options_own own[] = {
		{ "ask", NULL, "ask the servers too, and exit as fetch would", &ask },
		{ 0 },
	};
	const struct options_usage usage = {
		.synopsis = "status [options]",
		.about = "Says what kernel this is, whether it has BTF, and where else is some.\n"
			 "Nothing goes over the network without --ask.",
		.own = own,
	};
	struct options o;
	int code = options_read(&o, argc, argv, &usage);

	if (code >= 0)
		return code;
	code = status_with(&o, ask);
	options_free(&o);
	return code;
}

static const struct command {
	const char *name, *help;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "status", "what kernel this is, and what BTF there is for it", cmd_status },
	{ "fetch", "find the BTF for this kernel and keep it", cmd_fetch },
	{ "run", "load a BPF program with it and print its events", cmd_run },
};

#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

static int print_usage(void)
{
	size_t i;

	printf("usage: btf-agent COMMAND [options]\n\nBTF for kernels that ship none.\n\n");
	for (i = 0; i < N_COMMANDS; i++)
		printf("  %-8s %s\n", commands[i].name, commands[i].help);
	printf("\nbtf-agent COMMAND --help lists the options of a command.\n");
	return OPTIONS_EXIT_OK;
}

/* A result that did not reach its file is no success. */
static int flushed(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	fprintf(stderr, "btf-agent: cannot write to stdout: %s\n", strerror(errno));
	return code ? code : OPTIONS_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h"))
		return flushed(print_usage());
	if (!strcmp(name, "--version")) {
		printf("btf-agent %s\n", btfdepot__version());
		return flushed(OPTIONS_EXIT_OK);
	}
	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return flushed(commands[i].run(argc - 1, argv + 1));
	if (*name)
		fprintf(stderr, "btf-agent: there is no command '%s'; try --help\n", name);
	else
		fprintf(stderr, "btf-agent: no command was given; try --help\n");
	return OPTIONS_EXIT_USAGE;
}
