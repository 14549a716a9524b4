// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The library as a program sees it; who is asked for what is in tests/provision. */
#include "agent/btfdepot.h"
#include "agent/handover.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/btfdepot-unit-XXXXXX";
static char btf_path[64], junk_path[64], host[64];
static const void *btf_data;
static __u32 btf_size;

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		printf("# cannot write %s\n", path);
}

static struct btf *setup(void)
{
	struct btf *btf = btf__new_empty();

	btf__add_int(btf, "long unsigned int", 8, 0);
	btf__add_struct(btf, "task", 8);
	btf__add_field(btf, "pid", 1, 0, 0);
	btf_data = btf__raw_data(btf, &btf_size);
	tap_ok(mkdtemp(dir) != NULL, "a folder");
	snprintf(btf_path, sizeof(btf_path), "%s/btf", dir);
	snprintf(junk_path, sizeof(junk_path), "%s/junk", dir);
	snprintf(host, sizeof(host), "%s/host", dir);
	write_file(btf_path, btf_data, btf_size);
	write_file(junk_path, "junk", 4);
	return btf;
}

/* For a kernel that is not this one, so that the outcome is the same everywhere. */
static struct btfdepot_opts base_opts(void)
{
	return (struct btfdepot_opts){ .sz = sizeof(struct btfdepot_opts),
				       .cache_dir = "",
				       .host_root = host,
				       .release = "5.10.0-unit",
				       .machine = "x86_64" };
}

static void test_opts(void)
{
	struct {
		struct btfdepot_opts opts;
		char newer[8];
	} wide = { .opts = base_opts() };
	struct btfdepot_opts opts = base_opts();
	struct btfdepot *depot = NULL;

	tap_is_int(btfdepot__provision(&opts, NULL), -EINVAL, "nowhere to put the result");
	wide.opts.sz = sizeof(wide);
	tap_is_int(btfdepot__provision(&wide.opts, &depot), -ENOENT, "a newer header, nothing set");
	btfdepot__free(depot);
	wide.newer[7] = 1;
	tap_is_int(btfdepot__provision(&wide.opts, &depot), -E2BIG, "a newer header's field");
	tap_ok(!depot, "gives no depot");
	opts.sz = 0;
	tap_is_int(btfdepot__provision(&opts, &depot), -EINVAL, "sz was forgotten");
	opts = base_opts();
	opts.n_objects = 1;
	tap_is_int(btfdepot__provision(&opts, &depot), -EINVAL, "objects without a pointer");
	opts = base_opts();
	opts.sz = offsetof(struct btfdepot_opts, cache_dir);
	opts.n_objects = 0;
	tap_ok(sizeof(opts) > opts.sz, "an older header is shorter");
	opts.kernel_btf = btf_path;
	tap_is_int(btfdepot__provision(&opts, &depot), 0, "and is understood");
	btfdepot__free(depot);
	btfdepot__free(NULL);
}

static void test_nobody(void)
{
	const char *trees[] = { "/nonexistent", NULL };
	struct btfdepot_opts opts = base_opts();
	struct btfdepot_answer answer = { 0 };
	struct btfdepot *depot = NULL;

	opts.trees = trees;
	tap_is_int(btfdepot__provision(&opts, &depot), -ENOENT, "nobody has it");
	tap_is_int(btfdepot__verdict(depot), BTFDEPOT_NONE, "verdict");
	tap_ok(!btfdepot__path(depot) && !btfdepot__file(depot), "no path");
	tap_is_int(btfdepot__fd(depot), -1, "no descriptor");
	tap_is_str(btfdepot__need(depot), "", "no need");
	tap_is_int(btfdepot__n_answers(depot), 1, "one answer");
	tap_is_int(btfdepot__answer(depot, 0, &answer), 0, "the answer");
	tap_is_str(answer.source, "tree", "its source");
	tap_is_str(answer.where, "/nonexistent", "where");
	tap_is_int(answer.err, -ENOENT, "its error");
	tap_ok(!strncmp(btfdepot__report(depot), "tree /nonexistent: ", 19), "report: %s",
	       btfdepot__report(depot));
	tap_is_int(btfdepot__answer(depot, 1, &answer), -ENOENT, "no second answer");
	btfdepot__free(depot);
}

