// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/kernel.h"
#include "btfs/fail.h"
#include "btfs/osrelease.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *what, *text, *distro, *version;
	int err;
} os_releases[] = {
	{ "double quotes", "NAME=\"Red Hat\"\nID=\"rhel\"\nVERSION_ID=\"8.4\"\n", "rhel", "8.4",
	  0 },
	{ "single quotes", "ID='ol'\nVERSION_ID='7.9'\n", "ol", "7.9", 0 },
	{ "no quotes", "ID=fedora\nVERSION_ID=31\n", "fedora", "31", 0 },
	{ "no version", "PRETTY_NAME=\"Debian GNU/Linux sid\"\nID=debian\n", "debian", "", 0 },
	{ "an empty version", "ID=debian\nVERSION_ID=\"\"\n", "debian", "", 0 },
	{ "mixed case", "ID=\"openEuler\"\nVERSION_ID=\"20.03\"\n", "openeuler", "20.03", 0 },
	{ "a version in letters", "ID=\"kylin\"\nVERSION_ID=\"V10\"\n", "kylin", "V10", 0 },
	{ "carriage returns", "ID=ubuntu\r\nVERSION_ID=\"20.04\"\r\n", "ubuntu", "20.04", 0 },
	{ "a byte order mark", "\xef\xbb\xbfID=ubuntu\nVERSION_ID=20.04", "ubuntu", "20.04", 0 },
	{ "no newline at the end", "VERSION_ID=2\nID=\"amzn\"", "amzn", "2", 0 },
	{ "blanks around '='", " ID = \"sles\" \n\tVERSION_ID =15.3\n", "sles", "15.3", 0 },
	{ "comments", "#ID=no\n # ID=no\nID=yes # ID=no\nVERSION_ID=1#2\n", "yes", "", -EBADMSG },
	{ "'=' in other values", "URL=\"http://x/?ID=no\"\nID=a\nVERSION_ID=1\n", "a", "1", 0 },
	{ "other keys that end alike", "XID=no\nID_LIKE=no\nMY_VERSION_ID=9\n", "", "", 0 },
	{ "a key in lower case", "id=no\nID=yes\n", "yes", "", 0 },
	{ "quotes in pieces", "ID=de\"bi\"'an'\nVERSION_ID=\"1\"'1'\n", "debian", "11", 0 },
	{ "a bare escape", "ID=deb\\ian\nVERSION_ID=1\\1\n", "debian", "11", 0 },
	{ "an escaped quote", "ID=\"a\\\"b\"\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "a value over two lines", "NAME=\"a\nID=no\"\nID=yes\nVERSION_ID=1\n", "yes", "1", 0 },
	{ "a continued line", "ID=deb\\\nian\nVERSION_ID=\"1\\\n1\"\n", "debian", "11", 0 },
	{ "the last of two", "ID=no\nVERSION_ID=0\nID=yes\nVERSION_ID=1\n", "yes", "1", 0 },
	{ "a bad one, then a good one", "ID=a/b\nID=\"\nID=yes\nVERSION_ID=1\n", "yes", "1", 0 },
	{ "the last of two, a bad one", "ID=no\nID=a/b\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "an expansion", "ID=$(id)\nVERSION_ID=`id`\n", "", "", -EBADMSG },
	{ "a path", "ID=../../etc\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "dots", "ID=..\nVERSION_ID=.\n", "", "", -EBADMSG },
	{ "percent escapes", "ID=a%2e%2e\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "two words", "ID=a b\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "a quote that stays open", "ID=\"deb\nVERSION_ID=1\n", "", "1", -EBADMSG },
	{ "another's quote that stays open", "NAME='x\nID=yes\nVERSION_ID=1\n", "yes", "1", 0 },
	{ "a backslash at the end", "ID=debian\nVERSION_ID=\\", "debian", "", 0 },
	{ "bytes over 127",
	  "ID=d\xc3\xa9"
	  "bian\nVERSION_ID=1\n",
	  "", "1", -EBADMSG },
	{ "no assignment", "ID\nVERSION_ID\n=x\n\n", "", "", 0 },
	{ "nothing", "", "", "", 0 },
};

static void test_os_release(void)
{
	for (size_t i = 0; i < COUNT(os_releases); i++) {
		struct kernel k = { .distro = "before", .distro_version = "before" };
		struct fail f = { 0 };
		int err = kernel_parse_os_release(os_releases[i].text, strlen(os_releases[i].text),
						  &k, &f);

		tap_is_int(err, os_releases[i].err, "os-release with %s %s", os_releases[i].what,
			   f.text);
		tap_is_int(f.text[0] != '\0', err != 0, "a sentence only with an error");
		tap_is_str(k.distro, os_releases[i].distro, "its distro");
		tap_is_str(k.distro_version, os_releases[i].version, "its version");
	}
}

static void test_os_release_limits(void)
{
	char *text = malloc(OSRELEASE_MAX_SIZE + 1);
	struct kernel k = { 0 };
	struct fail f = { 0 };

	if (!text)
		abort();
	memset(text, 'x', OSRELEASE_MAX_SIZE + 1);
	memcpy(text, "ID=ok\nVERSION_ID=", 17);
	tap_is_int(kernel_parse_os_release(text, OSRELEASE_MAX_SIZE, &k, &f), -EBADMSG,
		   "a line of a megabyte: %s", f.text);
	tap_is_str(k.distro, "ok", "its other field is there");
	tap_is_str(k.distro_version, "", "the long one is not");
	tap_is_int(kernel_parse_os_release(text, OSRELEASE_MAX_SIZE + 1, &k, &f), -E2BIG,
		   "a byte over the limit");
	tap_is_str(k.distro, "", "nothing is taken of it");
	memcpy(text, "ID=ok\nVERSION_ID=1\0", 20);
	tap_is_int(kernel_parse_os_release(text, 20, &k, &f), -EBADMSG, "a NUL byte");
	tap_is_str(k.distro, "", "nothing is taken of it");
	memset(text, 'a', 3 + 128);
	memcpy(text, "ID=", 3);
	tap_is_int(kernel_parse_os_release(text, 3 + 127, &k, &f), 0, "127 bytes of ID fit");
	tap_is_int(strlen(k.distro), 127, "all of them");
	tap_is_int(kernel_parse_os_release(text, 3 + 128, &k, &f), -EBADMSG, "128 do not");
	free(text);
}

struct notes {
	uint8_t bytes[512];
	size_t size;
	int big_endian;
};

static void put_u32(struct notes *n, uint32_t x)
{
	for (int i = 0; i < 4; i++)
		n->bytes[n->size++] = x >> (n->big_endian ? 24 - 8 * i : 8 * i);
}

static void put_note(struct notes *n, const char *name, uint32_t type, const void *desc,
		     size_t size)
{
	size_t name_size = strlen(name) + 1;

	put_u32(n, name_size);
	put_u32(n, size);
	put_u32(n, type);
	memcpy(n->bytes + n->size, name, name_size);
	n->size += (name_size + 3) & ~3ul;
	memcpy(n->bytes + n->size, desc, size);
	n->size += (size + 3) & ~3ul;
}

static const uint8_t id_bytes[64] = { 0xe4, 0xf1, 0x8d, 0x9d, 0xc1, 0xd0, 0xe6, 0xfc,
				      0x2b, 0x17, 0xe9, 0x3e, 0x88, 0x5a, 0x64, 0x7b,
				      0x3c, 0x0a, 0x6f, 0xc1, 1,    2,	  3,	4 };

#define SHA1_HEX "e4f18d9dc1d0e6fc2b17e93e885a647b3c0a6fc1"

/* The three notes of a real kernel: build-id, version, salt. */
static struct notes real_notes(int big_endian)
{
	struct notes n = { .big_endian = big_endian };

	put_note(&n, "Linux", 0x101, "\0\0\0", 4);
	put_note(&n, "GNU", 3, id_bytes, 20);
	put_note(&n, "Linux", 0x100, "6.1.102-1.182", 14);
	return n;
}

static int parse(const struct notes *n, size_t size, char hex[KERNEL_FIELD_SIZE])
{
	/* Of the exact size, so that sanitizers see a read past the end. */
	uint8_t *copy = malloc(size ? size : 1);
	int err;

	if (!copy)
		abort();
	memcpy(copy, n->bytes, size);
	snprintf(hex, KERNEL_FIELD_SIZE, "untouched");
	err = kernel_parse_notes(copy, size, hex, NULL);
	free(copy);
	return err;
}

static void test_notes(void)
{
	char hex[KERNEL_FIELD_SIZE];
	struct notes n;

	for (int big = 0; big < 2; big++) {
		n = real_notes(big);
		tap_is_int(parse(&n, n.size, hex), 0, "notes of a kernel, %s-endian",
			   big ? "big" : "little");
		tap_is_str(hex, SHA1_HEX, "their build-id");
	}
	for (size_t size = 8; size <= 32; size += 8) {
		n = (struct notes){ .size = 0 };
		put_note(&n, "GNU", 3, id_bytes, size);
		tap_is_int(parse(&n, n.size, hex), 0, "a build-id of %zu bytes", size);
		tap_is_int(strlen(hex), 2 * size, "gives all digits");
	}
	n = (struct notes){ .size = 0 };
	put_note(&n, "GNU", 3, id_bytes, 18);
	tap_is_int(parse(&n, n.size - 2, hex), 0, "the last padding may be missing");
}

static void test_bad_notes(void)
{
	char hex[KERNEL_FIELD_SIZE];
	struct notes n = { .size = 0 };

	tap_is_int(parse(&n, 0, hex), -ENOENT, "no notes");
	tap_is_str(hex, "untouched", "give no build-id");
	put_note(&n, "Linux", 0x100, "salt", 4);
	put_note(&n, "GNU", 1, id_bytes, 20);
	put_note(&n, "GNX", 3, id_bytes, 20);
	put_note(&n, "GNU2", 3, id_bytes, 20);
	tap_is_int(parse(&n, n.size, hex), -ENOENT, "notes of other names and types");
	tap_is_str(hex, "untouched", "give no build-id");
	for (size_t size = 0; size <= 40; size += 4) {
		if (size >= 8 && size <= 32)
			continue;
		n = (struct notes){ .size = 0 };
		put_note(&n, "GNU", 3, id_bytes, size);
		tap_is_int(parse(&n, n.size, hex), -EBADMSG, "a build-id of %zu bytes", size);
	}
	n = real_notes(0);
	put_note(&n, "GNU", 3, id_bytes, 20);
	tap_is_int(parse(&n, n.size, hex), 0, "the same build-id twice");
	put_note(&n, "GNU", 3, id_bytes + 1, 20);
	tap_is_int(parse(&n, n.size, hex), -EBADMSG, "two different ones");
	n = (struct notes){ .size = 0 };
	for (int i = 0; i < 3; i++)
		put_u32(&n, 0xfffffffd);
	put_note(&n, "GNU", 3, id_bytes, 20);
	tap_is_int(parse(&n, n.size, hex), -EBADMSG, "sizes that wrap");
}

static void test_cut_notes(void)
{
	char hex[KERNEL_FIELD_SIZE];
	struct notes n = real_notes(0);
	size_t end = 24 + 12 + 4 + 20; /* of the build-id */
	int wrong = 0;

	for (size_t size = 0; size < end; size++)
		wrong += parse(&n, size, hex) == 0 || strcmp(hex, "untouched");
	tap_is_int(wrong, 0, "cut before the build-id's end, %zu ways", end);
	wrong = 0;
	for (size_t size = end; size < n.size; size++)
		wrong += parse(&n, size, hex) != 0 || strcmp(hex, SHA1_HEX);
	tap_is_int(wrong, 0, "what comes after it is not needed");
}

static void test_arch(void)
{
	static const char *const pairs[][2] = {
		{ "x86_64", "x86_64" },	      { "amd64", "x86_64" },	{ "arm64", "arm64" },
		{ "aarch64", "arm64" },	      { "i386", "i386" },	{ "i486", "i386" },
		{ "i586", "i386" },	      { "i686", "i386" },	{ "armv7l", "armhf" },
		{ "armhf", "armhf" },	      { "armv5tel", "armel" },	{ "armv6l", "armel" },
		{ "armel", "armel" },	      { "ppc64le", "ppc64el" }, { "ppc64el", "ppc64el" },
		{ "s390x", "s390x" },	      { "mipsel", "mipsel" },	{ "mips64el", "mips64el" },
		{ "mips", "mips" },	      { "mips64", "mips64" },	{ "riscv64", "riscv64" },
		{ "loongarch64", "loong64" },
	};

	for (size_t i = 0; i < COUNT(pairs); i++) {
		const char *arch = kernel_arch(pairs[i][0]);

		tap_is_str(arch ? arch : "", pairs[i][1], "arch %s", pairs[i][0]);
		tap_ok(arch && kernel_arch(arch) && !strcmp(kernel_arch(arch), arch),
		       "its name stands for itself");
	}
	tap_ok(!kernel_arch("unknown"), "\"unknown\" is none");
	tap_ok(!kernel_arch(""), "nothing is none");
	tap_ok(!kernel_arch("X86_64"), "case matters");
}

static void test_name_ok(void)
{
	static const char *const good[] = { "5.4.0-42-generic",
					    "6.12.117+deb13-amd64",
					    "a",
					    "a~b:c@d",
					    "4.4.103-6.33.1-default",
					    "_",
					    ".x" };
	static const char *const bad[] = { "",	   ".",		 "..",	 "a/b",	  "a b",
					   "a\nb", "a\r\nHost:", "a..b", "a%2fb", "d\xc3\xa9",
					   "a\\b", "a\x7f",	 "a\"b", "$x",	  "a*" };
	char name[KERNEL_FIELD_SIZE + 1];

	for (size_t i = 0; i < COUNT(good); i++)
		tap_is_int(kernel_name_ok(good[i]), 1, "%s is a name", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		tap_is_int(kernel_name_ok(bad[i]), 0, "bad name %zu", i);
	memset(name, 'a', sizeof(name));
	name[KERNEL_FIELD_SIZE] = '\0';
	tap_is_int(kernel_name_ok(name), 0, "128 bytes are too many");
	name[KERNEL_FIELD_SIZE - 1] = '\0';
	tap_is_int(kernel_name_ok(name), 1, "127 are not");
}

#define OTHER_ID "00000000c1d0e6fc2b17e93e885a647b3c0a6fc1"

static const struct {
	const char *what;
	struct kernel a, b;
	enum kernel_match match;
} matches[] = {
	{ "build-ids alone", { .build_id = SHA1_HEX }, { .build_id = SHA1_HEX }, KERNEL_EXACT },
	{ "the same build-id under another name",
	  { "x86_64", "5.4.0-1", "", SHA1_HEX, "ubuntu", "20.04" },
	  { "x86_64", "5.4.0-2", "", SHA1_HEX, "debian", "11" },
	  KERNEL_EXACT },
	{ "another build-id under the same name",
	  { "x86_64", "5.4.0-1", "#1", SHA1_HEX, "ubuntu", "20.04" },
	  { "x86_64", "5.4.0-1", "#1", OTHER_ID, "ubuntu", "20.04" },
	  KERNEL_DIFFERS },
	{ "a build-id on one side only",
	  { "x86_64", "5.4.0-1", "#1", SHA1_HEX, "", "" },
	  { "x86_64", "5.4.0-1", "#1", "", "", "" },
	  KERNEL_ATTESTED },
	{ "the version on one side only",
	  { "x86_64", "5.4.0-1", "#1", "", "", "" },
	  { "x86_64", "5.4.0-1", "", SHA1_HEX, "", "" },
	  KERNEL_NAMED },
	{ "another version",
	  { "x86_64", "5.4.0-77-generic", "#86-Ubuntu", "", "ubuntu", "20.04" },
	  { "x86_64", "5.4.0-77-generic", "#86~18.04.1-Ubuntu", "", "ubuntu", "20.04" },
	  KERNEL_DIFFERS },
	{ "another distro, as in a container",
	  { "x86_64", "5.4.0-1", "#1", "", "alpine", "3.9" },
	  { "x86_64", "5.4.0-1", "#1", "", "ubuntu", "20.04" },
	  KERNEL_ATTESTED },
	{ "another arch",
	  { "x86_64", "5.4.0-1", "#1", "", "", "" },
	  { "arm64", "5.4.0-1", "#1", "", "", "" },
	  KERNEL_DIFFERS },
	{ "another release",
	  { "x86_64", "5.4.0-1", "#1", "", "", "" },
	  { "x86_64", "5.4.0-2", "#1", "", "", "" },
	  KERNEL_DIFFERS },
	{ "no release on one side",
	  { "x86_64", "", "#1", "", "", "" },
	  { "x86_64", "5.4.0-1", "#1", "", "", "" },
	  KERNEL_DIFFERS },
	{ "nothing known on either side", { .arch = "" }, { .arch = "" }, KERNEL_DIFFERS },
	{ "the beginning of a build-id",
	  { "x86_64", "5.4.0-1", "", SHA1_HEX, "", "" },
	  { "x86_64", "5.4.0-1", "", "e4f18d9dc1d0", "", "" },
	  KERNEL_ATTESTED },
	{ "the beginning of another one",
	  { "x86_64", "5.4.0-1", "", SHA1_HEX, "", "" },
	  { "x86_64", "5.4.0-1", "", "e4f18d9dc1d1", "", "" },
	  KERNEL_DIFFERS },
	{ "the beginning of a build-id under another name",
	  { "x86_64", "5.4.0-1", "", SHA1_HEX, "", "" },
	  { "x86_64", "5.4.0-2", "", "e4f18d9dc1d0", "", "" },
	  KERNEL_DIFFERS },
};

static void test_match(void)
{
	for (size_t i = 0; i < COUNT(matches); i++) {
		tap_is_int(kernel_match(&matches[i].a, &matches[i].b), matches[i].match, "%s",
			   matches[i].what);
		tap_is_int(kernel_match(&matches[i].b, &matches[i].a), matches[i].match,
			   "and the other way round");
	}
}

static char root[] = "/tmp/kernel-XXXXXX";

static const char *below(const char *name)
{
	static char paths[4][256];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, 256, "%s/%s", root, name);
	return path;
}

static void write_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(below(name), "we");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		abort();
}

static void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* What the live kernel is said to be, with os-release below root. */
static struct kernel live(char note[512], const char *notes)
{
	struct kernel_sources sources = { .host_root = root, .notes_path = notes };
	struct kernel k = { 0 };
	struct fail f = { 0 };

	tap_is_int(kernel_live(&sources, &k, note, 512, &f), 0, "asked %s", f.text);
	return k;
}

static void link_to(const char *target, const char *name)
{
	unlink(below(name));
	if (symlink(target, below(name)))
		abort();
}

/* Not to usr/lib/os-release, which would be looked at anyway. */
static void test_live_links(void)
{
	static const char *const inside[] = { "../usr/lib/real", "/usr/lib/real",
					      "../../../../../usr/lib/./real", "hop",
					      "/lib-link/real" };
	static const char *const outside[] = { "/etc/os-release-that-is-missing", "loop", "/etc",
					       "fifo", "../usr/lib/real/x" };
	char note[512];
	struct kernel k;

	write_text("usr/lib/real", "ID=below\nVERSION_ID=1\n");
	link_to("/usr/lib/real", "etc/hop");
	link_to("usr/../usr/lib", "lib-link");
	link_to("loop", "etc/loop");
	mkfifo(below("etc/fifo"), 0644);
	for (size_t i = 0; i < COUNT(inside); i++) {
		link_to(inside[i], "etc/os-release");
		k = live(note, "/nonexistent");
		tap_is_str(k.distro, "below", "etc/os-release -> %s stays below the root (%s)",
			   inside[i], note);
	}
	unlink(below("usr/lib/real"));
	for (size_t i = 0; i < COUNT(outside); i++) {
		link_to(outside[i], "etc/os-release");
		k = live(note, "/nonexistent");
		tap_is_str(k.distro, "", "etc/os-release -> %s gives none", outside[i]);
		tap_ok(strstr(note, "os-release") != NULL, "and a reason: %s", note);
	}
	unlink(below("etc/os-release"));
}

/* A link to a file that this machine has and the root has not: never followed outside. */
static void test_live_escape(void)
{
	char note[512], target[300];
	struct kernel k;

	write_text("secret", "ID=escaped\n");
	snprintf(target, sizeof(target), "%s/secret", root);
	link_to(target, "etc/os-release");
	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "", "an absolute link does not lead out of the root");
	snprintf(target, sizeof(target), "../../../../../../..%s/secret", root);
	link_to(target, "etc/os-release");
	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "", "nor does a relative one");
	unlink(below("etc/os-release"));
	unlink(below("secret"));
}

