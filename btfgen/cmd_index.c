// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "bulk.h"
#include "cmd.h"
#include "shelf.h"
#include "tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The need is read from its own text, which must be what its folder says. */
static int read_need(const char *root, const char *id, struct need **ret_need, struct fail *f)
{
	struct text path = { 0 };
	char *data = NULL;
	size_t size;
	int err;

	text_add(&path, "%s/min/%s/need.txt", root, id);
	err = path.failed ? fail(f, -ENOMEM, "no memory")
			  : hostfile_read(NULL, path.p, NEED_MAX_TEXT, &data, &size, f);
	if (!err)
		err = need_parse(data, size, ret_need, f);
	if (!err && strcmp(need_id(*ret_need), id)) {
		need_free(*ret_need);
		*ret_need = NULL;
		err = fail(f, -EBADMSG, "%s: its text is not that of the need it lies under",
			   path.p);
	}
	free(data);
	text_free(&path);
	return err;
}

static int index_need(const struct tree_place *place, const char *id, struct fail *f)
{
	struct need *need = NULL;
	struct tree *tree = NULL;
	int err;

	err = read_need(place->root, id, &need, f);
	if (!err)
		err = tree_open(place, need, NULL, &tree, f);
	if (!err)
		err = tree_index(tree, f);
	tree_close(tree);
	need_free(need);
	return err;
}

int cmd_index(const struct options *o, char **args, int n)
{
	struct tree_place place = { .root = args[0] };
	struct shelf_needs needs = { 0 };
	struct fail f = { .text = "" };
	int err, status = EXIT_DONE;

	(void)o;
	if (n > 1)
		return misuse("index wants one TREE");
	err = shelf_needs(place.root, &needs, &f);
	if (!err)
		err = bulk_new(place.root, &place.bulk, &f);
	/* a need that is damaged does not keep the others from being found */
	for (size_t i = 0; !err && i < needs.n; i++)
		if (index_need(&place, needs.ids[i], &f))
			status = complain(&f);
	if (!err)
		err = tree_index_archive(place.root, &f);
	bulk_free(place.bulk);
	shelf_needs_free(&needs);
	return err ? complain(&f) : finish(status);
}
