// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "kernel.h"

#include "fail.h"
#include "hostfile.h"
#include "osrelease.h"
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

#define MAX_NOTES	(1u << 20) /* bytes; real ones have some hundred */
#define NT_GNU_BUILD_ID 3
#define MIN_BUILD_ID	8 /* bytes: lld's fast hash; sha1 has 20 */
#define MAX_BUILD_ID	32
#define PREFIX_DIGITS	12 /* of a build-id, as "release@digits" of the tree has them */

static const struct {
	const char *spelling, *arch;
} archs[] = {
	{ "x86_64", "x86_64" },	      { "amd64", "x86_64" },	{ "x64", "x86_64" },
	{ "arm64", "arm64" },	      { "aarch64", "arm64" },	{ "i386", "i386" },
	{ "i486", "i386" },	      { "i586", "i386" },	{ "i686", "i386" },
	{ "armhf", "armhf" },	      { "armv7l", "armhf" },	{ "armel", "armel" },
	{ "armv6l", "armel" },	      { "armv5tel", "armel" },	{ "armv5tejl", "armel" },
	{ "ppc64el", "ppc64el" },     { "ppc64le", "ppc64el" }, { "ppc64", "ppc64" },
	{ "powerpc", "powerpc" },     { "ppc", "powerpc" },	{ "s390x", "s390x" },
	{ "mips", "mips" },	      { "mipsel", "mipsel" },	{ "mips64", "mips64" },
	{ "mips64el", "mips64el" },   { "riscv64", "riscv64" }, { "loong64", "loong64" },
	{ "loongarch64", "loong64" },
};

const char *kernel_arch(const char *name)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++)
		if (!strcmp(name, archs[i].spelling))
			return archs[i].arch;
	return NULL;
}

int kernel_name_ok(const char *s)
{
	size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			       "._+:~@-");

	return len > 0 && len < KERNEL_FIELD_SIZE && s[len] == '\0' && strcmp(s, ".") &&
	       !strstr(s, "..");
}

/* How far two build-ids agree: as whole ones, or as one and the prefix that a path has of it. */
static enum kernel_match match_build_ids(const char *a, const char *b)
{
	size_t len_a = strlen(a), len_b = strlen(b);

	if (len_a == PREFIX_DIGITS || len_b == PREFIX_DIGITS)
		return strncmp(a, b, PREFIX_DIGITS) ? KERNEL_DIFFERS : KERNEL_ATTESTED;
	return strcmp(a, b) ? KERNEL_DIFFERS : KERNEL_EXACT;
}

enum kernel_match kernel_match(const struct kernel *a, const struct kernel *b)
{
	enum kernel_match ids = KERNEL_NAMED;

	if (*a->build_id && *b->build_id) {
		ids = match_build_ids(a->build_id, b->build_id);
		if (ids == KERNEL_EXACT || ids == KERNEL_DIFFERS)
			return ids;
	}
	if (!*a->arch || strcmp(a->arch, b->arch) || !*a->release || strcmp(a->release, b->release))
		return KERNEL_DIFFERS;
	if (!*a->version || !*b->version)
		return ids;
	return strcmp(a->version, b->version) ? KERNEL_DIFFERS : KERNEL_ATTESTED;
}

static uint32_t note_u32(const uint8_t *p, bool big_endian)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? x : __builtin_bswap32(x);
}

struct note {
	uint32_t type;
	const uint8_t *name, *desc;
	uint64_t name_size, desc_size;
};

/* Name and content are padded to four bytes; the very last padding may be missing. */
static bool next_note(const uint8_t *notes, size_t size, bool big_endian, size_t *pos,
		      struct note *note)
{
	const uint8_t *p = notes + *pos;
	uint64_t left = size - *pos, name_room, desc_room;

	if (left < 12)
		return false;
	note->name_size = note_u32(p, big_endian);
	note->desc_size = note_u32(p + 4, big_endian);
	note->type = note_u32(p + 8, big_endian);
	name_room = (note->name_size + 3) & ~3ull;
	desc_room = (note->desc_size + 3) & ~3ull;
	left -= 12;
	if (name_room > left || note->desc_size > left - name_room)
		return false;
	note->name = p + 12;
	note->desc = note->name + name_room;
	left -= name_room;
	*pos = size - (desc_room < left ? left - desc_room : 0);
	return true;
}

/* What comes behind a build-id that was found is not needed, unless it is a second, other one. */
static int find_build_id(const uint8_t *notes, size_t size, bool big_endian, struct note *ret_found,
			 struct fail *f)
{
	struct note note, found = { 0 };
	size_t pos = 0;

	while (pos < size && next_note(notes, size, big_endian, &pos, &note)) {
		if (note.type != NT_GNU_BUILD_ID || note.name_size != 4 ||
		    memcmp(note.name, "GNU", 4))
			continue;
		if (note.desc_size < MIN_BUILD_ID || note.desc_size > MAX_BUILD_ID)
			return fail(f, -EBADMSG, "build-id has %llu bytes, not %d to %d",
				    (unsigned long long)note.desc_size, MIN_BUILD_ID, MAX_BUILD_ID);
		if (found.desc && (found.desc_size != note.desc_size ||
				   memcmp(found.desc, note.desc, note.desc_size)))
			return fail(f, -EBADMSG, "notes hold two different build-ids");
		found = note;
	}
	if (!found.desc && pos < size)
		return fail(f, -EBADMSG, "notes are damaged or cut short");
	if (!found.desc)
		return fail(f, -ENOENT, "notes hold no build-id");
	*ret_found = found;
	return 0;
}

int kernel_parse_notes(const void *notes, size_t size, char ret_hex[KERNEL_FIELD_SIZE],
		       struct fail *f)
{
	bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	struct note found;
	int err;

