// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/archive.h"
#include "btfs/bundle.h"
#include "btfs/digest.h"
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/reloc.h"
#include "btfs/text.h"
#include "btfs/view.h"
#include "census.h"
#include "cmd.h"
#include "mapping.h"

#include <elf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

/* One file, and what is said of it: the same facts as text or as JSON. */
struct report {
	struct text t;
	bool json;
	const char *path;
	struct mapping map;
};

static void say_kind(struct report *r, const char *kind)
{
	char digest[DIGEST_HEX_SIZE];

	digest_hex(r->map.data, r->map.size, digest);
	if (r->json) {
		text_add(&r->t, "{\"file\": ");
		text_json(&r->t, r->path);
		text_add(&r->t, ", \"kind\": \"%s\", \"bytes\": %zu, \"sha256\": \"%s\"", kind,
			 r->map.size, digest);
	} else {
		text_add(&r->t, "%s: %s\n  %-19s %zu\n  %-19s %s\n", r->path, kind, "bytes",
			 r->map.size, "sha256", digest);
	}
}

static void say_text(struct report *r, const char *key, const char *value)
{
	if (r->json) {
		text_add(&r->t, ", \"%s\": ", key);
		text_json(&r->t, value);
	} else {
		text_add(&r->t, "  %-19s %s\n", key, value);
	}
}

static void say(struct report *r, const char *key, size_t n)
{
	if (r->json)
		text_add(&r->t, ", \"%s\": %zu", key, n);
	else
		text_add(&r->t, "  %-19s %zu\n", key, n);
}

/* Counts of one thing, those that are not 0: an object in JSON. */
struct counts {
	const char *key;
	bool any;
};

static void say_count(struct report *r, struct counts *c, const char *key, size_t n)
{
	if (!n)
		return;
	if (r->json)
		text_add(&r->t, "%s\"%s\": %zu", c->any ? ", " : "", key, n);
	else
		text_add(&r->t, "    %-17s %zu\n", key, n);
	c->any = true;
}

static void begin_counts(struct report *r, const struct counts *c)
{
	text_add(&r->t, r->json ? ", \"%s\": {" : "  %s\n", c->key);
}

/* Each line of list is one string. */
static void say_list(struct report *r, const char *key, const struct text *list)
{
	const char *p = list->p, *end;
	struct text one = { 0 };

	if (r->json)
		text_add(&r->t, ", \"%s\": [", key);
	for (; p && *p; p = end + 1) {
		end = strchr(p, '\n');
		text_cut(&one, 0);
		text_bytes(&one, p, end - p);
		if (!r->json) {
			text_add(&r->t, "  %-19s %s\n", p == list->p ? key : "", one.p);
			continue;
		}
		text_add(&r->t, p == list->p ? "" : ", ");
		text_json(&r->t, one.p);
	}
	if (r->json)
		text_add(&r->t, "]");
	r->t.failed |= one.failed | list->failed;
	text_free(&one);
}

static void end_counts(struct report *r)
{
	if (r->json)
		text_add(&r->t, "}");
}

static void say_view(struct report *r, const struct view *v, const struct census *c)
{
	struct counts kinds = { .key = "kinds" };

	say_text(r, "byte_order", v->big_endian ? "big-endian" : "little-endian");
	if (v->ptr_size)
		say(r, "pointer_bytes", v->ptr_size);
	else
		say_text(r, "pointer_bytes", "not told");
	say(r, "btf_bytes", v->size);
	say(r, "type_bytes", v->types_len);
	say(r, "string_bytes", v->strs_len);
	say(r, "types", c->n_types);
	begin_counts(r, &kinds);
	for (uint8_t k = 1; k <= VIEW_KIND_MAX; k++)
		say_count(r, &kinds, view_kind_name(k), c->kinds[k]);
	end_counts(r);
	say(r, "named_structs", c->named);
	say(r, "repeated_names", c->repeated);
	say(r, "most_repeated", c->most);
	say_text(r, "most_repeated_name", c->most_name);
}

static int say_btf(struct report *r, struct fail *f)
{
	struct archive archive = { 0 };
	struct view *view = NULL;
	struct census census;
	int err;

	err = archive_read(r->path, &archive, f);
	if (err)
		return err;
	err = view_open(archive.btf.data, archive.btf.size, NULL, &view, f);
	if (!err)
		err = census_of(view, &census, f);
	if (!err) {
		say_kind(r, "BTF");
		if (*archive.btf.name)
			say_text(r, "member", archive.btf.name);
		say(r, "modules", archive.n_modules);
		say_view(r, view, &census);
	}
	view_close(view);
	archive_free(&archive);
	return err;
}

