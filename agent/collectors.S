/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The folder with the objects is on the assembler's include path. */
#if defined(__x86_64__)
#define ARCH x86_64
#elif defined(__aarch64__)
#define ARCH arm64
#else
#error "bpf/args.h knows no calling convention for this architecture"
#endif

	.macro collector name, arch
	.balign	8
	.globl	collector_\name
	.globl	collector_\name\()_end
	.hidden	collector_\name
	.hidden	collector_\name\()_end
collector_\name:
	.incbin	"\name\().\arch\().bpf.o"
collector_\name\()_end:
	.byte	0
	.endm

	.section .rodata
	collector kernel, ARCH

	.section .note.GNU-stack, "", %progbits