	if (size > MAX_NOTES)
		return fail(f, -E2BIG, "notes have %zu bytes, the limit is %u", size, MAX_NOTES);
	/* Nothing tells the byte order; in the wrong one the first size leads out at once. */
	if (find_build_id(notes, size, big_endian, &found, NULL) == -EBADMSG &&
	    find_build_id(notes, size, !big_endian, &found, NULL) != -EBADMSG)
		big_endian = !big_endian;
	err = find_build_id(notes, size, big_endian, &found, f);
	if (err)
		return err;
	for (size_t i = 0; i < found.desc_size; i++)
		snprintf(ret_hex + 2 * i, 3, "%02x", found.desc[i]);
	return 0;
}

int kernel_parse_os_release(const char *text, size_t size, struct kernel *kernel, struct fail *f)
{
	int err, err_version;

	kernel->distro[0] = kernel->distro_version[0] = '\0';
	err = osrelease_get(text, size, "ID", kernel->distro, f);
	err_version =
		osrelease_get(text, size, "VERSION_ID", kernel->distro_version, err ? NULL : f);
	for (char *p = kernel->distro; *p; p++)
		*p = tolower((unsigned char)*p);
	return err ? err : err_version;
}

/* Appends a sentence to the note, as far as it fits. */
static void add_note(char *note, size_t note_size, const struct fail *why)
{
	size_t len = note_size ? strlen(note) : 0;

	if (len < note_size)
		snprintf(note + len, note_size - len, "%s%s", len ? "; " : "", why->text);
}

/*
 * uname(2) lies to processes whose personality asks for it: linux32 gives another machine,
 * --uname-2.6 another release. The thread's own is put back at once.
 */
static int true_uname(struct utsname *ret_uname)
{
	int old = personality(0xffffffff), err = 0;
	bool lies = old != -1 && ((old & PER_MASK) == PER_LINUX32 || (old & UNAME26));

	if (lies)
		personality((unsigned int)old & ~(PER_MASK | UNAME26));
	if (uname(ret_uname) < 0)
		err = -errno;
	if (lies)
		personality((unsigned int)old);
	return err;
}

/* uname says "mips" on either byte order, Debian's names tell them apart. */
static const char *live_arch(const char *machine)
{
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !strcmp(machine, "mips"))
		return "mipsel";
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !strcmp(machine, "mips64"))
		return "mips64el";
	return kernel_arch(machine);
}

static bool is_version_ok(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return strlen(s) < KERNEL_FIELD_SIZE;
}

/* Whether the arch is known is left to the caller, who may have a note for it. */
static int live_uname(const struct kernel_sources *s, struct kernel *kernel,
		      const char **ret_machine, struct utsname *u, struct fail *f)
{
	const char *release, *version, *arch;
	int err;

	err = true_uname(u);
	if (err)
		return fail(f, err, "uname(2) failed");
	release = s->release ? s->release : u->release;
	version = s->version ? s->version : u->version;
	*ret_machine = s->machine ? s->machine : u->machine;
	if (!kernel_name_ok(release))
		return fail(f, -EINVAL, "\"%s\" is no name of a kernel (uname -r)", release);
	if (!is_version_ok(version))
		return fail(f, -EINVAL, "\"%s\" is no version of a kernel (uname -v)", version);
	arch = live_arch(*ret_machine);
	snprintf(kernel->release, sizeof(kernel->release), "%s", release);
	snprintf(kernel->version, sizeof(kernel->version), "%s", version);
	snprintf(kernel->arch, sizeof(kernel->arch), "%s", arch ? arch : "");
	return 0;
}

static int live_build_id(const char *path, struct kernel *kernel, struct fail *f)
{
	char *notes = NULL;
	size_t size = 0;
	int err;

	err = hostfile_read(NULL, path, MAX_NOTES, &notes, &size, f);
	if (err)
		return err;
	err = kernel_parse_notes(notes, size, kernel->build_id, f);
	free(notes);
	return err ? fail_in(f, err, "%s", path) : 0;
}

/* /etc's file wins where there is one (os-release(5)). */
static int live_distro(const char *root, struct kernel *kernel, struct fail *f)
{
	char *text = NULL;
	size_t size = 0;
	int err;

	err = hostfile_read(root, "etc/os-release", OSRELEASE_MAX_SIZE, &text, &size, f);
	if (err == -ENOENT || err == -ENOTDIR)
		err = hostfile_read(root, "usr/lib/os-release", OSRELEASE_MAX_SIZE, &text, &size,
				    f);
	if (err)
		return err;
	err = kernel_parse_os_release(text, size, kernel, f);
	free(text);
	return err;
}

int kernel_live(const struct kernel_sources *sources, struct kernel *ret_kernel, char *note,
		size_t note_size, struct fail *f)
{
	static const struct kernel_sources defaults;
	const struct kernel_sources *s = sources ? sources : &defaults;
	struct kernel kernel = { 0 };
	struct fail why = { 0 };
	const char *machine = NULL;
	struct utsname u;
	int err;

	err = live_uname(s, &kernel, &machine, &u, f);
	if (err)
		return err;
	if (note_size > 0)
		note[0] = '\0';
	if (!kernel.arch[0]) {
		fail(&why, -ENOENT, "machine \"%s\" is not known", machine);
		add_note(note, note_size, &why);
	}
	if (live_build_id(s->notes_path ? s->notes_path : "/sys/kernel/notes", &kernel, &why))
		add_note(note, note_size, &why);
	if (live_distro(s->host_root ? s->host_root : "/", &kernel, &why))
		add_note(note, note_size, &why);
	*ret_kernel = kernel;
	return 0;
}