static void test_live_order(void)
{
	char note[512];
	struct kernel k;

	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "", "no os-release at all");
	tap_ok(strstr(note, "usr/lib/os-release") != NULL, "is told: %s", note);
	write_text("usr/lib/os-release", "ID=usr\nVERSION_ID=1\n");
	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "usr", "only the one in usr/lib");
	write_text("etc/os-release", "ID=etc\n");
	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "etc", "the one in etc goes first");
	tap_is_str(k.distro_version, "", "and nothing is taken of the other");
	write_text("etc/os-release", "ID=../x\nVERSION_ID=1\n");
	k = live(note, "/nonexistent");
	tap_is_str(k.distro, "", "a forbidden ID is none");
	tap_is_str(k.distro_version, "1", "the version is there");
	tap_ok(strstr(note, "ID is \"../x\"") != NULL, "and the reason is told: %s", note);
	unlink(below("etc/os-release"));
	unlink(below("usr/lib/os-release"));
}

static void test_live_notes(void)
{
	struct notes n = real_notes(0);
	char note[512];
	struct kernel k;

	write_file("notes", n.bytes, n.size);
	k = live(note, below("notes"));
	tap_is_str(k.build_id, SHA1_HEX, "the notes file has a build-id");
	tap_ok(strstr(note, "notes") == NULL, "no complaint about it: %s", note);
	write_file("notes", n.bytes, 30);
	k = live(note, below("notes"));
	tap_is_str(k.build_id, "", "a cut one gives none");
	tap_ok(strstr(note, "cut short") != NULL, "and a reason: %s", note);
	k = live(note, below("etc/fifo"));
	tap_is_str(k.build_id, "", "nor does a FIFO, without waiting");
	k = live(note, "/dev/zero");
	tap_is_str(k.build_id, "", "nor a device");
	k = live(note, root);
	tap_is_str(k.build_id, "", "nor a folder");
	unlink(below("notes"));
}

