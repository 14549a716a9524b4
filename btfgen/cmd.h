/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The commands of btfgen. Each lies in a cmd_NAME.c and is one row of the table in main.c; they
 * and main.c are the only files that print.
 */
#ifndef BTFGEN_CMD_H
#define BTFGEN_CMD_H

#include "minimize.h"

#include <stdbool.h>
#include <stddef.h>

struct fail;
struct ingest_report;
struct inputs;
struct kernel;
struct scan;
struct text;
struct work;

#define MAX_MODULES 64 /* --module options; a folder counts as one */
#define MAX_NEEDS   64 /* --need options */

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Every option of every command; a command takes those that its row names. */
struct options {
	const char *out, *archive, *kernels, *arch, *need;
	const char *distro, *distro_version, *release;
	const char *apt, *yum, *dir, *suite, *match;
	const char *tree, *format, *work;
	const char *needs[MAX_NEEDS]; /* of all --need; need is the last of them */
	size_t n_needs;
	const char *modules[MAX_MODULES];
	size_t n_modules;
	char **argv; /* of the whole program */
	unsigned jobs;
	unsigned shard, n_shards; /* 0: no --shard */
	bool no_work, old_readers;
	bool fetch, each, no_probe, id, json, quiet, verbose;
};

/* They get what is left of the arguments, and give the exit status. */
int cmd_min(const struct options *o, char **args, int n);
int cmd_cut(const struct options *o, char **args, int n);
int cmd_index(const struct options *o, char **args, int n);
int cmd_need(const struct options *o, char **args, int n);
int cmd_verify(const struct options *o, char **args, int n);
int cmd_list(const struct options *o, char **args, int n);
int cmd_bundle(const struct options *o, char **args, int n);
int cmd_info(const struct options *o, char **args, int n);
int cmd_lint(const struct options *o, char **args, int n);
int cmd_diff(const struct options *o, char **args, int n);
int cmd_coverage(const struct options *o, char **args, int n);
int cmd_ingest(const struct options *o, char **args, int n);
int cmd_crawl(const struct options *o, char **args, int n);

/* What they share. One line on stderr, and the status to end with: */
int complain(const struct fail *f);
int misuse(const char *what);
/* status, or EXIT_FAILED if standard output took not everything. */
int finish(int status);
/* Prints and frees the text; EXIT_FAILED if there was no memory for it. */
int print(struct text *t);
/* A kernel's path without a suffix; the members that JSON has for it, without braces. */
void put_path(struct text *t, const struct kernel *kernel);
void put_kernel(struct text *t, const struct kernel *kernel);
/* The objects named by args, or what --need names. */
int read_inputs(const struct options *o, char **args, int n, struct inputs *ret, struct fail *f);
/* One line on stderr for each object without CO-RE relocations. */
void note_empty(const struct inputs *in, const struct options *o);
/* The kernels of --archive that --kernels and arch (NULL: any) leave; at least one. */
int read_kernels(const struct options *o, const char *arch, struct scan *ret, struct fail *f);
/* What --no-probe and --old-readers ask for. */
enum minimize_form form_of(const struct options *o);
/* The working copy that --archive, --work and --no-work name; NULL where there is none. */
int open_work(const struct options *o, struct work **ret, struct fail *f);
/* One line of what became of a source. */
void show_ingested(const struct ingest_report *r, const struct options *o);

#endif
