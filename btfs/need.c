// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "need.h"

#include "elf.h"
#include "fail.h"
#include "kernel.h"
#include "object.h"
#include "record.h"
#include "reloc.h"
#include "text.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "btfdepot-need 1\n"

struct need {
	struct text lines; /* as they come; sorted and unique once finished, after HEADER */
	struct reloc *relocs;
	size_t n_relocs;
	char id[DIGEST_HEX_SIZE]; /* "" until finished */
};

struct line {
	const char *p;
	size_t size; /* with its newline */
};

struct need *need_new(void)
{
	return calloc(1, sizeof(struct need));
}

void need_free(struct need *need)
{
	if (!need)
		return;
	for (size_t i = 0; i < need->n_relocs; i++)
		reloc_free(&need->relocs[i]);
	free(need->relocs);
	text_free(&need->lines);
	free(need);
}

/* Compilers repeat a relocation for each access to a field: most records are soon known. */
struct seen {
	struct object_record *slots;
	size_t n_slots; /* a power of two, more than there are records */
};

static bool seen_before(struct seen *seen, const struct object_record *r)
{
	uint64_t hash =
		(uintptr_t)r->access * 0x9e3779b97f4a7c15u + r->type_id * 0x85ebca6bu + r->kind;

	for (size_t i = hash ^ hash >> 32;; i++) {
		struct object_record *slot = &seen->slots[i & (seen->n_slots - 1)];

		if (!slot->access) {
			*slot = *r;
			return false;
		}
		if (slot->access == r->access && slot->type_id == r->type_id &&
		    slot->kind == r->kind)
			return true;
	}
}

static int add_record(struct text *lines, const struct object *o, const struct object_record *r,
		      struct fail *f)
{
	struct reloc reloc;
	int err;

	err = record_to_reloc(o->view, r, &reloc, f);
	if (err)
		return err;
	/* the object's own ids are no kernel's business */
	if (r->kind != BPF_CORE_TYPE_ID_LOCAL)
		reloc_format(&reloc, lines);
	reloc_free(&reloc);
	if (lines->failed)
		return fail(f, -ENOMEM, "no memory");
	if (lines->size > NEED_MAX_TEXT)
		return fail(f, -E2BIG, "its relocations take more than %u bytes", NEED_MAX_TEXT);
	return 0;
}

static int add_records(struct text *lines, const struct object *o, struct fail *f)
{
	struct seen seen = { .n_slots = 16 };
	int err = 0;

	while (seen.n_slots < 2 * o->n_records)
		seen.n_slots *= 2;
	seen.slots = calloc(seen.n_slots, sizeof(*seen.slots));
	if (!seen.slots)
		return fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; !err && i < o->n_records; i++)
		if (!seen_before(&seen, &o->records[i]))
			err = add_record(lines, o, &o->records[i], f);
	free(seen.slots);
	return err;
}

static int add_elf(struct text *lines, const struct elf *elf, size_t *ret_n, struct fail *f)
{
	struct object o = { 0 };
	int err;

	err = object_open(elf, &o, f);
	if (err)
		return err;
	err = add_records(lines, &o, f);
	if (!err)
		*ret_n += o.n_records;
	object_close(&o);
	return err;
}

int need_add_object(struct need *need, const void *data, size_t size, const char *name,
		    struct fail *f)
{
	size_t before = need->lines.size, pos = 0, objects = 0, n = 0;
	struct elf elf;
	int err = 0;

	if (size > NEED_MAX_OBJECT)
		return fail(f, -E2BIG, "%s: has %zu bytes, the limit is %u", name, size,
			    NEED_MAX_OBJECT);
	while (!err && !elf_next_object(data, size, &pos, &elf)) {
		if (++objects > ELF_MAX_OBJECTS)
			err = fail(f, -E2BIG, "has more than %u BPF objects", ELF_MAX_OBJECTS);
		else
			err = add_elf(&need->lines, &elf, &n, f);
	}
	if (!err && !objects)
		err = fail(f, -ENOENT, "no BPF object in it");
	if (err) {
		need->lines.size = before;
		return fail_in(f, err, "%s", name);
	}
	return n;
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): split_lines has filled all */
	int order = memcmp(x->p, y->p, x->size < y->size ? x->size : y->size);

	return order ? order : (x->size > y->size) - (x->size < y->size);
}

static size_t split_lines(const char *p, size_t size, struct line *ret_lines)
{
	size_t n = 0;

	if (!size) /* p may be NULL then */
		return 0;
	for (const char *end = p + size; p < end; n++) {
		const char *newline = memchr(p, '\n', end - p);
		size_t len = newline ? (size_t)(newline - p) + 1 : (size_t)(end - p);

		if (ret_lines)
			ret_lines[n] = (struct line){ p, len };
		p += len;
	}
	return n;
}

