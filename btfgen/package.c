// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "package.h"

#include "btfs/fail.h"
#include "btfs/text.h"
#include "child.h"
#include "rpmheader.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AR_MAGIC       "!<arch>\n"
#define AR_HEADER      60
#define AR_MAX_MEMBERS 64
#define MAX_CONTROL    (1u << 20) /* bytes */

/* Work of the child, and what it tells its parent. */
struct reading {
	const uint8_t *data;
	size_t size;
	const struct mapping *kernel;
	uint64_t unpacked; /* bytes, of all members */
	struct package package;
	int rank;
	struct fail f;
	int err;
};

bool package_is(const void *data, size_t size)
{
	return rpmheader_is(data, size) || (size >= 8 && !memcmp(data, AR_MAGIC, 8));
}

static bool starts(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool set_release(char ret_release[PACKAGE_FIELD_SIZE], const char *s, size_t n)
{
	if (n == 0 || n >= PACKAGE_FIELD_SIZE)
		return false;
	memcpy(ret_release, s, n);
	ret_release[n] = '\0';
	return true;
}

/* The length up to a suffix that tells how it is packed. "vmlinux-R.debug" is SUSE's; elsewhere
 * ".debug" is part of R, of a kernel built to be debugged. */
static size_t without_suffix(const char *s, bool debug)
{
	static const char *const suffixes[] = { ".gz", ".xz", ".zst", ".lz4", ".lzma", ".debug" };
	size_t n = strlen(s);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		size_t len = strlen(suffixes[i]);

		if (n > len && !strcmp(s + n - len, suffixes[i]) &&
		    (debug || strcmp(suffixes[i], ".debug")))
			return n - len;
	}
	return n;
}

static bool is_one_of(const char *s, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (strlen(*names) == n && !memcmp(s, *names, n))
			return true;
	return false;
}

int package_rank(const char *path, char ret_release[PACKAGE_FIELD_SIZE])
{
	static const char *const whole[] = { "vmlinux", NULL };
	static const char *const images[] = { "vmlinuz", "Image", "vmlinuz.efi", NULL };
	bool debug = starts(path, "usr/lib/debug/");
	const char *base = strrchr(path, '/'), *modules = strstr(path, "lib/modules/");
	size_t n = base ? strcspn(++base, "-.") : 0;
	bool vmlinux = n && is_one_of(base, n, whole);

	if (!n || (!vmlinux && !is_one_of(base, n, images)))
		return 0;
	if (modules) {
		modules += strlen("lib/modules/");
		/* directly in lib/modules/R, and named no more than that */
		if (modules + strcspn(modules, "/") + 1 != base || base[n] == '-' ||
		    !set_release(ret_release, modules, base - 1 - modules))
			return 0;
	} else if ((!debug && base - path != (ptrdiff_t)strlen("boot/")) ||
		   (!debug && !starts(path, "boot/")) || base[n] != '-' ||
		   !set_release(ret_release, base + n + 1, without_suffix(base + n + 1, debug))) {
		return 0;
	}
	if (vmlinux)
		return debug ? 3 : 2;
	return debug ? 0 : 1;
}

static int archive_error(struct archive *a, const char *what, struct fail *f)
{
	const char *why = archive_error_string(a);

	switch (archive_errno(a)) {
	case ENOMEM:
		return fail(f, -ENOMEM, "no memory to unpack %s", what);
	default:
		return fail(f, -EBADMSG, "%s is damaged or cut short: %.200s", what,
			    why ? why : "it does not say why");
	}
}

/* cpio in .rpm, tar in .deb, and what they are compressed with: no form is read but these. */
static int open_inner(struct archive *a, const uint8_t *data, size_t size, const char *what,
		      struct fail *f)
{
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_bzip2(a);
	if (!strcmp(what, "its payload"))
		archive_read_support_format_cpio(a);
	else
		archive_read_support_format_tar(a);
	if (archive_read_open_memory(a, data, size) != ARCHIVE_OK)
		return archive_error(a, what, f);
	return 0;
}

static int check_size(struct reading *r, struct fail *f)
{
	uint64_t max = (uint64_t)r->size * PACKAGE_MAX_RATIO;

	if (max < PACKAGE_FREE)
		max = PACKAGE_FREE;
	return r->unpacked > max ? fail(f, -E2BIG, "it unpacks to more than %llu bytes",
					(unsigned long long)max)
				 : 0;
}

