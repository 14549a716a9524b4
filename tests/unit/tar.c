// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/tar.h"
#include "btfs/decoder.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_TAR	 (128u << 10)

/* An archive that is being made; blocks are put behind one another. */
struct made {
	uint8_t *p;
	size_t n;
};

static void put_sum(uint8_t *h)
{
	unsigned int sum = 0;

	memset(h + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static uint8_t *put_block(struct made *m)
{
	m->n += 512;
	if (m->n > MAX_TAR)
		abort();
	return memset(m->p + m->n - 512, 0, 512);
}

/* POSIX ustar, put together by itself: tar_header must not be what judges tar_next. */
static uint8_t *put_header(struct made *m, char kind, const char *name, size_t size)
{
	uint8_t *h = put_block(m);

	memcpy(h, name, strnlen(name, 100));
	memcpy(h + 100,
	       "0000644\0"
	       "0001750\0"
	       "0001750",
	       24);
	snprintf((char *)h + 124, 12, "%011llo", size & 077777777777ull);
	memcpy(h + 136, "14000000000", 12);
	h[156] = kind;
	memcpy(h + 257,
	       "ustar\0"
	       "00"
	       "somebody",
	       16);
	put_sum(h);
	return h;
}

static void put_content(struct made *m, const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t done = 0; done < size; done += 512)
		memcpy(put_block(m), p + done, size - done < 512 ? size - done : 512);
}

static void put_member(struct made *m, char kind, const char *name, const char *text)
{
	put_header(m, kind, name, strlen(text));
	put_content(m, text, strlen(text));
}

static void put_end(struct made *m)
{
	put_block(m);
	put_block(m);
}

static void put_pax(struct made *m, const char *records)
{
	put_member(m, 'x', "PaxHeaders/x", records);
}

/* Reads all of it. Gives its members as "name=content" or "name/", one after another. */
static int list(const uint8_t *data, size_t size, char *ret_list, size_t list_size, struct fail *f)
{
	uint8_t *copy = malloc(size ? size : 1), first[TAR_BLOCK] = { 0 };
	struct tar_member member = { .kind = TAR_END };
	struct decoder *d = NULL;
	size_t used = 0, n = 0;
	char content[64];
	struct tar tar;
	int err;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	ret_list[0] = '\0';
	err = decoder_new(copy, size, MAX_TAR, &d, f);
	if (!err)
		err = decoder_read(d, first, sizeof(first), &n, f);
	if (err)
		goto out;
	tar_open(d, first, n, &tar);
	while (!(err = tar_next(&tar, &member, f)) && member.kind != TAR_END) {
		n = member.size < sizeof(content) ? member.size : sizeof(content);
		if (member.kind == TAR_FILE && (err = tar_read(&tar, content, n, f)))
			break;
		used += snprintf(ret_list + used, list_size - used, "%s%s%.*s ", member.name,
				 member.kind == TAR_FILE ? "=" : "", (int)n, content);
	}
out:
	decoder_free(d);
	free(copy);
	return err;
}

static void good_plain(struct made *m)
{
	put_member(m, '0', "a", "1");
	put_member(m, '0', "b/c", "22");
}

static void good_old_kind(struct made *m)
{
	put_member(m, '\0', "a", "1");
}

static void good_folders(struct made *m)
{
	put_member(m, '5', "./", "");
	put_member(m, '5', "d/", "");
	put_member(m, '0', "./d/a", "1");
}

static void good_dots(struct made *m)
{
	put_member(m, '0', "..a/b../c..d/...", "1");
}

static void good_long_gnu(struct made *m)
{
	char name[TAR_MAX_NAME];

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	put_header(m, 'L', "././@LongLink", sizeof(name));
	put_content(m, name, sizeof(name));
	put_member(m, '0', "cut", "1");
}

static void good_prefix(struct made *m)
{
	uint8_t *h = put_header(m, '0', "name", 1);

	memcpy(h + 345, "folder/below", 12);
	put_sum(h);
	put_content(m, "1", 1);
}

static void good_pax(struct made *m)
{
	put_pax(m, "30 mtime=1350244992.023960108\n20 path=long/name\xc3\xa9\n");
	put_member(m, '0', "short", "1");
}

static void good_more_zeros(struct made *m)
{
	put_member(m, '0', "a", "1");
	put_end(m);
	put_end(m);
}

static const struct {
	const char *what;
	void (*make)(struct made *m);
	const char *list;
} goods[] = {
	{ "two files", good_plain, "a=1 b/c=22 " },
	{ "the old sign of a file", good_old_kind, "a=1 " },
	{ "folders", good_folders, "./ d/ ./d/a=1 " },
	{ "dots in names", good_dots, "..a/b../c..d/...=1 " },
	{ "GNU's long name of 255 bytes", good_long_gnu, NULL },
	{ "POSIX's prefix", good_prefix, "folder/below/name=1 " },
	{ "pax records", good_pax, "long/name\xc3\xa9=1 " },
	{ "zeros up to a record", good_more_zeros, "a=1 " },
	{ "nothing", NULL, "" },
};

static void test_good(void)
{
	char names[1024];

	for (size_t i = 0; i < COUNT(goods); i++) {
		struct made m = { malloc(MAX_TAR), 0 };
		struct fail f = { 0 };

		if (!m.p)
			abort();
		if (goods[i].make)
			goods[i].make(&m);
		put_end(&m);
		tap_is_int(list(m.p, m.n, names, sizeof(names), &f), 0, "%s %s", goods[i].what,
			   f.text);
		if (goods[i].list)
			tap_is_str(names, goods[i].list, "are what was put in");
		else
			tap_is_int(strspn(names, "n"), 255, "is whole");
		free(m.p);
	}
}

/* One member with something wrong in it; NULL as content: none follows. */
static const struct {
	const char *what, *name, *content;
	char kind;
} members[] = {
	{ "a way out", "../x", "1", '0' },
	{ "a way out in the middle", "a/../../x", "1", '0' },
	{ "a way out at the end", "a/..", "1", '0' },
	{ "a folder outside", "../", "", '5' },
	{ "an absolute name", "/etc/x", "1", '0' },
	{ "an absolute folder", "/", "", '5' },
	{ "no name", "", "1", '0' },
	{ "a newline in the name", "a\nb", "1", '0' },
	{ "an escape in the name", "a\033[2Jb", "1", '0' },
	{ "a hard link", "a", "", '1' },
	{ "a symbolic link", "a", "", '2' },
	{ "a character device", "a", "", '3' },
	{ "a block device", "a", "", '4' },
	{ "a FIFO", "a", "", '6' },
	{ "a contiguous file", "a", "1", '7' },
	{ "a sparse file", "a", "1", 'S' },
	{ "a dump's folder", "a", "1", 'D' },
	{ "a continued volume", "a", "1", 'M' },
	{ "a volume label", "a", "", 'V' },
	{ "a long link", "././@LongLink", "x", 'K' },
	{ "pax records for all", "x", "11 path=xy\n", 'g' },
	{ "Sun's pax records", "x", "11 path=xy\n", 'X' },
	{ "an unknown kind", "a", "1", 'Z' },
	{ "a file that is a folder", "a/", "1", '0' },
	{ "a folder with content", "a/", "1", '5' },
	{ "an empty long name", "././@LongLink", "", 'L' },
	{ "empty pax records", "x", "", 'x' },
	{ "a pax record that says size", "x", "10 size=5\n", 'x' },
	{ "a sparse map in pax records", "x", "22 GNU.sparse.major=1\n", 'x' },
	{ "a pax record that is too long", "x", "99 path=a\n", 'x' },
	{ "a pax record of length 0", "x", "0 path=a\n", 'x' },
	{ "a pax record without length", "x", "path=a\n", 'x' },
	{ "a pax record with a huge length", "x", "18446744073709551628 path=a\n", 'x' },
	{ "a pax record without newline", "x", "9 path=ab", 'x' },
	{ "a pax record without '='", "x", "8 pathx\n", 'x' },
	{ "a pax record without anything", "x", "3 \n", 'x' },
	{ "an absolute name in pax records", "x", "13 path=/etc\n", 'x' },
	{ "a way out in pax records", "x", "13 path=../x\n", 'x' },
};

static void bad_long_300(struct made *m)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	put_header(m, 'L', "././@LongLink", sizeof(name));
	put_content(m, name, sizeof(name));
	put_member(m, '0', "a", "1");
}