static int parse_lines(struct need *need, const struct line *lines, size_t n, struct fail *f)
{
	if (n > NEED_MAX_RELOCS)
		return fail(f, -E2BIG, "need has %zu relocations, the limit is %u", n,
			    NEED_MAX_RELOCS);
	need->relocs = calloc(n + 1, sizeof(*need->relocs));
	if (!need->relocs)
		return fail(f, -ENOMEM, "no memory");
	for (size_t i = 0; i < n; i++) {
		int err;

		if (i && compare_lines(&lines[i - 1], &lines[i]) >= 0)
			return fail(f, -EBADMSG, "need: line %zu is not in its place", i + 2);
		err = reloc_parse(lines[i].p, lines[i].size - 1, &need->relocs[i], f);
		if (err)
			return fail_in(f, err, "need: line %zu", i + 2);
		need->n_relocs++;
	}
	return 0;
}

int need_finish(struct need *need, struct fail *f)
{
	size_t n = split_lines(need->lines.p, need->lines.size, NULL), kept = 0;
	struct line *lines = calloc(n + 1, sizeof(*lines));
	struct text sorted = { 0 };
	int err = -ENOMEM;

	if (!lines)
		return fail(f, err, "no memory");
	split_lines(need->lines.p, need->lines.size, lines);
	qsort(lines, n, sizeof(*lines), compare_lines);
	text_add(&sorted, HEADER);
	for (size_t i = 0; i < n; i++) {
		if (kept && !compare_lines(&lines[kept - 1], &lines[i]))
			continue;
		text_bytes(&sorted, lines[i].p, lines[i].size);
		lines[kept++] = lines[i];
	}
	if (sorted.failed)
		fail(f, err, "no memory");
	else
		err = parse_lines(need, lines, kept, f);
	free(lines);
	text_free(&need->lines);
	need->lines = sorted;
	if (!err)
		digest_hex(sorted.p, sorted.size, need->id);
	return err;
}

static int parse_text(struct need *need, const char *text, size_t size, struct fail *f)
{
	size_t skip = strlen(HEADER), n;
	struct line *lines;
	int err;

	if (size > NEED_MAX_TEXT)
		return fail(f, -E2BIG, "need has %zu bytes, the limit is %u", size, NEED_MAX_TEXT);
	if (size < skip || memcmp(text, HEADER, skip))
		return fail(f, -EBADMSG, "not a need: it does not start with \"btfdepot-need 1\"");
	if (text[size - 1] != '\n')
		return fail(f, -EBADMSG, "need is cut off: its last line has no end");
	n = split_lines(text + skip, size - skip, NULL);
	lines = calloc(n + 1, sizeof(*lines));
	if (!lines)
		return fail(f, -ENOMEM, "no memory");
	split_lines(text + skip, size - skip, lines);
	err = parse_lines(need, lines, n, f);
	free(lines);
	if (err)
		return err;
	text_bytes(&need->lines, text, size);
	if (need->lines.failed)
		return fail(f, -ENOMEM, "no memory");
	digest_hex(text, size, need->id);
	return 0;
}

int need_parse(const char *text, size_t size, struct need **ret_need, struct fail *f)
{
	struct need *need = need_new();
	int err;

	if (!need)
		return fail(f, -ENOMEM, "no memory");
	err = parse_text(need, text, size, f);
	if (err)
		need_free(need);
	else
		*ret_need = need;
	return err;
}

const char *need_text(const struct need *need, size_t *ret_size)
{
	*ret_size = need->lines.size;
	return need->lines.p;
}

const char *need_id(const struct need *need)
{
	return need->id;
}

size_t need_count(const struct need *need)
{
	return need->n_relocs;
}

const struct reloc *need_reloc(const struct need *need, size_t i)
{
	return &need->relocs[i];
}

const char *need_arch_of(const char *file_name)
{
	static const char suffix[] = ".bpf.o";
	char arch[KERNEL_FIELD_SIZE];
	size_t len = strlen(file_name), end;

	if (len <= strlen(suffix) || strcmp(file_name + len - strlen(suffix), suffix))
		return NULL;
	end = len - strlen(suffix);
	for (size_t start = end; start-- > 0;) {
		if (file_name[start] == '/')
			return NULL;
		if (file_name[start] != '.')
			continue;
		if (end - start - 1 >= sizeof(arch))
			return NULL;
		memcpy(arch, file_name + start + 1, end - start - 1);
		arch[end - start - 1] = '\0';
		return kernel_arch(arch);
	}
	return NULL;
}
