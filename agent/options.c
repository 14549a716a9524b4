// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "options.h"
#include "file.h"
#include "btfs/fail.h"
#include "btfs/need.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPTIONS_MAX_TIMEOUT_MS 86400000ul
#define OPTIONS_HELP_COLUMN    30

enum kind { FLAG, STRING, NUMBER, OBJECT, TREE, BUNDLE, URL, NO_CACHE, HELP };

struct option {
	const char *name, *arg, *help, *env, *fallback; /* fallback is for the help only */
	enum kind kind;
	char letter;
	size_t at; /* in struct options */
};

#define AT(field) offsetof(struct options, field)

static const struct option table[] = {
	{ "object", "FILE", "BPF object, or program that embeds some; repeatable", NULL, NULL,
	  OBJECT, 0, 0 },
	{ "btf", "FILE", "use this BTF, whatever kernel it is for", "BTFDEPOT_BTF", NULL, STRING, 0,
	  AT(depot.btf_path) },
	{ "cache", "DIR", "what was fetched before", "BTFDEPOT_CACHE", "/var/cache/btfdepot",
	  STRING, 0, AT(depot.cache_dir) },
	{ "no-cache", NULL, "neither read nor write a cache", NULL, NULL, NO_CACHE, 0, 0 },
	{ "tree", "DIR", "local tree; repeatable, asked in order", "BTFDEPOT_TREES", NULL, TREE, 0,
	  0 },
	{ "bundle", "FILE", "local bundle; repeatable, asked behind trees", NULL, NULL, BUNDLE, 0,
	  0 },
	{ "url", "URL", "server, http or https; repeatable, asked in order", "BTFDEPOT_URLS", NULL,
	  URL, 0, 0 },
	{ "timeout-ms", "N", "for everything together", "BTFDEPOT_TIMEOUT_MS", "5000", NUMBER, 0,
	  AT(depot.timeout_ms) },
	{ "ca-file", "FILE", "certificates that https trusts", NULL, "the system's", STRING, 0,
	  AT(depot.ca_file) },
	{ "kernel-btf", "FILE", "the kernel's own BTF", NULL, "/sys/kernel/btf/vmlinux", STRING, 0,
	  AT(depot.kernel_btf) },
	{ "host-root", "DIR", "where the host's root is mounted", NULL, "/", STRING, 0,
	  AT(depot.host_root) },
	{ "notes", "FILE", "ELF notes with the kernel's build-id", NULL, "/sys/kernel/notes",
	  STRING, 0, AT(depot.notes_path) },
	{ "release", "NAME", "ask for this kernel, not the running one", NULL, "uname -r", STRING,
	  0, AT(depot.release) },
	{ "version-string", "TEXT", "its version", NULL, "uname -v", STRING, 0, AT(depot.version) },
	{ "machine", "NAME", "its architecture", NULL, "uname -m", STRING, 0, AT(depot.machine) },
	{ "json", NULL, "print JSON", NULL, NULL, FLAG, 0, AT(json) },
	{ "quiet", NULL, "no messages, only results and the exit code", NULL, NULL, FLAG, 'q',
	  AT(quiet) },
	{ "verbose", NULL, "every path that is asked, on stderr", NULL, NULL, FLAG, 'v',
	  AT(verbose) },
	{ "help", NULL, "this page", NULL, NULL, HELP, 'h', 0 },
};

#define N_TABLE (sizeof(table) / sizeof(*table))

static void print_option(const char *name, char letter, const char *arg, const char *help)
{
	int n = 2;

	if (letter)
		n += printf("  -%c, --%s", letter, name) - 2;
	else
		n += printf("      --%s", name) - 2;
	if (arg)
		n += printf(" %s", arg);
	printf("%*s%s", n < OPTIONS_HELP_COLUMN ? OPTIONS_HELP_COLUMN - n : 1, "", help);
}

