// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "yumindex.h"

#include "btfs/fail.h"
#include "repo.h"
#include "unpack.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32
#define PIECE	  (1u << 20) /* bytes that expat gets at once */

/* What both files' parsers keep: the text of the element that is open. */
struct xml {
	XML_Parser parser;
	char text[KERNEL_FIELD_SIZE];
	size_t n;
	unsigned depth;
	const char *arch; /* wanted */
	struct repo_packages *packages;
	struct repo_package package; /* of primary.xml, the one that is open */
	char path[REPO_MAX_PATH], type[32];
	bool primary; /* of repomd.xml, inside of what is looked for */
	char found[REPO_MAX_PATH], sha256[DIGEST_HEX_SIZE];
	struct fail *f;
	int err;
};

static void stop(struct xml *x, int err)
{
	x->err = err;
	XML_StopParser(x->parser, XML_FALSE);
}

/* No index has one, and entities are what it could be for. */
static void on_doctype(void *ctx, const char *name, const char *sysid, const char *pubid, int has)
{
	stop(ctx, fail(((struct xml *)ctx)->f, -EBADMSG, "it has a document type"));
}

static void on_text(void *ctx, const char *s, int len)
{
	struct xml *x = ctx;

	if (len > 0 && (size_t)len < sizeof(x->text) - x->n) {
		memcpy(x->text + x->n, s, len);
		x->n += len;
	} else {
		x->n = sizeof(x->text) - 1; /* too long for what is asked for */
	}
	x->text[x->n] = '\0';
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1];
	return "";
}

static void set(char *ret_field, size_t size, const char *value)
{
	ret_field[0] = '\0';
	if (strlen(value) < size)
		memcpy(ret_field, value, strlen(value) + 1);
}

#define SET(field, value) set(field, sizeof(field), value)

/* Elements of both files that a value stands in. */
static void on_start(void *ctx, const char *name, const char **attributes)
{
	struct xml *x = ctx;

	x->n = 0;
	x->text[0] = '\0';
	if (++x->depth > MAX_DEPTH) {
		stop(x, fail(x->f, -EBADMSG, "elements nest more than %d deep", MAX_DEPTH));
	} else if (!strcmp(name, "package")) {
		x->package = (struct repo_package){ .path = NULL };
		x->path[0] = '\0';
	} else if (!strcmp(name, "data")) {
		x->primary = !strcmp(attribute(attributes, "type"), "primary");
		x->path[0] = '\0';
	} else if (!strcmp(name, "location")) {
		SET(x->path, attribute(attributes, "href"));
	} else if (!strcmp(name, "checksum")) {
		SET(x->type, attribute(attributes, "type"));
	} else if (!strcmp(name, "size")) {
		x->package.size = strtoull(attribute(attributes, "package"), NULL, 10);
	} else if (!strcmp(name, "version")) {
		snprintf(x->package.version, sizeof(x->package.version), "%.60s-%.60s",
			 attribute(attributes, "ver"), attribute(attributes, "rel"));
	}
}

/* Names of packages with kernels, and what the kernel's release has behind their version. */
static const struct {
	const char *name;
	bool debug;
	const char *flavour; /* NULL: the architecture; SUSE's has no build counter before it */
} names[] = {
	{ "kernel", false, NULL },
	{ "kernel-core", false, NULL },
	{ "kernel-debuginfo", true, NULL },
	{ "kernel-uek", false, NULL },
	{ "kernel-uek-core", false, NULL },
	{ "kernel-uek-debuginfo", true, NULL },
	{ "kernel-rt", false, NULL },
	{ "kernel-rt-core", false, NULL },
	{ "kernel-rt-debuginfo", true, NULL },
	{ "kernel-default", false, "default" },
	{ "kernel-default-debuginfo", true, "default" },
	{ "kernel-azure", false, "azure" },
	{ "kernel-azure-debuginfo", true, "azure" },
};

static void set_release(struct repo_package *p)
{
	size_t i, end = strlen(p->version);

	for (i = 0; i < sizeof(names) / sizeof(*names) && strcmp(p->name, names[i].name); i++)
		;
	if (i == sizeof(names) / sizeof(*names))
		return;
	p->debug = names[i].debug;
	if (!names[i].flavour) {
		snprintf(p->release, sizeof(p->release), "%.100s.%.20s", p->version, p->arch);
		return;
	}
	while (end > 0 && p->version[end - 1] != '.' && p->version[end - 1] != '-')
		end--;
	if (end > 0 && p->version[end - 1] == '.')
		snprintf(p->release, sizeof(p->release), "%.*s-%s", (int)(end - 1), p->version,
			 names[i].flavour);
}