static void say_relocs(struct report *r, const struct need *need)
{
	struct counts counts = { .key = "relocations_of_kind" };
	size_t kinds[BPF_CORE_TYPE_MATCHES + 1] = { 0 };

	for (size_t i = 0; i < need_count(need); i++)
		kinds[need_reloc(need, i)->kind]++;
	say_text(r, "need", need_id(need));
	say(r, "relocations", need_count(need));
	begin_counts(r, &counts);
	for (uint32_t k = 0; k <= BPF_CORE_TYPE_MATCHES; k++)
		if (kinds[k])
			say_count(r, &counts, reloc_kind_name(k), kinds[k]);
	end_counts(r);
	if (kinds[BPF_CORE_TYPE_ID_TARGET])
		say_text(r, "warning",
			 "target_type_id asks for a type's id, which only the kernel's own BTF "
			 "has right");
}

static int say_need(struct report *r, struct fail *f)
{
	struct need *need = NULL;
	int err;

	err = need_parse((const char *)r->map.data, r->map.size, &need, f);
	if (err)
		return err;
	say_kind(r, "need");
	say_relocs(r, need);
	need_free(need);
	return 0;
}

static int say_objects(struct report *r, struct fail *f)
{
	const char *arch = need_arch_of(r->path);
	struct need *need = need_new();
	struct text native = { 0 };
	size_t pos = 0, n = 0;
	struct elf elf;
	int records, err;

	if (!need)
		return fail(f, -ENOMEM, "no memory");
	records = need_add_object(need, r->map.data, r->map.size, r->path, f);
	err = records < 0 ? records : need_finish(need, f);
	if (!err) {
		for (; !elf_next_object(r->map.data, r->map.size, &pos, &elf); n++)
			census_native(&elf, &native);
		say_kind(r, "BPF objects");
		say(r, "objects", n);
		say_text(r, "arch", arch ? arch : "any");
		say(r, "records", records);
		say_relocs(r, need);
		say_list(r, "needs_kernel_btf", &native);
	}
	text_free(&native);
	need_free(need);
	return err;
}

static void say_needs(struct report *r, const struct bundle *b)
{
	char id[DIGEST_HEX_SIZE];
	struct text ids = { 0 };

	for (uint32_t i = 0; i < b->n_needs; i++) {
		bundle_need(b, i, id);
		text_add(&ids, "%s\n", id);
	}
	say_list(r, "needs", &ids);
	text_free(&ids);
}

static int say_bundle(struct report *r, struct fail *f)
{
	struct bundle bundle;
	int err;

	err = bundle_open(r->map.data, r->map.size, &bundle, f);
	if (!err)
		err = bundle_check(&bundle, f);
	if (err)
		return err;
	say_kind(r, "bundle");
	say(r, "kernels", bundle.n_entries);
	say(r, "build_ids", bundle.n_builds);
	say(r, "contents", bundle.n_contents);
	say_needs(r, &bundle);
	return 0;
}

/* A kernel is an ELF file too, and one that has BPF objects in its data is no program. */
static bool has_objects(const struct report *r)
{
	const void *btf;
	struct elf elf, object;
	size_t size, pos = 0;

	if (elf_open(r->map.data, r->map.size, &elf, NULL))
		return false;
	if (elf.machine != EM_BPF && !elf_section(&elf, ".BTF", &btf, &size, NULL))
		return false;
	return !elf_next_object(r->map.data, r->map.size, &pos, &object);
}

static bool starts(const struct report *r, const char *with)
{
	return r->map.size >= strlen(with) && !memcmp(r->map.data, with, strlen(with));
}

static int look_at(struct report *r, struct fail *f)
{
	if (starts(r, "btfdepot-need "))
		return say_need(r, f);
	if (starts(r, "btfdepot-bundle "))
		return say_bundle(r, f);
	return has_objects(r) ? say_objects(r, f) : say_btf(r, f);
}

static int info(const struct options *o, const char *path)
{
	struct report r = { .json = o->json, .path = path, .map = MAPPING_NONE };
	struct fail f = { .text = "" };
	int err;

	err = mapping_open(path, &r.map, &f);
	if (!err)
		err = look_at(&r, &f);
	/* some sentences begin with it */
	if (err && strncmp(f.text, path, strlen(path)) != 0)
		fail_in(&f, err, "%s", path);
	mapping_close(&r.map);
	if (err) {
		text_free(&r.t);
		return complain(&f);
	}
	if (o->json)
		text_add(&r.t, "}\n");
	return print(&r.t);
}

int cmd_info(const struct options *o, char **args, int n)
{
	int status = EXIT_DONE;

	for (int i = 0; i < n; i++)
		if (info(o, args[i]))
			status = EXIT_FAILED;
	return finish(status);
}
