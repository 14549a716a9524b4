// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/archive.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OUTPUT (1u << 20)

struct bytes {
	uint8_t *p;
	size_t n;
};

static char dir[] = "/tmp/archive-XXXXXX";

/* One int, as BTF. */
static uint8_t int_btf[] = "\x9f\xeb\1\0\x18\0\0\0\0\0\0\0\x10\0\0\0\x10\0\0\0\5\0\0\0"
			   "\1\0\0\0\0\0\0\1\4\0\0\0\x20\0\0\1\0int";
static struct bytes vmlinux = { int_btf, sizeof(int_btf) };

static bool is(const struct archive_part *part, const char *name, struct bytes content)
{
	return !strcmp(part->name, name) && part->size == content.n &&
	       !memcmp(part->data, content.p, content.n);
}

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void write_file(const char *path, struct bytes content)
{
	FILE *file = fopen(path, "we");

	if (!file || fwrite(content.p, 1, content.n, file) != content.n || fclose(file))
		abort();
}

static void test_write(const char *release)
{
	void *one = NULL, *two = NULL;
	size_t n_one = 0, n_two = 0;
	struct archive a = { 0 };
	struct fail f = { 0 };
	char name[256];

	snprintf(name, sizeof(name), "%s.btf", release);
	tap_is_int(archive_write(release, vmlinux.p, vmlinux.n, &one, &n_one, &f), 0,
		   "%s is written %s", release, f.text);
	archive_write(release, vmlinux.p, vmlinux.n, &two, &n_two, NULL);
	tap_ok(n_one > 0 && n_one == n_two && !memcmp(one, two, n_one), "the same bytes each time");
	tap_is_int(archive_read_memory(one, n_one, "x", &a, &f), 0, "is read back %s", f.text);
	tap_ok(is(&a.btf, name, vmlinux), "as it was");
	archive_free(&a);
	free(one);
	free(two);
}

/* The bytes that a command prints, up to MAX_OUTPUT. */
static struct bytes output_of(const char *command)
{
	struct bytes b = { malloc(MAX_OUTPUT + 1), 0 };
	FILE *pipe = popen(command, "re");

	if (!b.p || !pipe)
		abort();
	b.n = fread(b.p, 1, MAX_OUTPUT, pipe);
	if (pclose(pipe))
		b.n = 0;
	return b;
}

/* What BTFHub and Datadog call: the tar has to be equal to the last byte. */
static void test_like_tar(const char *release)
{
	struct bytes gnu, ours, listing;
	char command[1024], want[512];
	void *data = NULL;
	size_t n = 0;

	archive_write(release, vmlinux.p, vmlinux.n, &data, &n, NULL);
	write_file(in_dir("ours.tar.xz"), (struct bytes){ data, n });
	snprintf(want, sizeof(want), "%s/%s.btf", dir, release);
	write_file(want, vmlinux);
	snprintf(command, sizeof(command),
		 "cd %s && tar -c --format=gnu --owner=root:0 --group=root:0 --mode=a=r --mtime=@0 "
		 "%s.btf 2>/dev/null",
		 dir, release);
	gnu = output_of(command);
	snprintf(command, sizeof(command), "xz -dc %s/ours.tar.xz", dir);
	ours = output_of(command);
	if (gnu.n == 0)
		tap_skip("no GNU tar here");
	else
		tap_ok(ours.n == gnu.n && !memcmp(ours.p, gnu.p, ours.n),
		       "%s: the tar is GNU tar's, %zu bytes", release, gnu.n);
	snprintf(command, sizeof(command), "TZ=UTC tar -tJvf %s/ours.tar.xz | tr -s ' '", dir);
	listing = output_of(command);
	listing.p[listing.n] = '\0';
	snprintf(want, sizeof(want), "-r--r--r-- root/root %zu 1970-01-01 00:00 %s.btf\n",
		 vmlinux.n, release);
	tap_is_str((char *)listing.p, want, "tar lists it");
	unlink(in_dir("ours.tar.xz"));
	snprintf(want, sizeof(want), "%s/%s.btf", dir, release);
	unlink(want);
	free(gnu.p);
	free(ours.p);
	free(listing.p);
	free(data);
}

/* One stream, one block, CRC64 (xz's own index). */
static void test_xz_form(void)
{
	uint64_t limit = 1 << 20;
	lzma_stream_flags flags;
	lzma_index *index = NULL;
	size_t n = 0, in = 0;
	uint8_t *data = NULL;
	void *written = NULL;

	archive_write("5.4.0", vmlinux.p, vmlinux.n, &written, &n, NULL);
	data = written;
	tap_is_int(lzma_stream_footer_decode(&flags, data + n - LZMA_STREAM_HEADER_SIZE), LZMA_OK,
		   "ends in a footer");
	tap_is_int(flags.check, LZMA_CHECK_CRC64, "with CRC64");
	n -= LZMA_STREAM_HEADER_SIZE + flags.backward_size;
	tap_is_int(lzma_index_buffer_decode(&index, &limit, NULL, data + n, &in,
					    flags.backward_size),
		   LZMA_OK, "and an index");
	tap_is_int(index ? lzma_index_block_count(index) : 0, 1, "of one block");
	lzma_index_end(index, NULL);
	free(written);
}

static void test_write_bad(void)
{
	char lengthy[140];
	void *data = (void *)77;
	struct fail f = { 0 };
	size_t n = 77;

	memset(lengthy, 'a', sizeof(lengthy));
	lengthy[128] = '\0';
	tap_is_int(archive_write("../x", vmlinux.p, 10, &data, &n, &f), -EINVAL, "%s", f.text);
	tap_is_int(archive_write("", vmlinux.p, 10, &data, &n, &f), -EINVAL, "%s", f.text);
	tap_is_int(archive_write(lengthy, vmlinux.p, 10, &data, &n, &f), -EINVAL, "%s", f.text);
	tap_is_int(archive_write("a", vmlinux.p, 0, &data, &n, &f), -EINVAL, "%s", f.text);
	tap_is_int(archive_write("a", vmlinux.p, ARCHIVE_MAX_BTF + 1, &data, &n, &f), -E2BIG, "%s",
		   f.text);
	tap_ok(data == (void *)77 && n == 77, "nothing was given");
}

int main(void)
{
	char lengthy[128];

	if (!mkdtemp(dir))
		abort();
	memset(lengthy, 'r', sizeof(lengthy) - 1);
	lengthy[127] = '\0';
	test_write("5.4.0-42-generic");
	test_write("6.12.117+deb13-amd64");
	test_write(lengthy);
	test_like_tar("5.4.0-42-generic");
	test_like_tar(lengthy);
	lengthy[96] = '\0';
	test_like_tar(lengthy);
	test_xz_form();
	test_write_bad();
	tap_is_int(rmdir(dir), 0, "all is cleaned up");
	return tap_done();
}