static void print_help(const struct options_usage *usage)
{
	const struct options_own *own;
	size_t i;

	printf("usage: btf-agent %s\n\n%s\n\n", usage->synopsis, usage->about);
	for (own = usage->own; own && own->name; own++) {
		print_option(own->name, 0, own->arg, own->help);
		printf("\n");
	}
	for (i = 0; i < N_TABLE; i++) {
		const struct option *o = &table[i];

		print_option(o->name, o->letter, o->arg, o->help);
		if (o->env)
			printf(" [$%s%s%s]", o->env, o->fallback ? ", else " : "",
			       o->fallback ? o->fallback : "");
		else if (o->fallback)
			printf(" [%s]", o->fallback);
		printf("\n");
	}
	printf("\nAn option goes before the environment, which goes before the default.\n"
	       "Exit: 0 done, 1 failed, 2 usage, 3 every source said that it has none,\n"
	       "4 content was refused and nothing else served, 5 a source could not be reached.\n");
}

static int set_number(const char *value, uint32_t *ret_number, struct fail *f)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || *end || value[0] < '0' || value[0] > '9' || !n || n > OPTIONS_MAX_TIMEOUT_MS)
		return fail(f, -EINVAL, "'%s' is not a number from 1 to %lu", value,
			    OPTIONS_MAX_TIMEOUT_MS);
	*ret_number = n;
	return 0;
}

static int append(const char ***list, const char *value, struct fail *f)
{
	const char **more;
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	if (n == OPTIONS_MAX_LIST)
		return fail(f, -EINVAL, "more than %d were given", OPTIONS_MAX_LIST);
	more = reallocarray(*list, n + 2, sizeof(**list));
	if (!more)
		return fail(f, -ENOMEM, "no memory");
	more[n] = value;
	more[n + 1] = NULL;
	*list = more;
	return 0;
}

static int append_url(struct options *o, const char *url, struct fail *f)
{
	if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8))
		return fail(f, -EINVAL, "'%s' does not begin with http:// or https://", url);
	return append(&o->urls, url, f);
}

/* Cuts the words of an environment variable out of a copy that lives as long as the options. */
static int append_words(struct options *o, const struct option *option, const char *text,
			struct fail *f)
{
	char **copy = &o->words[option->kind == URL], *word, *rest;
	int err = 0;

	*copy = strdup(text);
	if (!*copy)
		return fail(f, -ENOMEM, "no memory");
	for (rest = *copy; !err && (word = strsep(&rest, " \t\n"));)
		if (*word)
			err = option->kind == URL ? append_url(o, word, f)
						  : append(&o->trees, word, f);
	return err;
}

/* The name is said here, where it is known: libraries only see bytes. */
static int check_object(const struct btfdepot_object *object, const char *path, struct fail *f)
{
	struct need *need = need_new();
	int err;

	if (!need)
		return fail(f, -ENOMEM, "no memory");
	err = need_add_object(need, object->data, object->size, path, f);
	need_free(need);
	return err < 0 ? err : 0;
}

int options_add_object(struct options *o, const char *path, struct fail *f)
{
	struct btfdepot_object object, *objects;
	void *data;
	int err;

	if (o->n_objects == OPTIONS_MAX_LIST)
		return fail(f, -E2BIG, "more than %d objects were given", OPTIONS_MAX_LIST);
	err = file_read(path, OPTIONS_MAX_OBJECT, &data, &object.size, f);
	if (err)
		return fail_in(f, err, "%s", path);
	object.data = data;
	err = check_object(&object, path, f);
	if (!err)
		err = append(&o->object_paths, path, f);
	objects = err ? NULL : reallocarray(o->objects, o->n_objects + 1, sizeof(*objects));
	if (!objects) {
		free(data);
		return err ? err : fail(f, -ENOMEM, "no memory");
	}
	o->objects = objects;
	o->objects[o->n_objects++] = object;
	o->depot.objects = objects;
	o->depot.n_objects = o->n_objects;
	return 0;
}

