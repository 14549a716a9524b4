// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "bulk.h"

#include "btfs/digest.h"
#include "btfs/fail.h"
#include "btfs/hostfile.h"
#include "btfs/publish.h"
#include "btfs/text.h"
#include "btfs/view.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE   0644
#define FOLDER_MODE 0755
#define SLOTS	    4096 /* of known contents; one that is pushed out costs a second copy */

/* A file that waits: a temporary file to be renamed, or a link to be made. */
struct pending {
	char *path;
	char *tmp; /* NULL: link to twin */
	char *twin;
};

/* Where a content stands, or will stand once what waits is flushed. */
struct known {
	char digest[DIGEST_HEX_SIZE];
	char *path;
};

struct bulk {
	int root;
	pthread_mutex_t lock; /* of all below */
	struct pending *pending;
	size_t n;
	struct known *known;
};

int bulk_new(const char *root, struct bulk **ret_bulk, struct fail *f)
{
	struct bulk *b = calloc(1, sizeof(*b));
	struct text inside = { 0 };
	int err = 0;

	if (b) {
		b->root = -1;
		pthread_mutex_init(&b->lock, NULL);
		b->pending = calloc(BULK_MAX_PENDING, sizeof(*b->pending));
		b->known = calloc(SLOTS, sizeof(*b->known));
	}
	text_add(&inside, "%s/.", root);
	if (!b || !b->pending || !b->known || inside.failed)
		err = fail(f, -ENOMEM, "no memory");
	if (!err)
		err = publish_parents(inside.p, FOLDER_MODE, f);
	text_free(&inside);
	if (!err) {
		b->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (b->root < 0)
			err = fail(f, -errno, "cannot open folder %s: %m", root);
	}
	if (err)
		bulk_free(b);
	else
		*ret_bulk = b;
	return err;
}

static void drop(struct pending *p)
{
	free(p->path);
	free(p->tmp);
	free(p->twin);
	*p = (struct pending){ 0 };
}

void bulk_free(struct bulk *bulk)
{
	if (!bulk)
		return;
	for (size_t i = 0; bulk->pending && i < bulk->n; i++) {
		if (bulk->pending[i].tmp)
			unlink(bulk->pending[i].tmp);
		drop(&bulk->pending[i]);
	}
	for (size_t i = 0; bulk->known && i < SLOTS; i++)
		free(bulk->known[i].path);
	free(bulk->pending);
	free(bulk->known);
	if (bulk->root >= 0)
		close(bulk->root);
	pthread_mutex_destroy(&bulk->lock);
	free(bulk);
}

static struct known *slot_of(const struct bulk *b, const char *digest)
{
	char head[9] = { 0 };

	memcpy(head, digest, sizeof(head) - 1);
	return &b->known[strtoul(head, NULL, 16) % SLOTS];
}

static const char *find(const struct bulk *b, const char *digest)
{
	const struct known *k = slot_of(b, digest);

	return k->path && !strcmp(k->digest, digest) ? k->path : NULL;
}

static void know(struct bulk *b, const char *digest, const char *path)
{
	struct known *k = slot_of(b, digest);
	char *copy = strdup(path);

	if (!copy)
		return;
	free(k->path);
	k->path = copy;
	memcpy(k->digest, digest, sizeof(k->digest));
}

/* Whoever replaces a file must not leave its old content known under its name. */
static void forget(struct bulk *b, const char *path)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (b->known[i].path && !strcmp(b->known[i].path, path)) {
			free(b->known[i].path);
			b->known[i].path = NULL;
		}
}

void bulk_know(struct bulk *bulk, const char *digest, const char *path)
{
	pthread_mutex_lock(&bulk->lock);
	if (!find(bulk, digest))
		know(bulk, digest, path);
	pthread_mutex_unlock(&bulk->lock);
}

