// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Enumerators: values and existence, flavored, anonymous, wide and negative ones. */
#include "corner.h"

enum pid_type {
	PIDTYPE_TGID = 77,
	PIDTYPE_SID = 78,
	PIDTYPE_NO_SUCH = 79,
};

enum pid_type___flavor {
	PIDTYPE_PGID___flavor = 5,
	PIDTYPE_NO_SUCH___flavor = 6,
};

enum bpf_map_type___local {
	BPF_MAP_TYPE_TASK_STORAGE___local = 1,
	BPF_MAP_TYPE_NO_SUCH___local,
};

enum no_such_enum {
	NO_SUCH_ENUMERATOR,
};

enum wide {
	WIDE_VALUE = 1,
	WIDE_NEGATIVE = 2,
};

enum migratetype {
	MIGRATE_MOVABLE = 9,
};

typedef enum {
	ANY_TYPEDEF_VALUE = 3,
} wide_t;

PROGRAM values(void *ctx)
{
	long sum = 0;

	sum += bpf_core_enum_value(enum pid_type, PIDTYPE_TGID);
	sum += bpf_core_enum_value(enum pid_type, PIDTYPE_SID);
	sum += bpf_core_enum_value(enum pid_type___flavor, PIDTYPE_PGID___flavor);
	sum += bpf_core_enum_value(enum migratetype, MIGRATE_MOVABLE);
	sum += bpf_core_enum_value(enum wide, WIDE_VALUE);
	sum += bpf_core_enum_value(enum wide, WIDE_NEGATIVE);
	sum += bpf_core_enum_value(wide_t, ANY_TYPEDEF_VALUE);
	return sum;
}

PROGRAM exist(void *ctx)
{
	long sum = 0;

	sum += bpf_core_enum_value_exists(enum pid_type, PIDTYPE_TGID);
	sum += bpf_core_enum_value_exists(enum pid_type, PIDTYPE_NO_SUCH);
	sum += bpf_core_enum_value_exists(enum pid_type___flavor, PIDTYPE_NO_SUCH___flavor);
	sum += bpf_core_enum_value_exists(enum bpf_map_type___local,
					  BPF_MAP_TYPE_TASK_STORAGE___local);
	sum += bpf_core_enum_value_exists(enum bpf_map_type___local, BPF_MAP_TYPE_NO_SUCH___local);
	sum += bpf_core_enum_value_exists(enum no_such_enum, NO_SUCH_ENUMERATOR);
	sum += bpf_core_enum_value_exists(enum wide, WIDE_VALUE);
	return sum;
}

PROGRAM poisoned(void *ctx)
{
	return bpf_core_enum_value(enum no_such_enum, NO_SUCH_ENUMERATOR) +
	       bpf_core_enum_value(enum pid_type, PIDTYPE_NO_SUCH);
}