/* The bytes behind path and fd are those of the file, and stay so. */
static void check_copy(const char *path, int fd)
{
	struct btf *parsed = btf__parse(path, NULL);
	char bytes[256];
	int again;

	tap_ok(!libbpf_get_error(parsed), "libbpf reads %s", path);
	btf__free(parsed);
	tap_is_int(pread(fd, bytes, sizeof(bytes), 0), btf_size, "same size");
	tap_ok(!memcmp(bytes, btf_data, btf_size), "same bytes");
	tap_ok(pwrite(fd, "x", 1, 0) < 0, "cannot be written");
	tap_ok(ftruncate(fd, 1) < 0, "cannot be cut");
	again = open(path, O_WRONLY | O_CLOEXEC);
	tap_ok(again < 0 || pwrite(again, "x", 1, 0) < 0 || geteuid() == 0,
	       "cannot be written by its path");
	if (again >= 0)
		close(again);
}

static void test_explicit(void)
{
	struct btfdepot_opts opts = base_opts();
	struct btfdepot *depot = NULL;
	int err;

	opts.btf_path = btf_path;
	tap_is_int(btfdepot__provision(&opts, &depot), 0, "a named file");
	tap_is_int(btfdepot__verdict(depot), BTFDEPOT_EXPLICIT, "verdict");
	check_copy(btfdepot__path(depot), btfdepot__fd(depot));
	if (!strncmp(btfdepot__path(depot), "/proc/self/fd/", 14)) {
		int again = open(btfdepot__path(depot), O_RDWR | O_CLOEXEC);

		tap_ok(again < 0 || pwrite(again, "x", 1, 0) < 0, "sealed, even for root");
		if (again >= 0)
			close(again);
	} else {
		tap_skip("no memfd here");
	}
	btfdepot__free(depot);

	opts.btf_path = junk_path;
	tap_is_int(btfdepot__provision(&opts, &depot), -EBADMSG, "a file that is junk");
	tap_is_int(btfdepot__verdict(depot), BTFDEPOT_REFUSED, "verdict");
	tap_ok(!btfdepot__path(depot), "no path");
	btfdepot__free(depot);

	opts.btf_path = btf_path;
	opts.max_btf_bytes = btf_size - 1;
	err = btfdepot__provision(&opts, &depot);
	tap_is_int(err, -EBADMSG, "larger than is allowed: %s", btfdepot__report(depot));
	btfdepot__free(depot);
}

static void test_kernel(void)
{
	struct btfdepot_opts opts = base_opts();
	struct btfdepot *depot = NULL;
	int err;

	opts.kernel_btf = btf_path;
	tap_is_int(btfdepot__provision(&opts, &depot), 0, "the kernel's own");
	tap_is_int(btfdepot__verdict(depot), BTFDEPOT_NATIVE, "verdict");
	tap_is_str(btfdepot__path(depot), btf_path, "libbpf is told where it is mounted");
	btfdepot__free(depot);

	opts.kernel_btf = junk_path;
	err = btfdepot__provision(&opts, &depot);
	tap_is_int(err, -EBADMSG, "junk in its place: %s", btfdepot__report(depot));
	btfdepot__free(depot);

	opts.kernel_btf = "/nonexistent";
	err = btfdepot__provision(&opts, &depot);
	tap_is_int(err, -ENOENT, "none: %s", btfdepot__report(depot));
	btfdepot__free(depot);

	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		tap_skip("this kernel shows no BTF");
		return;
	}
	opts = (struct btfdepot_opts){ .sz = sizeof(opts), .cache_dir = "" };
	tap_is_int(btfdepot__provision(&opts, &depot), 0, "this kernel's own");
	tap_ok(!btfdepot__path(depot), "libbpf finds it for itself");
	btfdepot__free(depot);
}

static void count_lines(void *ctx, enum btfdepot_log_level level, const char *line)
{
	++*(int *)ctx;
}

