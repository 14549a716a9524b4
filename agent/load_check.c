// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "load_check.h"
#include "btfdepot.h"
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "btfs/view.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#define KERNEL_BTF	   "/sys/kernel/btf/vmlinux"
#define DATASEC_ENTRY_SIZE 12 /* struct btf_var_secinfo: type, offset, size */

static int needs_kernel_btf(const struct bpf_program *program)
{
	switch (bpf_program__type(program)) {
	case BPF_PROG_TYPE_TRACING:
	case BPF_PROG_TYPE_LSM:
	case BPF_PROG_TYPE_EXT:
	case BPF_PROG_TYPE_STRUCT_OPS:
		return 1;
	default:
		return 0;
	}
}

static int check_programs(const struct bpf_object *object, struct fail *f)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_program(program, object) {
		if (bpf_program__autoload(program) && needs_kernel_btf(program))
			return fail(f, -ENOTSUP,
				    "program %s (%s) needs the kernel's own BTF, which is not "
				    "there; no other BTF can stand in for it: use a kprobe or "
				    "tracepoint instead",
				    bpf_program__name(program), bpf_program__section_name(program));
	}
	bpf_object__for_each_map(map, object) {
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			return fail(f, -ENOTSUP,
				    "map %s (struct_ops) needs the kernel's own BTF, which is not "
				    "there; no other BTF can stand in for it",
				    bpf_map__name(map));
	}
	return 0;
}

/* The name of a typed symbol; NULL for one of type void, of which the address alone is asked. */
static const char *typed_symbol(const struct view *view, uint32_t id)
{
	struct view_type t = view_type(view, id);

	if (t.kind == BTF_KIND_VAR && view_skip_modifiers(view, t.type) == 0)
		return NULL;
	return view_name(view, t.name_off);
}

static int check_section(const struct view *view, const struct view_type *section, struct fail *f)
{
	const char *name;
	uint32_t i;

	for (i = 0; i < section->vlen; i++) {
		name = typed_symbol(view,
				    view_u32(view, section->rest + (size_t)i * DATASEC_ENTRY_SIZE));
		if (name)
			return fail(f, -ENOTSUP,
				    "kernel symbol %s is declared with a type, which needs the "
				    "kernel's own BTF: declare it as extern const void, or read "
				    "it otherwise",
				    name);
	}
	return 0;
}

/* Out of the bytes, since libbpf overwrites the symbols' types when it opens an object. */
static int check_ksyms(const void *data, size_t size, struct fail *f)
{
	struct view *view = NULL;
	struct view_type t;
	struct elf elf;
	const void *btf;
	size_t btf_size;
	uint32_t id;
	int err;

	err = elf_open(data, size, &elf, f);
	if (err)
		return err;
	err = elf_section(&elf, ".BTF", &btf, &btf_size, f);
	if (err == -ENOENT)
		return 0;
	if (err)
		return err;
	err = view_open(btf, btf_size, NULL, &view, f);
	if (err)
		return fail_in(f, err, "the object's own BTF");
	for (id = 1; !err && id < view->n_types; id++) {
		t = view_type(view, id);
		if (t.kind == BTF_KIND_DATASEC && !strcmp(view_name(view, t.name_off), ".ksyms"))
			err = check_section(view, &t, f);
	}
	view_close(view);
	return err;
}

int load_check(const struct btfdepot_object *object, const char *kernel_btf, struct fail *f)
{
	struct bpf_object *opened;
	int err;

	if (!access(kernel_btf ? kernel_btf : KERNEL_BTF, R_OK))
		return 0;
	err = check_ksyms(object->data, object->size, f);
	if (err)
		return err;
	libbpf_set_print(NULL);
	opened = bpf_object__open_mem(object->data, object->size, NULL);
	if (!opened)
		return fail(f, -EINVAL, "libbpf does not take it for a BPF object");
	err = check_programs(opened, f);
	bpf_object__close(opened);
	return err;
}