static void bad_long_nul(struct made *m)
{
	put_header(m, 'L', "././@LongLink", 6);
	put_content(m, "ab\0cd", 6);
	put_member(m, '0', "a", "1");
}

static void bad_long_out(struct made *m)
{
	put_member(m, 'L', "././@LongLink", "../../x");
	put_member(m, '0', "a", "1");
}

static void bad_long_chain(struct made *m)
{
	for (int i = 0; i < 100; i++)
		put_member(m, 'L', "././@LongLink", "name");
}

static void bad_pax_chain(struct made *m)
{
	for (int i = 0; i < 100; i++)
		put_pax(m, "9 path=a\n");
}

/* One record, sound but for its length. */
static void bad_pax_large(struct made *m)
{
	static char record[TAR_MAX_PAX + 2];

	memset(record, 'x', sizeof(record) - 1);
	memcpy(record, "65537 comment=", 14);
	record[TAR_MAX_PAX] = '\n';
	put_pax(m, record);
	put_member(m, '0', "a", "1");
}

static void bad_pax_huge(struct made *m)
{
	put_header(m, 'x', "x", 2u << 20);
}

static void bad_long_then_end(struct made *m)
{
	put_member(m, 'L', "././@LongLink", "name");
	put_end(m);
}

static void bad_name_nul(struct made *m)
{
	uint8_t *h = put_header(m, '0', "a", 1);

	h[5] = 'b';
	put_sum(h);
}

