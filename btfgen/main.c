// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/kernel.h"
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_OUT = 256,
	OPT_ARCHIVE,
	OPT_KERNELS,
	OPT_ARCH,
	OPT_NEED,
	OPT_DISTRO,
	OPT_DISTRO_VERSION,
	OPT_RELEASE,
	OPT_APT,
	OPT_YUM,
	OPT_DIR,
	OPT_SUITE,
	OPT_MATCH,
	OPT_TREE,
	OPT_FORMAT,
	OPT_JOBS,
	OPT_MODULE,
	OPT_SHARD,
	OPT_WORK,
	OPT_NO_WORK,
	OPT_FETCH,
	OPT_EACH,
	OPT_NO_PROBE,
	OPT_OLD_READERS,
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
	{ "distro", required_argument, NULL, OPT_DISTRO },
	{ "distro-version", required_argument, NULL, OPT_DISTRO_VERSION },
	{ "release", required_argument, NULL, OPT_RELEASE },
	{ "apt", required_argument, NULL, OPT_APT },
	{ "yum", required_argument, NULL, OPT_YUM },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "suite", required_argument, NULL, OPT_SUITE },
	{ "match", required_argument, NULL, OPT_MATCH },
	{ "tree", required_argument, NULL, OPT_TREE },
	{ "format", required_argument, NULL, OPT_FORMAT },
	{ "jobs", required_argument, NULL, OPT_JOBS },
	{ "fetch", no_argument, NULL, OPT_FETCH },
	{ "shard", required_argument, NULL, OPT_SHARD },
	{ "work", required_argument, NULL, OPT_WORK },
	{ "no-work", no_argument, NULL, OPT_NO_WORK },
	{ "module", required_argument, NULL, OPT_MODULE },
	{ "each", no_argument, NULL, OPT_EACH },
	{ "no-probe", no_argument, NULL, OPT_NO_PROBE },
	{ "old-readers", no_argument, NULL, OPT_OLD_READERS },
	{ "id", no_argument, NULL, OPT_ID },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

struct command {
	const char *name;
	const char *usage, *about;
	int (*run)(const struct options *o, char **args, int n);
	int min_args;
	int options[16]; /* of OPT_*, 0 ends */
};

static const struct command commands[] = {
	{
		"min",
		"--out TREE --archive DIR [--kernels LIST] [--arch ARCH] [--each] OBJ...",
		"cut what the objects need out of every kernel's BTF",
		cmd_min,
		0,
		{ OPT_OUT, OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_NEED, OPT_JOBS, OPT_EACH,
		  OPT_WORK, OPT_NO_WORK, OPT_SHARD, OPT_OLD_READERS, OPT_NO_PROBE, OPT_JSON },
	},
	{
		"cut",
		"[--module FILE|DIR]... BTF OUT OBJ...",
		"the same for one kernel's BTF, into one file (- for standard output)",
		cmd_cut,
		2,
		{ OPT_NEED, OPT_NO_PROBE, OPT_MODULE, OPT_OLD_READERS },
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
		"index",
		"TREE",
		"make by-release and index.tsv anew, of all that shards have put there",
		cmd_index,
		1,
		{ 0 },
	},
	{
		"verify",
		"--archive DIR [--kernels LIST] [--arch ARCH] [--each] OBJ...",
		"let libbpf relocate with whole and minimised BTF and compare",
		cmd_verify,
		1,
		{ OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_JOBS, OPT_EACH, OPT_WORK, OPT_NO_WORK },
	},
	{
		"list",
		"[--archive DIR] [--tree TREE] [--kernels LIST] [--arch ARCH]",
		"list the kernels of an archive, and the needs of a tree (-v: with kernels)",
		cmd_list,
		0,
		{ OPT_ARCHIVE, OPT_TREE, OPT_KERNELS, OPT_ARCH, OPT_JSON },
	},
	{
		"info",
		"FILE...",
		"say what a BTF, BPF object, need or bundle holds",
		cmd_info,
		1,
		{ OPT_JSON },
	},
	{
		"lint",
		"[--archive DIR [--kernels LIST] [--arch ARCH]] [FILE...]",
		"say what is wrong with kernels' BTF",
		cmd_lint,
		0,
		{ OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_JSON },
	},
	{
		"diff",
		"BTF BTF OBJ...",
		"say what two kernels answer differently; exit 1 if anything",
		cmd_diff,
		2,
		{ OPT_NEED, OPT_JSON },
	},
	{
		"coverage",
		"--archive DIR [--kernels LIST] [--arch ARCH] OBJ...",
		"show which kernels lack what the objects need, and which are alike",
		cmd_coverage,
		0,
		{ OPT_ARCHIVE, OPT_KERNELS, OPT_ARCH, OPT_NEED, OPT_JOBS, OPT_JSON },
	},
	{
		"bundle",
		"[--need ID]... [--kernels LIST] [--arch ARCH] [--format FORM] --out FILE TREE",
		"pack a tree into one file, to ship it or to link it into a program",
		cmd_bundle,
		1,
		{ OPT_OUT, OPT_NEED, OPT_KERNELS, OPT_ARCH, OPT_FORMAT },
	},
	{
		"ingest",
		"--archive DIR [--distro D --distro-version V --arch A --release R] SOURCE...",
		"put the BTF of kernels and packages into an archive",
		cmd_ingest,
		1,
		{ OPT_ARCHIVE, OPT_DISTRO, OPT_DISTRO_VERSION, OPT_ARCH, OPT_RELEASE, OPT_JOBS,
		  OPT_JSON },
	},
	{
		"crawl",
		"{--apt URL | --yum URL | --dir DIR} [--suite S] [--arch A] [--match GLOB]\n"
		"               [--archive DIR [--fetch]]",
		"list the kernels that a package repository has and the archive lacks; get them",
		cmd_crawl,
		0,
		{ OPT_APT, OPT_YUM, OPT_DIR, OPT_SUITE, OPT_ARCH, OPT_MATCH, OPT_ARCHIVE, OPT_FETCH,
		  OPT_DISTRO, OPT_DISTRO_VERSION, OPT_JSON },
	},
};

