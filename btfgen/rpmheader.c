// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "rpmheader.h"

#include "btfs/fail.h"
#include "package.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LEAD	   96 /* bytes */
#define INTRO	   16 /* bytes before a header's tags */
#define TAG	   16
#define TYPE_STR   6
#define TYPE_I18N  9
#define TAG_NAME   1000
#define TAG_VER	   1001
#define TAG_REL	   1002
#define TAG_VENDOR 1011
#define TAG_ARCH   1022

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

bool rpmheader_is(const void *data, size_t size)
{
	return size >= LEAD && !memcmp(data, "\xed\xab\xee\xdb", 4);
}

struct header {
	const uint8_t *tags;
	uint32_t n_tags, store_size;
	const uint8_t *store; /* behind the tags */
};

static int open_header(const uint8_t *data, size_t size, size_t *pos, struct header *ret,
		       struct fail *f)
{
	const uint8_t *p = data + *pos;
	uint64_t need;

	if (*pos > size || size - *pos < INTRO)
		return fail(f, -EBADMSG, "the rpm is cut short");
	if (memcmp(p, "\x8e\xad\xe8\x01", 4))
		return fail(f, -EBADMSG, "the rpm is damaged: no header where one must be");
	ret->n_tags = be32(p + 8);
	ret->store_size = be32(p + 12);
	if (ret->n_tags > RPMHEADER_MAX_TAGS || ret->store_size > RPMHEADER_MAX_STORE)
		return fail(f, -E2BIG, "the rpm's header has %u tags with %u bytes", ret->n_tags,
			    ret->store_size);
	need = INTRO + (uint64_t)ret->n_tags * TAG + ret->store_size;
	if (need > size - *pos)
		return fail(f, -EBADMSG, "the rpm is cut short");
	ret->tags = p + INTRO;
	ret->store = ret->tags + (size_t)ret->n_tags * TAG;
	*pos += need;
	return 0;
}

/* The tag's (first) string, or "". */
static const char *string_of(const struct header *h, uint32_t tag)
{
	for (uint32_t i = 0; h->tags && i < h->n_tags; i++) {
		const uint8_t *t = h->tags + (size_t)i * TAG;
		uint32_t type = be32(t + 4), at = be32(t + 8);

		if (be32(t) == tag && (type == TYPE_STR || type == TYPE_I18N) &&
		    at < h->store_size && memchr(h->store + at, 0, h->store_size - at))
			return (const char *)h->store + at;
	}
	return "";
}

static void set(char ret_field[PACKAGE_FIELD_SIZE], const char *s)
{
	if (strlen(s) < PACKAGE_FIELD_SIZE)
		memcpy(ret_field, s, strlen(s) + 1);
}

/*
 * The vendor says whose it is, a mark in the release for which version: "862.el7", "300.fc31",
 * "52.amzn2". Only where both are found something is said.
 */
static void set_distro(struct package *p, const char *vendor, const char *release)
{
	static const struct {
		const char *vendor, *distro, *mark;
	} vendors[] = {
		{ "CentOS", "centos", ".el" },	     { "Red Hat", "rhel", ".el" },
		{ "Oracle America", "ol", ".el" },   { "Rocky Enterprise", "rocky", ".el" },
		{ "AlmaLinux", "almalinux", ".el" }, { "Fedora Project", "fedora", ".fc" },
		{ "Amazon", "amzn", ".amzn" },
	};
	const char *mark;
	size_t n;

	for (size_t i = 0; i < sizeof(vendors) / sizeof(*vendors); i++) {
		if (strncmp(vendor, vendors[i].vendor, strlen(vendors[i].vendor)))
			continue;
		mark = strstr(release, vendors[i].mark);
		mark = mark ? mark + strlen(vendors[i].mark) : "";
		for (n = 0; isdigit((unsigned char)mark[n]); n++)
			;
		if (n > 0 && n < 8) {
			set(p->distro, vendors[i].distro);
			memcpy(p->distro_version, mark, n);
		}
		return;
	}
}

int rpmheader_read(const uint8_t *data, size_t size, struct package *ret_package,
		   size_t *ret_payload, struct fail *f)
{
	struct package package = { .name = "" };
	struct header h = { 0 };
	size_t pos = LEAD;
	int err;

	err = open_header(data, size, &pos, &h, f);
	pos += -pos & 7;
	if (!err)
		err = open_header(data, size, &pos, &h, f);
	if (err)
		return err;
	set(package.name, string_of(&h, TAG_NAME));
	set(package.arch, string_of(&h, TAG_ARCH));
	if (snprintf(package.version, sizeof(package.version), "%s-%s", string_of(&h, TAG_VER),
		     string_of(&h, TAG_REL)) >= (int)sizeof(package.version))
		package.version[0] = '\0';
	set_distro(&package, string_of(&h, TAG_VENDOR), string_of(&h, TAG_REL));
	*ret_package = package;
	*ret_payload = pos;
	return 0;
}