static void end_package(struct xml *x)
{
	const char *arch = kernel_arch(x->package.arch);
	int err;

	set_release(&x->package);
	x->package.path = x->path;
	if (!arch || strcmp(arch, x->arch))
		return;
	err = repo_add(x->packages, &x->package, x->f);
	if (err)
		stop(x, err);
}

static void on_end(void *ctx, const char *name)
{
	struct xml *x = ctx;

	x->depth--;
	if (!strcmp(name, "name"))
		SET(x->package.name, x->text);
	else if (!strcmp(name, "arch"))
		SET(x->package.arch, x->text);
	else if (!strcmp(name, "checksum") && !strcmp(x->type, "sha256"))
		SET(x->package.sha256, x->text);
	else if (!strcmp(name, "package"))
		end_package(x);
	else if (!strcmp(name, "data") && x->primary) {
		SET(x->found, x->path);
		SET(x->sha256, x->package.sha256);
		x->primary = false;
	}
	x->n = 0;
	x->text[0] = '\0';
}

static int parse(struct xml *x, const char *text, size_t size)
{
	enum XML_Status status = XML_STATUS_OK;
	size_t n;

	x->parser = XML_ParserCreate(NULL);
	if (!x->parser)
		return fail(x->f, -ENOMEM, "no memory");
	XML_SetUserData(x->parser, x);
	XML_SetElementHandler(x->parser, on_start, on_end);
	XML_SetCharacterDataHandler(x->parser, on_text);
	XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
	do {
		n = size < PIECE ? size : PIECE;
		size -= n;
		status = XML_Parse(x->parser, text, (int)n, size == 0);
		text += n;
	} while (status == XML_STATUS_OK && size > 0);
	if (status != XML_STATUS_OK && !x->err)
		x->err = fail(x->f, -EBADMSG, "line %lu: %s",
			      (unsigned long)XML_GetCurrentLineNumber(x->parser),
			      XML_ErrorString(XML_GetErrorCode(x->parser)));
	XML_ParserFree(x->parser);
	return x->err;
}

int yumindex_parse(const char *text, size_t size, const char *arch, struct repo_packages *packages,
		   struct fail *f)
{
	struct xml x = { .arch = arch, .packages = packages, .f = f };

	return parse(&x, text, size);
}

static int find_primary(struct repo *repo, struct xml *x, struct fail *f)
{
	static const char path[] = "repodata/repomd.xml";
	struct mapping file = MAPPING_NONE;
	int err;

	err = repo_get(repo, path, REPO_MAX_INDEX, NULL, &file, f);
	if (err)
		return err;
	err = parse(x, (const char *)file.data, file.size);
	if (!err && (!*x->found || !digest_is_hex(x->sha256)))
		err = fail(f, -EBADMSG, "it names no primary.xml with a sha256");
	if (err)
		fail_in(f, err, "%s/%s", repo->base, path);
	mapping_close(&file);
	return err;
}

int yumindex_read(struct repo *repo, const char *arch, struct repo_packages *ret_packages,
		  struct fail *f)
{
	struct repo_packages packages = { .list = NULL };
	struct mapping file = MAPPING_NONE, text = MAPPING_NONE;
	struct xml x = { .arch = "", .packages = &packages, .f = f };
	const struct mapping *m = &file;
	int err;

	err = find_primary(repo, &x, f);
	if (!err)
		err = repo_get(repo, x.found, REPO_MAX_INDEX, x.sha256, &file, f);
	if (!err && unpack_knows(file.data, file.size)) {
		err = unpack(file.data, file.size, &text, f);
		m = &text;
	}
	if (!err)
		err = yumindex_parse((const char *)m->data, m->size, arch, &packages, f);
	if (err && *x.found)
		fail_in(f, err, "%s", x.found);
	mapping_close(&text);
	mapping_close(&file);
	if (err)
		repo_packages_free(&packages);
	else
		*ret_packages = packages;
	return err;
}