static void test_live_overrides(void)
{
	struct kernel_sources s = { .host_root = root,
				    .notes_path = "/nonexistent",
				    .release = "6.12.117+deb13-amd64",
				    .version = "#1 SMP x/y",
				    .machine = "aarch64" };
	static const char *const bad[] = { "a/b", "..", "a\r\nHost: x", "", "5.4 #x", "\xc3\xa9" };
	struct kernel k = { .release = "untouched" };
	struct fail f = { 0 };

	for (size_t i = 0; i < COUNT(bad); i++) {
		s.release = bad[i];
		tap_is_int(kernel_live(&s, &k, NULL, 0, &f), -EINVAL, "release refused: %s",
			   f.text);
	}
	tap_is_str(k.release, "untouched", "nothing was given");
	s.release = "6.12.117+deb13-amd64";
	s.version = "#1\nSMP";
	tap_is_int(kernel_live(&s, &k, NULL, 0, &f), -EINVAL, "version refused: %s", f.text);
	s.version = "#1 SMP x/y";
	tap_is_int(kernel_live(&s, &k, NULL, 0, &f), 0, "all overridden");
	tap_is_str(k.release, s.release, "release");
	tap_is_str(k.version, s.version, "version");
	tap_is_str(k.arch, "arm64", "machine");
}