/* rename(2) of one name of a file onto another does nothing: what is left of tmp goes. */
static int rename_over(const char *tmp, const char *path, struct fail *f)
{
	if (rename(tmp, path) < 0) {
		int err = fail(f, -errno, "cannot rename to %s: %m", path);

		unlink(tmp);
		return err;
	}
	return 0;
}

/* A file system without links, or with too many of one: the content is copied. */
static int copy_twin(const struct pending *p, struct fail *f)
{
	char *data = NULL;
	size_t size;
	int err;

	err = hostfile_read(NULL, p->twin, VIEW_MAX_SIZE, &data, &size, f);
	if (!err)
		err = publish_file(p->path, data, size, FILE_MODE, f);
	free(data);
	return err;
}

static int make_link(const struct pending *p, struct fail *f)
{
	int err;

	if (!link(p->twin, p->path))
		return 0;
	if (errno == EEXIST)
		return publish_link(p->twin, p->path, f);
	err = publish_parents(p->path, FOLDER_MODE, f);
	if (err || !link(p->twin, p->path))
		return err;
	return copy_twin(p, f);
}

static int flush(struct bulk *b, struct fail *f)
{
	int err = 0;

	if (!b->n)
		return 0;
	if (syncfs(b->root) < 0)
		err = fail(f, -errno, "cannot sync the file system: %m");
	for (size_t i = 0; i < b->n; i++) {
		struct pending *p = &b->pending[i];

		if (err && p->tmp)
			unlink(p->tmp);
		else if (!err && p->tmp)
			err = rename_over(p->tmp, p->path, f);
		else if (!err)
			err = make_link(p, f);
		drop(p);
	}
	b->n = 0;
	if (!err && syncfs(b->root) < 0)
		err = fail(f, -errno, "cannot sync the file system: %m");
	return err;
}

int bulk_flush(struct bulk *bulk, struct fail *f)
{
	int err;

	pthread_mutex_lock(&bulk->lock);
	err = flush(bulk, f);
	pthread_mutex_unlock(&bulk->lock);
	return err;
}

/* The folder is made when it turns out to be missing: most stand there. */
static int prepare(const struct bulk_file *file, char **ret_tmp, struct fail *f)
{
	const struct publish_content content = { file->data, file->size, FILE_MODE };
	int err;

	err = publish_prepare(file->path, &content, ret_tmp, f);
	if (err != -ENOENT)
		return err;
	err = publish_parents(file->path, FOLDER_MODE, f);
	return err ? err : publish_prepare(file->path, &content, ret_tmp, f);
}

/* Under the lock. Takes tmp, which may be NULL if the content is known. */
static int add(struct bulk *b, const struct bulk_file *file, char *tmp, struct fail *f)
{
	const char *twin = find(b, file->digest);
	struct pending p = { .path = strdup(file->path) };
	int err = 0;

	if (twin)
		p.twin = strdup(twin);
	if (!p.path || (twin && !p.twin))
		err = fail(f, -ENOMEM, "no memory for a path");
	if (!err && b->n == BULK_MAX_PENDING)
		err = flush(b, f);
	if (tmp && (err || twin)) { /* somebody wrote the same meanwhile */
		unlink(tmp);
		free(tmp);
	} else {
		p.tmp = tmp;
	}
	if (err) {
		drop(&p);
		return err;
	}
	b->pending[b->n++] = p;
	forget(b, file->path);
	if (!twin)
		know(b, file->digest, file->path);
	return 0;
}

int bulk_put(struct bulk *bulk, const struct bulk_file *file, struct fail *f)
{
	char *tmp = NULL;
	bool known;
	int err = 0;

	pthread_mutex_lock(&bulk->lock);
	known = find(bulk, file->digest) != NULL;
	if (known)
		err = add(bulk, file, NULL, f);
	pthread_mutex_unlock(&bulk->lock);
	if (known)
		return err;
	err = prepare(file, &tmp, f);
	if (err)
		return err;
	pthread_mutex_lock(&bulk->lock);
	err = add(bulk, file, tmp, f);
	pthread_mutex_unlock(&bulk->lock);
	return err;
}
