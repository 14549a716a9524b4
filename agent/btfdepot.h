/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * libbtfdepot: BTF for kernels that ship none.
 *
 *	struct btfdepot_opts opts = { .sz = sizeof(opts), .objects = &obj, .n_objects = 1 };
 *	struct btfdepot *depot;
 *	int err = btfdepot__provision(&opts, &depot);
 *
 *	if (err < 0)
 *		fprintf(stderr, "%s", depot ? btfdepot__report(depot) : strerror(-err));
 *	else
 *		open_opts.btf_custom_path = btfdepot__path(depot); // NULL: the kernel's own will do
 *	...                                                        // open and load with libbpf
 *	btfdepot__free(depot);                                     // after bpf_object__load
 *
 * Errors: functions give 0, or a negative errno: -ENOENT no source has this kernel's BTF; -EBADMSG
 * what came failed a check and nothing else served; -ETIMEDOUT, -ECONNREFUSED a source could not be
 * reached (try later); -E2BIG the options hold a field that this library does not know; -EINVAL a
 * bad argument, such as an object that is no BPF object; -EIO what was found could not be handed
 * to libbpf; -ENOMEM. Nothing is printed: give a log callback.
 *
 * Threads: calls with different struct btfdepot may run at once. No globals, no signal handlers.
 */
#ifndef BTFDEPOT_H
#define BTFDEPOT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BTFDEPOT_API __attribute__((visibility("default")))

struct btfdepot;
struct bpf_object;

/* A BPF object in memory: the ELF file, or a program that embeds several. */
struct btfdepot_object {
	const void *data;
	size_t size; /* bytes */
};

/* A bundle in memory: what "btfgen bundle" writes. */
struct btfdepot_bundle {
	const void *data;
	size_t size; /* bytes */
};

enum btfdepot_log_level { BTFDEPOT_LOG_INFO, BTFDEPOT_LOG_DEBUG };

/* Zero, or NULL, in a field means its default, which stands in brackets. */
struct btfdepot_opts {
	size_t sz; /* sizeof(struct btfdepot_opts) of the caller's header */

	/* What is to be loaded; the need is computed from it. [none: full BTF is asked for] */
	const struct btfdepot_object *objects;
	size_t n_objects;

	/* Sources, in the order they are asked. */
	const char *kernel_btf;	  /* the kernel's own ["/sys/kernel/btf/vmlinux"] */
	const char *btf_path;	  /* a BTF file that the user names [none] */
	const char *cache_dir;	  /* ["/var/cache/btfdepot"]; "" for no cache */
	const char *const *trees; /* local trees, NULL-terminated [none] */
	const char *const *urls;  /* servers, NULL-terminated [none] */

	uint32_t timeout_ms;	/* for everything together [5000] */
	uint32_t max_btf_bytes; /* of a file from any source [64 MiB] */
	const char *ca_file;	/* for https [the system's] */

	/*
	 * The kernel's identity. With release or machine another kernel than the running one is
	 * meant: the kernel's own BTF is then only looked for where kernel_btf is given, and no
	 * build-id or version is taken from the running one.
	 */
	const char *host_root;	/* where the host's root is mounted ["/"] */
	const char *notes_path; /* ["/sys/kernel/notes"] */
	const char *release;	/* overrides uname -r */
	const char *version;	/* overrides uname -v */
	const char *machine;	/* overrides uname -m */

	void (*log)(void *ctx, enum btfdepot_log_level level, const char *line); /* [silent] */
	void *log_ctx;

	uint64_t cache_max_bytes; /* of all BTF in the cache; the oldest go first [64 MiB] */

	/* Bundles, asked behind trees where there are objects; read within the call only. */
	const char *const *bundle_files;       /* NULL-terminated [none] */
	const struct btfdepot_bundle *bundles; /* linked into the program, say [none] */
	size_t n_bundles;
};

enum btfdepot_verdict {
	BTFDEPOT_NONE,	   /* no BTF was found, or none is needed */
	BTFDEPOT_NATIVE,   /* the kernel's own */
	BTFDEPOT_EXPLICIT, /* the user named the file; its identity was not checked */
	BTFDEPOT_EXACT,	   /* build-id of the running kernel */
	BTFDEPOT_ATTESTED, /* same arch, release and uname -v */
	BTFDEPOT_NAMED,	   /* same arch and release only */
	BTFDEPOT_REFUSED,  /* something came and failed a check */
};

/*
 * Finds the BTF for the running kernel. *ret is set on success and on failure alike, so that the
 * report can be read; it is NULL for -ENOMEM and -E2BIG and may be for -EINVAL. The caller frees
 * it.
 */
BTFDEPOT_API int btfdepot__provision(const struct btfdepot_opts *opts, struct btfdepot **ret);
BTFDEPOT_API void btfdepot__free(struct btfdepot *depot); /* takes NULL */

/*
 * What btf_custom_path is to be; owned by depot, gone with it, and of this process only. NULL:
 * leave it unset (the kernel's own is where libbpf finds it, or none is needed, or none was found).
 */
BTFDEPOT_API const char *btfdepot__path(const struct btfdepot *depot);
/* A file that holds the same bytes and stays, for other programs; NULL: none (no cache). */
BTFDEPOT_API const char *btfdepot__file(const struct btfdepot *depot);
/* A descriptor of the same bytes, owned by depot; -1: the kernel's own, or none. */
BTFDEPOT_API int btfdepot__fd(const struct btfdepot *depot);
BTFDEPOT_API enum btfdepot_verdict btfdepot__verdict(const struct btfdepot *depot);
BTFDEPOT_API const char *btfdepot__verdict_name(enum btfdepot_verdict verdict);
/* Lower-case hex sha256 of the need; "" without objects. Owned by depot. */
BTFDEPOT_API const char *btfdepot__need(const struct btfdepot *depot);
/* One line per source asked, each with '\n': name, where, its answer, milliseconds. Owned by depot.
 */
BTFDEPOT_API const char *btfdepot__report(const struct btfdepot *depot);

/* One source's answer, for programs. */
struct btfdepot_answer {
	const char *source; /* "need", "kernel", "path", "cache", "tree", "bundle", "server" */
	const char *where;  /* path or URL */
	const char *said;   /* one sentence */
	int err;	    /* 0: this one served; else a negative errno, -ENOENT for "has none" */
	uint32_t took_ms;
};
BTFDEPOT_API size_t btfdepot__n_answers(const struct btfdepot *depot);
/* -ENOENT: no i-th answer. The strings are owned by depot. */
BTFDEPOT_API int btfdepot__answer(const struct btfdepot *depot, size_t i,
				  struct btfdepot_answer *ret_answer);

/*
 * bpf_object__open_mem (libbpf) of objects[0] with the BTF that provision finds: the calls above in
 * one. *ret_depot must live until the object is loaded, and is to be freed after a failure too;
 * *ret_object is closed by the caller. Errors: those of btfdepot__provision, else libbpf's.
 */
BTFDEPOT_API int btfdepot__open_object(const struct btfdepot_opts *opts,
				       struct btfdepot **ret_depot, struct bpf_object **ret_object);

BTFDEPOT_API const char *btfdepot__version(void);

#ifdef __cplusplus
}
#endif
#endif
