// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "routes.h"
#include "btfs/digest.h"
#include "btfs/layout.h"
#include "metrics.h"
#include "request.h"
#include "tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct answer *answer, unsigned int status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void refuse(struct answer *answer, unsigned int status, const char *fmt, ...)
{
	va_list args;

	answer->status = status;
	va_start(args, fmt);
	vsnprintf(answer->why.text, sizeof(answer->why.text), fmt, args);
	va_end(args);
}

/* A path of the tree cut into what the layout knows and what stands around it. */
struct place {
	struct kernel kernel;
	enum layout_kind kind;
	char min[sizeof("min/") + DIGEST_HEX_SIZE]; /* "min/<need>/" or "" */
	const char *suffix;			    /* ".minisig" or "" */
};

/* Bytes of "min/<need>/" at the start of path, or 0. */
static size_t min_length(const char *path)
{
	char need[DIGEST_HEX_SIZE];

	if (strncmp(path, "min/", 4) != 0 || strcspn(path + 4, "/") != sizeof(need) - 1 ||
	    path[4 + sizeof(need) - 1] != '/')
		return 0;
	memcpy(need, path + 4, sizeof(need) - 1);
	need[sizeof(need) - 1] = '\0';
	return digest_is_hex(need) ? 4 + sizeof(need) : 0;
}

static int parse_place(const char *path, struct place *ret_place)
{
	static const char signature[] = ".minisig";
	struct place place = { .suffix = "" };
	char bare[TREE_MAX_PATH];
	size_t skip = min_length(path), n = strlen(path), tail = sizeof(signature) - 1;

	if (n - skip >= sizeof(bare))
		return 0;
	memcpy(place.min, path, skip);
	n -= skip;
	memcpy(bare, path + skip, n + 1);
	if (n > tail && strcmp(bare + n - tail, signature) == 0) {
		bare[n - tail] = '\0';
		place.suffix = signature;
	}
	if (layout_parse(bare, &place.kernel, &place.kind, NULL))
		return 0;
	*ret_place = place;
	return 1;
}

/*
 * The names that existing archives and clients use for one distro version (bullseye for debian 11,
 * aarch64 folders ...). Not for a second build of a release, "<release>@<build-id>.btf": under an
 * alias without the build-id lies another kernel.
 */
static const struct tree_file *find_alias(const struct tree *tree, const char *path)
{
	const struct tree_file *file = NULL;
	char alias[LAYOUT_PATH_SIZE], whole[LAYOUT_PATH_SIZE + 128];
	struct place place;
	size_t i;

	if (!parse_place(path, &place) || place.kernel.build_id[0])
		return NULL;
	for (i = 0; !file && layout_alias(&place.kernel, place.kind, i, alias, NULL) == 0; i++) {
		snprintf(whole, sizeof(whole), "%s%s%s", place.min, alias, place.suffix);
		file = tree_find(tree, whole);
	}
	return file;
}

static int has_own_btf(const struct tree *tree, const char *path)
{
	char marker[LAYOUT_PATH_SIZE];
	struct place place;
	size_t i;

	if (!parse_place(path, &place))
		return 0;
	for (i = 0; layout_alias(&place.kernel, LAYOUT_HASBTF, i, marker, NULL) == 0; i++)
		if (tree_find(tree, marker))
			return 1;
	return 0;
}

static void answer_file(const struct site *site, const char *path, struct answer *answer)
{
	answer->file = tree_find(site->tree, path);
	if (!answer->file)
		answer->file = find_alias(site->tree, path);
	if (answer->file)
		answer->status = 200;
	else if (has_own_btf(site->tree, path))
		refuse(answer, 410,
		       "this kernel ships its own BTF; use its /sys/kernel/btf/vmlinux");
	else
		refuse(answer, 404,
		       "nothing is served under this path; /index.tsv lists the "
		       "kernels, /min/<need>/index.tsv those of a need");
}

static void answer_text(struct answer *answer, char *text, size_t size, const char *type)
{
	if (!text) {
		refuse(answer, 500, "out of memory; try again later");
		return;
	}
	answer->status = 200;
	answer->text = text;
	answer->text_size = size;
	answer->type = type;
}

static void answer_health(const struct site *site, const char *path, struct answer *answer)
{
	answer_text(answer, strdup("ok\n"), 3, "text/plain; charset=utf-8");
}

static void answer_metrics(const struct site *site, const char *path, struct answer *answer)
{
	size_t size = 0;
	char *text = metrics_text(site->metrics, &size);

	answer_text(answer, text, size, "text/plain; version=0.0.4; charset=utf-8");
}

enum match { EXACTLY, BELOW };

/* The first that fits counts. What follows the prefix is given to answer() after the place. */
static const struct route {
	const char *name; /* in metrics */
	const char *prefix;
	enum match match;
	const char *place; /* of the tree */
	void (*answer)(const struct site *site, const char *path, struct answer *answer);
} routes[] = {
	[ROUTES_NONE] = { "none", NULL, EXACTLY, NULL, NULL },
	{ "healthz", "healthz", EXACTLY, "", answer_health },
	{ "metrics", "metrics", EXACTLY, "", answer_metrics },
	{ "min", "min/", BELOW, "min/", answer_file },
	{ "v1-min", "v1/min/", BELOW, "min/", answer_file },
	{ "btfhub", "aquasecurity/btfhub-archive/raw/main/", BELOW, "", answer_file },
	{ "btfs", "btfs/", BELOW, "", answer_file },
	{ "tree", "", BELOW, "", answer_file },
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

static int route_fits(const struct route *route, const char *path)
{
	if (!route->answer)
		return 0;
	if (route->match == EXACTLY)
		return strcmp(path, route->prefix) == 0;
	return strncmp(path, route->prefix, strlen(route->prefix)) == 0;
}

size_t routes_count(void)
{
	return N_ROUTES;
}

const char *routes_name(size_t route)
{
	return routes[route].name;
}

void routes_answer(const struct site *site, const char *method, const char *target,
		   struct answer *ret_answer)
{
	char path[REQUEST_MAX_TARGET + 1], whole[REQUEST_MAX_TARGET + sizeof("min/")];
	const struct route *route;
	struct answer answer = { 0 };
	size_t i = 0;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
		refuse(&answer, 405, "this is read-only; use GET or HEAD");
	} else if (request_path(target, path, &answer.why)) {
		answer.status = 400;
	} else {
		while (!route_fits(&routes[i], path))
			i++;
		route = &routes[i];
		answer.route = i;
		snprintf(whole, sizeof(whole), "%s%s", route->place, path + strlen(route->prefix));
		route->answer(site, whole, &answer);
	}
	*ret_answer = answer;
}

void answer_free(struct answer *answer)
{
	if (answer)
		free(answer->text);
}