/* Changes bytes of a header and, if told, makes its sum right again. */
static void change(struct made *m, size_t at, const void *bytes, size_t n, int sum)
{
	uint8_t *h = put_header(m, '0', "a", 1);

	memcpy(h + at, bytes, n);
	if (sum)
		put_sum(h);
	put_content(m, "1", 1);
}

static void bad_sum(struct made *m)
{
	change(m, 0, "b", 1, 0);
}

static void bad_magic(struct made *m)
{
	change(m, 257, "ustor", 5, 1);
}

static void bad_v7(struct made *m)
{
	change(m, 257, "\0\0\0\0\0\0\0", 8, 1);
}

static void bad_size_base256(struct made *m)
{
	change(m, 124, "\x80\0\0\0\0\0\0\0\0\0\0\1", 12, 1);
}

static void bad_size_negative(struct made *m)
{
	change(m, 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12, 1);
}

static void bad_size_2_60(struct made *m)
{
	change(m, 124, "\x80\0\0\0\x10\0\0\0\0\0\0\0", 12, 1);
}

static void bad_size_octal(struct made *m)
{
	change(m, 124, "777777777777", 12, 1);
}

static void bad_size_digits(struct made *m)
{
	change(m, 124, "00000000008", 11, 1);
}

static void bad_size_minus(struct made *m)
{
	change(m, 124, "-0000000001", 11, 1);
}

static void bad_size_empty(struct made *m)
{
	change(m, 124, "            ", 12, 1);
}

static void bad_size_over(struct made *m)
{
	change(m, 124, "00000004000", 11, 1);
}

static void bad_mode_setuid(struct made *m)
{
	change(m, 100, "0004755", 7, 1);
}

static void bad_lone_zeros(struct made *m)
{
	put_member(m, '0', "a", "1");
	put_block(m);
	put_member(m, '0', "b", "2");
}

static void bad_concatenated(struct made *m)
{
	put_member(m, '0', "a", "1");
	put_end(m);
	put_member(m, '0', "b", "2");
}

static void bad_garbage(struct made *m)
{
	put_member(m, '0', "a", "1");
	put_end(m);
	put_block(m)[511] = 1;
}

