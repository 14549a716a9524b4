// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "census.h"

#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/text.h"

#include <errno.h>
#include <stdlib.h>

struct name {
	const char *p;
	uint8_t kind;
};

static int compare(const void *a, const void *b)
{
	const struct name *x = a, *y = b;
	int order = strcmp(x->p, y->p);

	return order ? order : x->kind - y->kind;
}

static void count_repeated(struct name *names, size_t n, struct census *c)
{
	uint32_t run = 0;

	if (n)
		qsort(names, n, sizeof(*names), compare);
	for (size_t i = 0; i < n; i++) {
		run = i && !compare(&names[i - 1], &names[i]) ? run + 1 : 1;
		c->repeated += run == 2;
		if (run > c->most) {
			c->most = run;
			c->most_name = names[i].p;
		}
	}
}

int census_of(const struct view *view, struct census *ret_census, struct fail *f)
{
	struct census c = { .n_types = view->n_types - view->first_id, .most_name = "" };
	struct name *names = malloc((c.n_types + 1) * sizeof(*names));

	if (!names)
		return fail(f, -ENOMEM, "no memory for %zu names", c.n_types);
	for (uint32_t id = view->first_id; id < view->n_types; id++) {
		struct view_type t = view_type(view, id);

		c.kinds[t.kind]++;
		if (view_is_composite(t.kind) && *view_name(view, t.name_off))
			names[c.named++] = (struct name){ view_name(view, t.name_off), t.kind };
	}
	count_repeated(names, c.named, &c);
	free(names);
	*ret_census = c;
	return 0;
}

/* libbpf's section names: these, then nothing, ".s" (sleepable) or a target; "?" may go before. */
static bool is_native(const char *section)
{
	static const char *const prefixes[] = {
		"fentry", "fexit", "fmod_ret", "tp_btf", "iter", "lsm", "lsm_cgroup", "struct_ops",
	};

	section += *section == '?';
	section += !strncmp(section, ".struct_ops", strlen(".struct_ops"));
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (!strncmp(section, prefixes[i], len) &&
		    (!section[len] || section[len] == '/' || section[len] == '.'))
			return true;
	}
	return false;
}

static void add_symbols(const struct view *v, const struct view_type *section, struct text *t)
{
	for (uint32_t i = 0; i < section->vlen; i++) {
		struct view_type symbol = view_type(v, view_u32(v, section->rest + i * 12u));

		if (symbol.kind == BTF_KIND_FUNC)
			text_add(t, "kernel function %s\n", view_name(v, symbol.name_off));
		else if (symbol.kind == BTF_KIND_VAR && view_skip_modifiers(v, symbol.type))
			text_add(t, "kernel symbol %s\n", view_name(v, symbol.name_off));
	}
}

void census_native(const struct elf *object, struct text *t)
{
	struct view *v = NULL;
	const void *btf;
	size_t size;

	for (uint32_t i = 1; i < object->n_sections; i++) {
		const char *name = elf_section_name(object, i);

		if (name && is_native(name))
			text_add(t, "%s\n", name);
	}
	if (elf_section(object, ".BTF", &btf, &size, NULL) || view_open(btf, size, NULL, &v, NULL))
		return;
	for (uint32_t id = 1; id < v->n_types; id++) {
		struct view_type section = view_type(v, id);

		if (section.kind == BTF_KIND_DATASEC &&
		    !strcmp(view_name(v, section.name_off), ".ksyms"))
			add_symbols(v, &section, t);
	}
	view_close(v);
}