static int apply(struct options *o, const struct option *option, const char *value, struct fail *f)
{
	void *at = (char *)o + option->at;

	switch (option->kind) {
	case FLAG:
		*(bool *)at = true;
		return 0;
	case STRING:
		*(const char **)at = value;
		return 0;
	case NUMBER:
		return set_number(value, at, f);
	case OBJECT:
		return append(&o->object_paths, value, f);
	case TREE:
		return append(&o->trees, value, f);
	case BUNDLE:
		return append(&o->bundles, value, f);
	case URL:
		return append_url(o, value, f);
	case NO_CACHE:
		o->depot.cache_dir = "";
		return 0;
	case HELP:
		break;
	}
	return 0;
}

static const struct option *find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < N_TABLE; i++)
		if (!strncmp(table[i].name, name, len) && !table[i].name[len])
			return &table[i];
	return NULL;
}

static const struct option *find_letter(const char *word)
{
	size_t i;

	for (i = 0; i < N_TABLE; i++)
		if (word[0] && !word[1] && table[i].letter == word[0])
			return &table[i];
	return NULL;
}

static const struct options_own *find_own(const struct options_own *own, const char *name,
					  size_t len)
{
	for (; own && own->name; own++)
		if (!strncmp(own->name, name, len) && !own->name[len])
			return own;
	return NULL;
}

struct parser {
	struct options *o;
	const struct options_usage *usage;
	char **argv;
	int argc, at;
	bool help;
};

/* The value after '=' or in the next word; *ret_value "" for a flag. */
static int take_value(struct parser *p, const char *inline_value, const char *arg,
		      const char **ret_value, struct fail *f)
{
	if (!arg && inline_value)
		return fail(f, -EINVAL, "takes no value");
	if (!arg) {
		*ret_value = "";
		return 0;
	}
	if (!inline_value && p->at + 1 >= p->argc)
		return fail(f, -EINVAL, "needs a value: %s", arg);
	*ret_value = inline_value ? inline_value : p->argv[++p->at];
	return 0;
}

static int parse_option(struct parser *p, struct fail *f)
{
	const char *word = p->argv[p->at], *value = NULL, *equals;
	const struct options_own *own = NULL;
	const struct option *option;
	size_t len;
	int err;

	if (word[1] != '-') {
		option = find_letter(word + 1);
		equals = NULL;
	} else {
		equals = strchr(word, '=');
		len = equals ? (size_t)(equals - word) - 2 : strlen(word) - 2;
		own = find_own(p->usage->own, word + 2, len);
		option = own ? NULL : find(word + 2, len);
	}
	if (!own && !option)
		return fail(f, -EINVAL, "there is no option '%s'", word);
	p->help = p->help || (option && option->kind == HELP);
	err = take_value(p, equals ? equals + 1 : NULL, own ? own->arg : option->arg, &value, f);
	if (!err && own)
		*own->value = value;
	else if (!err)
		err = apply(p->o, option, value, f);
	return err ? fail_in(f, err, "%s", word) : 0;
}

static int parse_words(struct parser *p, struct fail *f)
{
	struct options *o = p->o;
	bool options_ended = false;
	int err;

	for (p->at = 1; p->at < p->argc && !p->help; p->at++) {
		char *word = p->argv[p->at];

		if (!options_ended && !strcmp(word, "--")) {
			options_ended = true;
		} else if (!options_ended && word[0] == '-' && word[1]) {
			err = parse_option(p, f);
			if (err)
				return err;
		} else if (o->n_rest == p->usage->max_rest) {
			return fail(f, -EINVAL, "'%s' is one argument too many", word);
		} else {
			o->rest[o->n_rest++] = word;
		}
	}
	return 0;
}

static bool is_set(const struct options *o, const struct option *option)
{
	switch (option->kind) {
	case STRING:
		return *(const char *const *)((const char *)o + option->at);
	case NUMBER:
		return *(const uint32_t *)((const char *)o + option->at);
	case TREE:
		return o->trees;
	case URL:
		return o->urls;
	default:
		return true;
	}
}

