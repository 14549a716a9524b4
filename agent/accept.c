// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "accept.h"
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "btfs/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct machine {
	const char *arch;
	bool big_endian;
	uint32_t ptr_size;
} machines[] = {
	{ "x86_64", false, 8 },	 { "arm64", false, 8 },	   { "i386", false, 4 },
	{ "armhf", false, 4 },	 { "armel", false, 4 },	   { "ppc64el", false, 8 },
	{ "ppc64", true, 8 },	 { "s390x", true, 8 },	   { "mips", true, 4 },
	{ "mipsel", false, 4 },	 { "mips64el", false, 8 }, { "riscv64", false, 8 },
	{ "loong64", false, 8 },
};

static struct machine machine_of(const char *arch)
{
	struct machine own = { "this machine", __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, 0 };
	size_t i;

	for (i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		if (!strcmp(arch, machines[i].arch))
			return machines[i];
	return own;
}

static int check_machine(const struct view *view, const char *arch, struct fail *f)
{
	static const char *const order[] = { "little-endian", "big-endian" };
	struct machine m = machine_of(arch);

	if (view->n_types <= 1)
		return fail(f, -EBADMSG, "is a BTF without any type");
	if (view->big_endian != m.big_endian)
		return fail(f, -EBADMSG, "is %s, %s is %s: it is for another architecture",
			    order[view->big_endian], m.arch, order[m.big_endian]);
	if (view->ptr_size && m.ptr_size && view->ptr_size != m.ptr_size)
		return fail(f, -EBADMSG,
			    "has pointers of %u bytes, %s has %u: it is for another architecture",
			    view->ptr_size, m.arch, m.ptr_size);
	return 0;
}

/* A captive portal or a proxy answers 200 with a page of its own. */
static int check_not_a_page(const void *data, size_t size, struct fail *f)
{
	const char *p = data, *end = p + size;

	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	if (p == end)
		return fail(f, -EBADMSG, size ? "is blank" : "is empty");
	if (*p == '<')
		return fail(f, -EBADMSG,
			    "is a web page, not BTF: a login page or a proxy may stand in between");
	return 0;
}

int accept_btf(const void *data, size_t size, const char *arch, struct fail *f)
{
	struct view *view;
	int err;

	err = check_not_a_page(data, size, f);
	if (err)
		return err;
	err = view_open(data, size, NULL, &view, f);
	if (err)
		return err;
	err = check_machine(view, arch, f);
	view_close(view);
	return err;
}

int accept_packed(const struct accept_packed *packed, void **ret_btf, size_t *ret_size,
		  struct fail *f)
{
	struct archive archive = { 0 };
	int err;

	err = check_not_a_page(packed->data, packed->size, f);
	if (err)
		return err;
	err = archive_read_memory(packed->data, packed->size, "content", &archive, f);
	if (err)
		return err == -ENOENT ? -EBADMSG : err;
	if (archive.btf.size > packed->max_bytes)
		err = fail(f, -E2BIG, "unpacks to %zu bytes, the limit is %zu", archive.btf.size,
			   packed->max_bytes);
	if (!err)
		err = accept_btf(archive.btf.data, archive.btf.size, packed->arch, f);
	if (!err) {
		*ret_btf = archive.btf.data;
		*ret_size = archive.btf.size;
		archive.btf.data = NULL;
	}
	archive_free(&archive);
	return err;
}