static void test_bad_object(void)
{
	struct btfdepot_object object = { "junk", 4 };
	struct btfdepot_opts opts = base_opts();
	struct bpf_object *opened = NULL;
	struct btfdepot *depot = NULL;
	int lines = 0;

	opts.objects = &object;
	opts.n_objects = 1;
	opts.log = count_lines;
	opts.log_ctx = &lines;
	tap_is_int(btfdepot__provision(&opts, &depot), -EINVAL, "an object that is none");
	tap_ok(depot && strstr(btfdepot__report(depot), "object 1"), "is named: %s",
	       depot ? btfdepot__report(depot) : "");
	btfdepot__free(depot);
	tap_is_int(btfdepot__open_object(&opts, &depot, &opened), -EINVAL, "nor is it opened");
	tap_ok(!opened, "nothing to close");
	btfdepot__free(depot);
	tap_is_int(btfdepot__open_object(NULL, &depot, &opened), -EINVAL, "no object given");
	opts.machine = "x86/64";
	tap_is_int(btfdepot__provision(&opts, &depot), -EINVAL, "a name that no kernel has");
	btfdepot__free(depot);

	opts = base_opts();
	opts.trees = (const char *const[]){ "/nonexistent", NULL };
	opts.log = count_lines;
	opts.log_ctx = &lines;
	snprintf(host, sizeof(host), "/");
	btfdepot__provision(&opts, &depot);
	tap_ok(lines > 0 || access("/etc/os-release", R_OK), "%d lines to the log", lines);
	btfdepot__free(depot);
}

/* The collector that is built beside this test; opening needs no privilege. */
static void test_open(void)
{
	static char bytes[1 << 20];
	struct btfdepot_object object = { bytes, 0 };
	struct btfdepot_opts opts = { .sz = sizeof(opts), .cache_dir = "" };
	FILE *f = fopen("build/bpf/kernel.x86_64.bpf.o", "r");
	struct bpf_object *opened = NULL;
	struct btfdepot *depot = NULL;
	int err;

	object.size = f ? fread(bytes, 1, sizeof(bytes), f) : 0;
	if (f)
		fclose(f);
	if (!object.size || access("/sys/kernel/btf/vmlinux", R_OK)) {
		tap_skip("no BPF object was built, or this kernel shows no BTF");
		return;
	}
	opts.objects = &object;
	opts.n_objects = 1;
	opts.btf_path = "/sys/kernel/btf/vmlinux";
	opts.kernel_btf = "/nonexistent";
	err = btfdepot__open_object(&opts, &depot, &opened);
	tap_is_int(err, 0, "opens an object: %s", depot ? btfdepot__report(depot) : "");
	tap_ok(opened != NULL, "with this kernel's BTF as a file");
	tap_is_int(strlen(btfdepot__need(depot)), 64, "its need: %s", btfdepot__need(depot));
	bpf_object__close(opened);
	btfdepot__free(depot);
}

static void test_handover_file(void)
{
	struct handover *h = NULL;
	char path[128];
	struct stat st;
	struct fail f;

	tap_is_int(handover_make(btf_data, btf_size, HANDOVER_FILE, &h, &f), 0, "without memfd");
	if (!h)
		return;
	snprintf(path, sizeof(path), "%s", handover_path(h));
	check_copy(path, handover_fd(h));
	tap_ok(!stat(path, &st) && (st.st_mode & 07777) == 0400, "only to be read");
	tap_ok(!stat(dirname(path), &st) && (st.st_mode & 07777) == 0700, "in a private folder");
	handover_free(h);
	tap_ok(access(path, F_OK) && errno == ENOENT, "gone with it");
	handover_free(NULL);
}

static void test_names(void)
{
	static const char *const names[] = { "none",	 "native", "explicit", "exact",
					     "attested", "named",  "refused",  "unknown" };
	int i;

	for (i = 0; i < 8; i++)
		tap_is_str(btfdepot__verdict_name(i), names[i], "verdict %d", i);
	tap_ok(*btfdepot__version() != '\0', "version %s", btfdepot__version());
}

int main(void)
{
	struct btf *btf = setup();

	test_opts();
	test_nobody();
	test_explicit();
	test_kernel();
	test_bad_object();
	test_open();
	test_handover_file();
	test_names();
	unlink(btf_path);
	unlink(junk_path);
	rmdir(dir);
	btf__free(btf);
	return tap_done();
}