static int read_environment(struct options *o, struct fail *f)
{
	size_t i;
	int err;

	for (i = 0; i < N_TABLE; i++) {
		const struct option *option = &table[i];
		const char *value = option->env ? getenv(option->env) : NULL;

		if (!value || !*value || is_set(o, option))
			continue;
		if (option->kind == TREE || option->kind == URL)
			err = append_words(o, option, value, f);
		else
			err = apply(o, option, value, f);
		if (err)
			return fail_in(f, err, "%s", option->env);
	}
	return 0;
}

/* Reads the objects that --object named: after the whole line was understood. */
static int read_objects(struct options *o, struct fail *f)
{
	const char **paths = o->object_paths;
	size_t i;
	int err = 0;

	o->object_paths = NULL;
	for (i = 0; paths && paths[i] && !err; i++)
		err = options_add_object(o, paths[i], f);
	free(paths);
	return err;
}

static void print_log(void *ctx, enum btfdepot_log_level level, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int parse(struct options *o, struct parser *p, struct fail *f)
{
	int err;

	o->rest = calloc(p->argc + 1, sizeof(*o->rest));
	if (!o->rest)
		return fail(f, -ENOMEM, "no memory");
	err = parse_words(p, f);
	if (!err && !p->help)
		err = read_environment(o, f);
	if (err)
		return err;
	o->depot.trees = o->trees;
	o->depot.bundle_files = o->bundles;
	o->depot.urls = o->urls;
	if (o->verbose)
		o->depot.log = print_log;
	return 0;
}

int options_read(struct options *o, int argc, char **argv, const struct options_usage *usage)
{
	struct parser p = { .o = o, .usage = usage, .argv = argv, .argc = argc };
	struct fail f = { "" };

	memset(o, 0, sizeof(*o));
	o->depot.sz = sizeof(o->depot);
	if (parse(o, &p, &f)) {
		fprintf(stderr, "btf-agent %s: %s; try --help\n", argv[0], f.text);
		options_free(o);
		return OPTIONS_EXIT_USAGE;
	}
	if (p.help) {
		print_help(usage);
		options_free(o);
		return OPTIONS_EXIT_OK;
	}
	if (read_objects(o, &f)) {
		fprintf(stderr, "btf-agent %s: %s\n", argv[0], f.text);
		options_free(o);
		return OPTIONS_EXIT_FAILED;
	}
	return -1;
}

void options_free(struct options *o)
{
	size_t i;

	for (i = 0; i < o->n_objects; i++)
		free((void *)o->objects[i].data);
	free(o->objects);
	free(o->object_paths);
	free(o->trees);
	free(o->bundles);
	free(o->urls);
	free(o->words[0]);
	free(o->words[1]);
	free(o->rest);
	memset(o, 0, sizeof(*o));
}

enum options_exit options_exit_code(int err)
{
	switch (err) {
	case 0:
		return OPTIONS_EXIT_OK;
	case -ENOENT:
		return OPTIONS_EXIT_NONE;
	case -EBADMSG:
		return OPTIONS_EXIT_REFUSED;
	case -ETIMEDOUT:
	case -ECONNREFUSED:
		return OPTIONS_EXIT_UNREACHABLE;
	default:
		return OPTIONS_EXIT_FAILED;
	}
}

/* Bytes of the UTF-8 sequence at s (RFC 3629); 0: it is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t i, n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : 4;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++)
		if (s[i] >> 6 != 2)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void options_print_json_string(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	putchar('"');
	while (*p) {
		size_t n = utf8_length(p);

		if (!n)
			printf("\\ufffd");
		else if (*p == '"' || *p == '\\')
			printf("\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			printf("\\u%04x", *p);
		else
			fwrite(p, 1, n, stdout);
		p += n ? n : 1;
	}
	putchar('"');
}