static void help(void)
{
	printf("btfgen cuts the few hundred bytes of kernel type information (BTF) that BPF\n"
	       "objects need out of the megabytes that kernels have.\n\n");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		printf("  btfgen %s %s\n      %s\n", commands[i].name, commands[i].usage,
		       commands[i].about);
	printf("\nOBJ is a BPF ELF object, or a program that has some inside.\n"
	       "SOURCE is a .deb, .ddeb or .rpm, a kernel in any form (vmlinux, vmlinuz, bzImage,\n"
	       "Image), BTF, or a folder of them. Options:\n"
	       "  --archive DIR   kernels' BTF, in BTFHub's layout\n"
	       "  --out TREE      where min/ is written; what stands there is kept\n"
	       "  --kernels LIST  file with a kernel on each line, wildcards allowed:\n"
	       "                  distro/version/arch/release, or a release alone\n"
	       "  --arch ARCH     only kernels of it; NAME.ARCH.bpf.o says it by itself\n"
	       "  --each          one need for each object, instead of one for all together\n"
	       "  --need FILE     what \"btfgen need\" printed, instead of objects\n"
	       "  --need ID       (bundle) a need's fingerprint or its beginning; repeatable\n"
	       "  --tree TREE     what min wrote with --out\n"
	       "  --format FORM   (bundle) bundle [default], bcc, or flat, which is a folder\n"
	       "  --shard I/N     only this part of the kernels; btfgen index comes last\n"
	       "  --work DIR      where decoded BTF is kept for the next run [.btfgen in\n"
	       "                  the archive; if it can't be written, ~/.cache/btfgen]\n"
	       "  --no-work       keep none, use none\n"
	       "  --module FILE   a module's split BTF, or a folder of them; repeatable\n"
	       "  --old-readers   no kinds that libbpf before 1.0 refuses, unless needed\n"
	       "  --no-probe      only what the objects ask for, to compare with other tools\n"
	       "  --distro D, --distro-version V, --release R\n"
	       "                  what sources do not tell, in words of os-release(5), uname -r\n"
	       "  --apt URL, --yum URL, --dir DIR\n"
	       "                  a repository: above dists/, or above repodata/\n"
	       "  --suite S       apt's: bookworm, focal-updates, ...\n"
	       "  --match GLOB    only releases (uname -r) like it\n"
	       "  --fetch         get what the archive lacks: image, or else debug package\n"
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

static int set_shard(struct options *o, const char *s)
{
	char end;

	if (sscanf(s, "%5u/%5u%c", &o->shard, &o->n_shards, &end) != 2 || !o->shard ||
	    o->shard > o->n_shards)
		return misuse("--shard wants I/N, from 1/N to N/N");
	return 0;
}

static int set_arch(struct options *o, const char *s)
{
	o->arch = kernel_arch(s);
	return o->arch ? 0 : misuse("--arch is not known; x86_64, arm64, i386, armhf ... are");
}

/* Options whose value is taken as it is. */
static const char **string_of(struct options *o, int option)
{
	switch (option) {
	case OPT_OUT:
		return &o->out;
	case OPT_ARCHIVE:
		return &o->archive;
	case OPT_KERNELS:
		return &o->kernels;
	case OPT_DISTRO:
		return &o->distro;
	case OPT_DISTRO_VERSION:
		return &o->distro_version;
	case OPT_RELEASE:
		return &o->release;
	case OPT_APT:
		return &o->apt;
	case OPT_YUM:
		return &o->yum;
	case OPT_DIR:
		return &o->dir;
	case OPT_SUITE:
		return &o->suite;
	case OPT_MATCH:
		return &o->match;
	case OPT_TREE:
		return &o->tree;
	case OPT_FORMAT:
		return &o->format;
	default:
		return NULL;
	}
}

static int add_module(struct options *o, const char *path)
{
	if (o->n_modules == MAX_MODULES)
		return misuse("too many --module; name the folder instead");
	o->modules[o->n_modules++] = path;
	return 0;
}

static int add_need(struct options *o, const char *need)
{
	if (o->n_needs == MAX_NEEDS)
		return misuse("too many --need");
	o->needs[o->n_needs++] = need;
	o->need = need;
	return 0;
}

static int set_option(struct options *o, int option)
{
	const char **string = string_of(o, option);

	if (string) {
		*string = optarg;
		return 0;
	}
	switch (option) {
	case OPT_ARCH:
		return set_arch(o, optarg);
	case OPT_NEED:
		return add_need(o, optarg);
	case OPT_JOBS:
		return set_jobs(o, optarg);
	case OPT_FETCH:
		o->fetch = true;
		return 0;
	case OPT_SHARD:
		return set_shard(o, optarg);
	case OPT_WORK:
		o->work = optarg;
		return 0;
	case OPT_NO_WORK:
		o->no_work = true;
		return 0;
	case OPT_MODULE:
		return add_module(o, optarg);
	case OPT_EACH:
		o->each = true;
		return 0;
	case OPT_NO_PROBE:
		o->no_probe = true;
		return 0;
	case OPT_OLD_READERS:
		o->old_readers = true;
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
	struct options o = { .argv = argv - 1 }; /* argv[0] here is the command's name */
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
