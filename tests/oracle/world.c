// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A kernel that is made up: types that real ones have seldom or never. Compiled for BPF only to get
 * its .BTF; PART is one of the units that are linked, since C has no two structs of one name.
 */
#define TAG(text) __attribute__((btf_type_tag(text)))

#if PART == 1
long a_long; /* tells the size of pointers */
struct twin {
	int same, only_a, moved, both_a_c;
};
struct gap {
	int zero[0];
	int after;
};
struct tagged {
	int TAG("user") * TAG("rcu") * one;
	const char TAG("user") *const *restrict two;
	float three;
	double four[2];
	volatile unsigned int five[3];
};
enum wide { WIDE_VALUE = 0x123456789abll, WIDE_NEGATIVE = -3 };
typedef enum { ANY_TYPEDEF_VALUE = 12 } wide_t;
typedef struct wrapped {
	int a[3];
	struct inner {
		unsigned char b;
		struct inner *self;
	} in[2];
	union {
		int u;
		float f;
	};
	int more;
} wrapped_t;
typedef struct nosuch *opaque_t;
struct nosuch {
	int not_so_opaque;
};
struct hidden {
	int x;
};
struct uses_opaque {
	opaque_t o;
	struct hidden *p;
};
/* the member of that name comes twice, the first is another sort of thing */
struct mm_struct {
	struct {
		struct {
			int start_code[2];
		} deeper;
		union {
			unsigned long end_code;
			struct {
				unsigned long start_code;
			};
		};
	};
};
struct pid {
	int count;
	unsigned int level;
	struct {
		int nr;
	} numbers[];
};
struct task_struct {
	struct pid *thread_pid;
	struct mm_struct *mm;
	short pid;    /* narrower */
	long tgid;    /* wider */
	char comm[8]; /* shorter */
	long long in_execve : 40;
	unsigned int in_iowait; /* no bitfield */
};
struct twin twin_a;
struct gap gap;
struct tagged tagged;
enum wide wide;
wide_t wider;
wrapped_t wrapped;
opaque_t opaque;
struct uses_opaque uses_opaque;
struct task_struct task;
struct mm_struct mm;
struct pid pid;
#elif PART == 2
struct twin {
	int same, moved, only_b;
};
struct twin twin_b;
#else
struct twin {
	int same, pad, pad2, both_a_c;
};
struct twin twin_c;
#endif