static const struct {
	const char *what;
	void (*make)(struct made *m);
} bads[] = {
	{ "a long name of 300 bytes", bad_long_300 },
	{ "a NUL in a long name", bad_long_nul },
	{ "a way out in a long name", bad_long_out },
	{ "a chain of long names", bad_long_chain },
	{ "a chain of pax records", bad_pax_chain },
	{ "a byte over 64 KiB of pax records", bad_pax_large },
	{ "2 MiB of pax records", bad_pax_huge },
	{ "a long name and no member", bad_long_then_end },
	{ "a NUL in a name", bad_name_nul },
	{ "a wrong checksum", bad_sum },
	{ "another magic", bad_magic },
	{ "the form before POSIX", bad_v7 },
	{ "a size in base 256", bad_size_base256 },
	{ "a negative size", bad_size_negative },
	{ "a size of 2^60", bad_size_2_60 },
	{ "the largest octal size", bad_size_octal },
	{ "a size that is no octal", bad_size_digits },
	{ "a size with a sign", bad_size_minus },
	{ "a size of spaces", bad_size_empty },
	{ "a size over what is left", bad_size_over },
	{ "a set-uid mode", bad_mode_setuid },
	{ "a lone block of zeros", bad_lone_zeros },
	{ "a second archive behind the first", bad_concatenated },
	{ "garbage behind the end", bad_garbage },
};

static void refuse(struct made *m, const char *what)
{
	struct fail f = { 0 };
	char names[1024];
	int err;

	put_end(m);
	err = list(m->p, m->n, names, sizeof(names), &f);
	tap_ok(err == -EBADMSG && f.text[0], "%s: %s", what, f.text);
	m->n = 0;
}

static void test_bad(void)
{
	struct made m = { malloc(MAX_TAR), 0 };

	if (!m.p)
		abort();
	for (size_t i = 0; i < COUNT(members); i++) {
		put_member(&m, members[i].kind, members[i].name, members[i].content);
		if (members[i].kind == 'L' || members[i].kind == 'x')
			put_member(&m, '0', "a", "1");
		refuse(&m, members[i].what);
		/* Behind a good one too. */
		put_member(&m, '0', "good", "1");
		put_member(&m, members[i].kind, members[i].name, members[i].content);
		if (members[i].kind == 'L' || members[i].kind == 'x')
			put_member(&m, '0', "a", "1");
		refuse(&m, "and so behind a good one");
	}
	for (size_t i = 0; i < COUNT(bads); i++) {
		bads[i].make(&m);
		refuse(&m, bads[i].what);
	}
	free(m.p);
}

/* GNU tar pads to 10,240 bytes; two blocks of zeros are the least that ends an archive. */
static void test_cut(void)
{
	struct made m = { malloc(MAX_TAR), 0 };
	int read = 0, changed = 0;
	char names[1024];
	size_t whole;

	if (!m.p)
		abort();
	put_member(&m, '5', "d/", "");
	good_pax(&m);
	good_long_gnu(&m);
	put_end(&m);
	whole = m.n;
	for (size_t n = 0; n < whole; n++)
		read += list(m.p, n, names, sizeof(names), NULL) != -EBADMSG;
	tap_is_int(read, 0, "cut at each of %zu bytes it is refused", whole);
	for (size_t n = 0; n < whole; n++) {
		m.p[n] ^= 0x20;
		changed += list(m.p, whole, names, sizeof(names), NULL) == 0;
		m.p[n] ^= 0x20;
	}
	tap_ok(changed <= (int)whole - 7 * 512, "no byte of its 5 headers and its end may differ");
	free(m.p);
}

static void test_header(void)
{
	uint8_t block[TAR_BLOCK] = { 0 };
	int unnoticed = 0;

	tap_ok(!tar_is_header(block), "a block of zeros is no header");
	tar_header('0', "5.4.0.btf", 1234, block);
	tap_ok(tar_is_header(block), "ours is");
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		block[i] ^= 1;
		unnoticed += tar_is_header(block);
		block[i] ^= 1;
	}
	tap_is_int(unnoticed, 0, "and no byte of it may differ");
}

int main(void)
{
	test_good();
	test_bad();
	test_cut();
	test_header();
	return tap_done();
}
