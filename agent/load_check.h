/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What a provisioned BTF cannot do. fentry and fexit, tp_btf, iterators, LSM programs, struct_ops
 * and typed kernel symbols name a type or function by its id in the BTF that the kernel itself
 * holds; where it holds none, libbpf fails with "No such process". Said early and plainly instead.
 */
#ifndef AGENT_LOAD_CHECK_H
#define AGENT_LOAD_CHECK_H

struct btfdepot_object;
struct fail;

/*
 * -ENOTSUP: kernel_btf (NULL: "/sys/kernel/btf/vmlinux") cannot be read, and the object has an
 * enabled program, a map or a symbol that needs it; the sentence names it. -EINVAL, -EBADMSG: not a
 * BPF object. Asks nobody, so it comes before the search for a BTF.
 */
int load_check(const struct btfdepot_object *object, const char *kernel_btf, struct fail *f);

#endif
