/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The options that btf-agent's commands share, from the command line, then the environment, then
 * the defaults, as the library wants them.
 *
 *	static const char *count; // own options of a command: values point into argv
 *	const struct options_own own[] = { { "count", "N", "stop after N events", &count }, { 0 } };
 *	struct options o;
 *	int code = options_read(&o, argc, argv, &usage);	argv[0] is the command's name
 *
 *	if (code >= 0)
 *		return code;		--help was printed, or the mistake was: exit with this
 *	err = btfdepot__provision(&o.depot, &depot);
 *	...
 *	options_free(&o);		after btfdepot__free
 *	return options_exit_code(err);
 */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include "btfdepot.h"
#include <stdbool.h>

struct fail;

#define OPTIONS_MAX_LIST   64		/* objects, trees, urls: of each */
#define OPTIONS_MAX_OBJECT (512u << 20) /* bytes of an object file */

enum options_exit {
	OPTIONS_EXIT_OK,
	OPTIONS_EXIT_FAILED,
	OPTIONS_EXIT_USAGE,
	OPTIONS_EXIT_NONE,	  /* every source said that it has no BTF for this kernel */
	OPTIONS_EXIT_REFUSED,	  /* content was refused and nothing else served */
	OPTIONS_EXIT_UNREACHABLE, /* a source could not be reached: try later */
};

/* A command's own option. --name=VALUE and --name VALUE; without arg it is a flag. */
struct options_own {
	const char *name; /* without "--"; NULL ends the table */
	const char *arg;  /* how the help calls its value; NULL: a flag */
	const char *help;
	const char **value; /* set to the value, "" for a flag; left alone where not given */
};

/* What one command takes and how its help begins. */
struct options_usage {
	const char *synopsis;	       /* "run [options] [COLLECTOR]..." */
	const char *about;	       /* a sentence or two */
	const struct options_own *own; /* or NULL */
	size_t max_rest;	       /* arguments that are no options; more is a usage mistake */
};

struct options {
	struct btfdepot_opts depot;	 /* points into this struct, argv and the environment */
	struct btfdepot_object *objects; /* of --object, read into memory */
	const char **object_paths;	 /* as given, in the same order */
	size_t n_objects;
	const char **trees, **bundles, **urls; /* NULL-terminated */
	char *words[2]; /* copies of BTFDEPOT_TREES and BTFDEPOT_URLS, cut at spaces */
	char **rest;	/* arguments that are no options; point into argv */
	size_t n_rest;
	bool json, quiet, verbose;
};

/*
 * Fills *o. -1: go on. Otherwise the code to exit with, after the help went to stdout or one line
 * to stderr; nothing is to be freed then. Objects named by --object are read here.
 */
int options_read(struct options *o, int argc, char **argv, const struct options_usage *usage);
void options_free(struct options *o);

/*
 * Reads an object file and appends it to o->depot.objects, as --object does: for commands that
 * choose the object themselves. -ENOENT, -E2BIG, ... with the sentence in f.
 */
int options_add_object(struct options *o, const char *path, struct fail *f);

/* The exit code for what btfdepot__provision returned. */
enum options_exit options_exit_code(int err);

/* A string as JSON on stdout, quotes included; foreign bytes that are not UTF-8 become U+FFFD. */
void options_print_json_string(const char *s);

#endif