/* The member's content, into out where that is not NULL. */
static int pass(struct reading *r, struct archive *a, const struct mapping *out, const char *what)
{
	const void *block;
	int ret, err = 0;
	uint64_t n = 0;
	int64_t offset;
	size_t size;

	while (!err && (ret = archive_read_data_block(a, &block, &size, &offset)) == ARCHIVE_OK) {
		if (out && (uint64_t)offset != n)
			return fail(&r->f, -ENOTSUP, "the kernel in it is a sparse file");
		n += size;
		r->unpacked += size;
		err = check_size(r, &r->f);
		if (!err && out && n > MAPPING_MAX)
			err = fail(&r->f, -E2BIG, "the kernel in it has more than %llu bytes",
				   MAPPING_MAX);
		if (!err && out)
			err = mapping_write(out, block, size, &r->f);
	}
	if (!err && ret != ARCHIVE_EOF)
		err = archive_error(a, what, &r->f);
	return err;
}

static int start_over(const struct mapping *out, struct fail *f)
{
	if (ftruncate(out->fd, 0) < 0 || lseek(out->fd, 0, SEEK_SET) < 0)
		return fail(f, -errno, "cannot empty a temporary file: %m");
	return 0;
}

static int take_member(struct reading *r, struct archive *a, struct archive_entry *e,
		       const char *what)
{
	struct package *p = &r->package;
	char release[PACKAGE_FIELD_SIZE];
	const char *path = archive_entry_pathname(e);
	int rank = 0, err;

	if (!path)
		path = "";
	while (*path == '/' || starts(path, "./"))
		path += *path == '/' ? 1 : 2;
	if (archive_entry_filetype(e) == AE_IFREG && !archive_entry_hardlink(e) &&
	    archive_entry_size(e) > 0 && strlen(path) < PACKAGE_PATH_SIZE)
		rank = package_rank(path, release);
	if (rank && rank == r->rank && strcmp(release, p->release))
		return fail(&r->f, -EBADMSG, "two kernels in it, %s and %s", p->path, path);
	if (rank <= r->rank)
		return pass(r, a, NULL, what);
	r->rank = rank;
	memcpy(p->path, path, strlen(path) + 1);
	memcpy(p->release, release, sizeof(release));
	err = start_over(r->kernel, &r->f);
	return err ? err : pass(r, a, r->kernel, what);
}

/* All members up to the end: only there it is known to be whole. */
static int read_payload(struct reading *r, const uint8_t *data, size_t size, const char *what)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	int ret, err;

	if (!a)
		return fail(&r->f, -ENOMEM, "no memory");
	err = open_inner(a, data, size, what, &r->f);
	while (!err && (ret = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		if (ret != ARCHIVE_OK && ret != ARCHIVE_WARN)
			err = archive_error(a, what, &r->f);
		else
			err = take_member(r, a, e, what);
	}
	archive_read_free(a);
	return err;
}

/* A field of deb-control(5), of one line. */
static void field(const char *control, const char *name, char ret_field[PACKAGE_FIELD_SIZE])
{
	size_t len = strlen(name), n;

	for (const char *line = control; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		n = strcspn(line, "\r\n");
		if (n < PACKAGE_FIELD_SIZE) {
			memcpy(ret_field, line, n);
			ret_field[n] = '\0';
		}
		return;
	}
}

/* "6.12.117-1~bpo12+1", "5.10.223-1~deb10u1": the number behind the mark is that of the release. */
static void set_debian_version(struct package *p)
{
	static const char *const marks[] = { "deb", "bpo" };
	const char *texts[] = { p->name, p->version };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		for (size_t m = 0; m < sizeof(marks) / sizeof(*marks); m++) {
			const char *at = strstr(texts[i], marks[m]);
			size_t n = at ? strspn(at + 3, "0123456789") : 0;

			if (n == 1 || n == 2) {
				memcpy(p->distro_version, at + 3, n);
				return;
			}
		}
	}
}

static void read_fields(const char *control, struct package *p)
{
	char maintainer[PACKAGE_FIELD_SIZE] = "";

	field(control, "Package", p->name);
	field(control, "Version", p->version);
	field(control, "Architecture", p->arch);
	field(control, "Maintainer", maintainer);
	if (starts(maintainer, "Debian Kernel Team")) {
		memcpy(p->distro, "debian", sizeof("debian"));
		set_debian_version(p);
	} else if (starts(maintainer, "Ubuntu Kernel Team")) {
		memcpy(p->distro, "ubuntu", sizeof("ubuntu"));
	}
}

static int read_control(struct reading *r, const uint8_t *data, size_t size)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;
	char *text = NULL;
	int err = a ? open_inner(a, data, size, "its control file", &r->f)
		    : fail(&r->f, -ENOMEM, "no memory");
	la_ssize_t n;

	while (!err && !text && archive_read_next_header(a, &e) == ARCHIVE_OK) {
		const char *path = archive_entry_pathname(e);

		if (!path || (strcmp(path, "./control") && strcmp(path, "control")) ||
		    archive_entry_filetype(e) != AE_IFREG)
			continue;
		text = calloc(1, MAX_CONTROL);
		n = text ? archive_read_data(a, text, MAX_CONTROL - 1) : -1;
		if (n < 0)
			err = archive_error(a, "its control file", &r->f);
	}
	if (!err && !text)
		err = fail(&r->f, -EBADMSG, "it has no control file, or a damaged one");
	if (!err)
		read_fields(text, &r->package);
	free(text);
	archive_read_free(a);
	return err;
}

