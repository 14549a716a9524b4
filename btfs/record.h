/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* From an object's relocation record to what it asks of a kernel (bpf_core_parse_spec). */
#ifndef BTFS_RECORD_H
#define BTFS_RECORD_H

struct fail;
struct object_record;
struct reloc;
struct view;

/* -EBADMSG: libbpf would refuse the object on every kernel; -E2BIG; -ENOMEM. reloc_free it. */
int record_to_reloc(const struct view *view, const struct object_record *record,
		    struct reloc *ret_reloc, struct fail *f);

#endif