static void test_live_machine(void)
{
	struct kernel_sources s = { .host_root = root,
				    .notes_path = "/nonexistent",
				    .machine = "pdp11" };
	char note[64] = "before", tiny[4] = "xyz";
	struct kernel k = { 0 };

	tap_is_int(kernel_live(&s, &k, note, sizeof(note), NULL), 0, "an unknown machine");
	tap_is_str(k.arch, "", "has no arch");
	tap_ok(strstr(note, "pdp11") != NULL, "and a reason: %s", note);
	tap_is_int(kernel_live(&s, &k, tiny, sizeof(tiny), NULL), 0, "a note of four bytes");
	tap_is_int(strlen(tiny), 3, "is cut to them");
	s.machine = "mips64";
	kernel_live(&s, &k, NULL, 0, NULL);
	tap_is_str(k.arch, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "mips64" : "mips64el",
		   "uname's mips64 goes by this program's byte order");
}

static void test_live_here(void)
{
	char note[512] = "";
	struct kernel k = { 0 };
	struct utsname u;
	int old;

	uname(&u);
	tap_is_int(kernel_live(NULL, &k, note, sizeof(note), NULL), 0, "this machine (%s)", note);
	tap_is_str(k.release, u.release, "its release");
	tap_is_str(k.version, u.version, "its version");
	tap_ok(*k.arch && kernel_arch(u.machine) && !strcmp(k.arch, kernel_arch(u.machine)),
	       "its arch %s", k.arch);
	printf("# build-id %s, distro %s %s\n", k.build_id, k.distro, k.distro_version);
	old = personality(0xffffffff);
	if (personality(PER_LINUX32 | UNAME26) < 0) {
		tap_skip("personality(2) is not allowed here");
		return;
	}
	kernel_live(NULL, &k, NULL, 0, NULL);
	tap_is_str(k.release, u.release, "its release under linux32 --uname-2.6");
	tap_ok(kernel_arch(u.machine) && !strcmp(k.arch, kernel_arch(u.machine)),
	       "its arch under it");
	tap_is_int(personality(0xffffffff), PER_LINUX32 | UNAME26, "which is left as it was");
	personality(old);
}

int main(void)
{
	if (!mkdtemp(root) || mkdir(below("etc"), 0755) || mkdir(below("usr"), 0755) ||
	    mkdir(below("usr/lib"), 0755))
		abort();
	alarm(60); /* whoever walks links for ever is ended */
	test_os_release();
	test_os_release_limits();
	test_notes();
	test_bad_notes();
	test_cut_notes();
	test_arch();
	test_name_ok();
	test_match();
	test_live_links();
	test_live_escape();
	test_live_order();
	test_live_notes();
	test_live_overrides();
	test_live_machine();
	test_live_here();
	for (const char *const *p =
		     (const char *const[]){ "etc/hop", "etc/loop", "etc/fifo", "lib-link", NULL };
	     *p; p++)
		unlink(below(*p));
	rmdir(below("etc"));
	rmdir(below("usr/lib"));
	rmdir(below("usr"));
	tap_is_int(rmdir(root), 0, "all is cleaned up");
	return tap_done();
}