/* A number of ar's header: decimal, filled up with blanks. */
static bool ar_size(const uint8_t *p, size_t *ret_size)
{
	size_t n = 0, i;

	for (i = 0; i < 10 && p[i] >= '0' && p[i] <= '9'; i++)
		n = n * 10 + (p[i] - '0');
	*ret_size = n;
	return i > 0 && (i == 10 || p[i] == ' ');
}

/* deb(5): an ar of debian-binary, control.tar.*, data.tar.*, in this order. */
static int read_deb(struct reading *r)
{
	size_t pos = 8, size;
	bool control = false, data = false;
	int err = 0;

	for (int i = 0; !err && !data && pos < r->size; i++) {
		const uint8_t *h = r->data + pos, *content = h + AR_HEADER;

		if (r->size - pos < AR_HEADER || memcmp(h + 58, "`\n", 2) ||
		    !ar_size(h + 48, &size) || size > r->size - pos - AR_HEADER)
			return fail(&r->f, -EBADMSG, "the package is cut short or damaged");
		if (i == AR_MAX_MEMBERS)
			return fail(&r->f, -E2BIG, "more than %d members", AR_MAX_MEMBERS);
		if (!memcmp(h, "control.tar", 11)) {
			err = read_control(r, content, size);
			control = true;
		} else if (!memcmp(h, "data.tar", 8)) {
			err = read_payload(r, content, size, "its content");
			data = true;
		}
		pos += AR_HEADER + size + (size & 1);
	}
	if (!err && (!control || !data))
		err = fail(&r->f, -EBADMSG, "not a whole Debian package: it lacks its %s",
			   control ? "content" : "control file");
	return err;
}

static int read_rpm(struct reading *r)
{
	size_t payload;
	int err;

	err = rpmheader_read(r->data, r->size, &r->package, &payload, &r->f);
	if (err)
		return err;
	if (payload >= r->size)
		return fail(&r->f, -EBADMSG, "the rpm is cut short");
	return read_payload(r, r->data + payload, r->size - payload, "its payload");
}

static int run(void *ctx, int out)
{
	struct reading *r = ctx;

	r->err = rpmheader_is(r->data, r->size) ? read_rpm(r) : read_deb(r);
	if (!r->err && !r->rank)
		r->err = fail(&r->f, -ENOENT, "%s%sholds no kernel", r->package.name,
			      *r->package.name ? " " : "it ");
	return write(out, r, sizeof(*r)) != (ssize_t)sizeof(*r);
}

/* What came over the pipe is of our own making, but of a process that may have been taken over. */
static bool is_whole(struct reading *told)
{
	struct package *p = &told->package;
	char *const fields[] = { p->name,   p->version,	       p->arch,
				 p->distro, p->distro_version, p->release };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (!memchr(fields[i], 0, PACKAGE_FIELD_SIZE))
			return false;
	return memchr(p->path, 0, sizeof(p->path)) && memchr(told->f.text, 0, FAIL_TEXT_MAX) &&
	       told->err <= 0;
}

int package_read(const struct mapping *file, struct package *ret_package,
		 struct mapping *ret_kernel, struct fail *f)
{
	struct mapping kernel = MAPPING_NONE;
	struct reading reading = { .data = file->data, .size = file->size, .kernel = &kernel };
	const struct child child = { run, &reading, PACKAGE_TIMEOUT_S, MAPPING_MAX };
	struct reading told = { .err = 0 };
	struct child_said said = { .text = (char *)&told, .size = sizeof(told) };
	int err;

	err = mapping_scratch(&kernel, f);
	if (!err)
		err = child_run(&child, &said, f);
	if (!err && (said.n != sizeof(told) || !is_whole(&told)))
		err = fail(f, -EBADMSG, "the package is damaged: its reader was ended by %s %d",
			   WIFSIGNALED(said.status) ? "signal" : "status",
			   WIFSIGNALED(said.status) ? WTERMSIG(said.status)
						    : WEXITSTATUS(said.status));
	if (!err && told.err)
		err = fail(f, told.err, "%s", told.f.text);
	if (!err)
		err = mapping_map(&kernel, f);
	if (err) {
		mapping_close(&kernel);
		return err;
	}
	*ret_package = told.package;
	*ret_kernel = kernel;
	return 0;
}
