// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* What moves a need and what does not, its text, and objects that mean harm. */
#include "btfs/need.h"
#include "btfs/elf.h"
#include "btfs/fail.h"
#include "tests/compile.h"
#include "tests/tap.h"

#include <errno.h>
#include <fcntl.h>

#define HEADER "btfdepot-need 1\n"
#define TASK \
	"struct task_struct { int pid; long start; struct task_struct *parent; int a[4]; } R;\n"
#define ONE  "PROG one(struct task_struct *t) { return t->pid; }\n"
#define TWO  "PROG two(struct task_struct *t) { return t->start; }\n"
#define BASE COMPILE_HEAD TASK ONE TWO

static const char base_text[] = HEADER "byte_off\tstruct\ttask_struct\t0.pid\tint\n"
				       "byte_off\tstruct\ttask_struct\t0.start\tint\n";

/* "" where there is none. */
static void id_of(const char *source, char ret_id[DIGEST_HEX_SIZE])
{
	struct compiled o = compile(source, "-g");
	struct need *need = need_new();
	struct fail f = { .text = "" };

	if (!need || !o.data)
		abort();
	ret_id[0] = '\0';
	if (need_add_object(need, o.data, o.size, "test.o", &f) >= 0 && !need_finish(need, &f))
		snprintf(ret_id, DIGEST_HEX_SIZE, "%s", need_id(need));
	else
		printf("# %s\n", f.text);
	need_free(need);
	free(o.data);
}

static const struct change {
	const char *what, *source;
} unmoved[] = {
	{ "the order of programs", COMPILE_HEAD TASK TWO ONE },
	{ "names of programs", COMPILE_HEAD TASK
	  "PROG x(struct task_struct *t) { return t->pid; }\n"
			       "PROG y(struct task_struct *t) { return t->start; }\n" },
	{ "names of sections",
	  COMPILE_HEAD TASK ONE
	  "__attribute__((section(\"kprobe/y\"), used)) long y(struct task_struct *t)\n"
	  "{ return t->start; }\n" },
	{ "programs that are not loaded by themselves",
	  COMPILE_HEAD TASK ONE
	  "__attribute__((section(\"?raw_tp/y\"), used)) long y(struct task_struct *t)\n"
	  "{ return t->start; }\n" },
	{ "a function that is called",
	  COMPILE_HEAD TASK ONE
	  "static __attribute__((noinline)) long f(struct task_struct *t) { return t->start; }\n"
	  "PROG two(struct task_struct *t) { return f(t); }\n" },
	{ "lines", COMPILE_HEAD "\n\n\n" TASK "\n\n" ONE "\n" TWO },
	{ "paths", "# 1 \"/else/where.c\"\n" BASE },
	{ "the local offsets",
	  COMPILE_HEAD "struct task_struct { char pad[77]; long start; int pid; } R;\n" ONE TWO },
	{ "how wide an int is locally",
	  COMPILE_HEAD "struct task_struct { short pid; unsigned char start; } R;\n" ONE TWO },
	{ "const, volatile and typedefs",
	  COMPILE_HEAD "typedef int pid_t; struct task_struct { const volatile pid_t pid;\n"
		       "volatile long start; } R;\n" ONE TWO },
	{ "a flavor", COMPILE_HEAD "struct task_struct___v2 { int pid; long start; } R;\n"
		      "PROG x(struct task_struct___v2 *t) { return t->pid + t->start; }\n" },
	{ "one field twice", BASE "PROG x(struct task_struct *t) { return t->pid; }\n" },
	{ "types of its own that are not asked for",
	  BASE "struct mine { int x; } mine; PROG x(void) { return mine.x; }\n" },
	{ "the id of a local type",
	  BASE "PROG x(void) { return __builtin_btf_type_id(*(struct task_struct *)0, 0); }\n" },
}, moved[] = {
	{ "another field", BASE "PROG x(struct task_struct *t) { return (long)t->parent; }\n" },
	{ "a field less", COMPILE_HEAD TASK ONE },
	{ "a field of another kind",
	  COMPILE_HEAD "struct task_struct { int pid; void *start; } R;\n" ONE
		       "PROG two(struct task_struct *t) { return (long)t->start; }\n" },
	{ "another name of the struct",
	  COMPILE_HEAD "struct task { int pid; long start; } R;\n"
		       "PROG x(struct task *t) { return t->pid + t->start; }\n" },
	{ "a union", COMPILE_HEAD "union task_struct { int pid; long start; } R;\n"
		     "PROG x(union task_struct *t) { return t->pid + t->start; }\n" },
	{ "whether a field exists",
	  BASE "PROG x(struct task_struct *t)\n"
	       "{ return __builtin_preserve_field_info(t->pid, 2); }\n" },
	{ "an array's element", BASE "PROG x(struct task_struct *t) { return t->a[1]; }\n" },
	{ "another of its elements",
	  BASE "PROG x(struct task_struct *t) { return t->a[2]; }\n" },
	{ "the second of several", BASE "PROG x(struct task_struct *t) { return t[1].pid; }\n" },
	{ "whether a type exists",
	  BASE "PROG x(void)\n"
	       "{ return __builtin_preserve_type_info(*(struct task_struct *)0, 0); }\n" },
	{ "how large a type is",
	  BASE "PROG x(void)\n"
	       "{ return __builtin_preserve_type_info(*(struct task_struct *)0, 1); }\n" },
	{ "an enumerator", BASE "enum e { A = 1 }; PROG x(void)\n"
				"{ return __builtin_preserve_enum_value(*(enum e *)A, 1); }\n" },
};

static void test_changes(void)
{
	size_t n = sizeof(moved) / sizeof(*moved);
	char base[DIGEST_HEX_SIZE], id[DIGEST_HEX_SIZE];
	char ids[sizeof(moved) / sizeof(*moved)][DIGEST_HEX_SIZE];

	id_of(BASE, base);
	for (size_t i = 0; i < sizeof(unmoved) / sizeof(*unmoved); i++) {
		id_of(unmoved[i].source, id);
		tap_is_str(id, base, "not moved by %s", unmoved[i].what);
	}
	for (size_t i = 0; i < n; i++) {
		id_of(moved[i].source, ids[i]);
		tap_ok(ids[i][0] && strcmp(ids[i], base) != 0, "moved by %s", moved[i].what);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(ids[i], ids[j]))
				tap_ok(0, "%s and %s are the same", moved[i].what, moved[j].what);
	}
}

static void test_text(void)
{
	struct compiled o = compile(BASE, "-g");
	struct need *need = need_new(), *again = NULL;
	struct fail f = { .text = "" };
	size_t size, again_size;
	const char *text;

	if (!need || !o.data)
		abort();
	tap_is_int(need_add_object(need, o.data, o.size, "a.o", &f), 2, "two records%s", f.text);
	tap_is_int(need_add_object(need, o.data, o.size, "b.o", &f), 2, "and again");
	tap_is_int(need_finish(need, &f), 0, "finished");
	text = need_text(need, &size);
	tap_is_str(text, base_text, "each once, in order");
	tap_is_int(need_count(need), 2, "two relocations");
	tap_is_int(need_parse(text, size, &again, &f), 0, "its text is read%s", f.text);
	if (!again)
		abort();
	tap_is_str(need_id(again), need_id(need), "and is the same need");
	tap_is_str(need_text(again, &again_size), text, "with the same text");
	tap_is_int(again_size, size, "of the same size");
	need_free(again);
	need_free(need);
	need_free(NULL);
	free(o.data);
}

/* One line of each sort that comes out of objects. */
static const char *const lines[] = {
	"byte_off\tstruct\ta\t0\t-",
	"byte_off\tstruct\ta___b\t0\t-", /* of a___b___c */
	"byte_off\tstruct\ta\t3.b\tnone",
	"byte_off\tstruct\ta\t0.b[2].c[0][7].d\tarray(composite),array(array(composite)),float",
	"byte_sz\tunion\ta\t0.b\tenum",
	"field_exists\tstruct\ta\t0.b\tenum:e",
	"field_exists\tstruct\ta\t0.b\tfwd:f",
	"signed\tstruct\ta\t0.b\tptr",
	"lshift_u64\tstruct\ta\t0.b\tint",
	"rshift_u64\tstruct\ta\t0.b\tint",
	"target_type_id\tstruct\ta\t-\tstruct",
	"type_exists\ttypedef\tkey_ref_t\t-\tptr(fwd)",
	"type_exists\tint\tlong%20unsigned%20int\t-\tint",
	"type_exists\ttypedef\tf\t-\tptr(func(int,ptr(struct),void))",
	"type_size\tenum\ta\t-\tenum",
	("type_matches\tstruct\ta\t-\t"
	 "struct:a(member:b(sint:int/4),member(union(member:c(fwd:d/1))))"),
	"type_matches\tenum\ta\t-\tenum:a(enumerator:A,enumerator:B)",
	"type_matches\tstruct\ta\t-\tstruct:a",
	"enumval_exists\tenum\ta\tA\t-",
	"enumval_value\tenum\ta\tA\t-",
};

static int parse(const char *text, size_t size, struct fail *f)
{
	struct need *need = NULL;
	int err = need_parse(text, size, &need, f);

	need_free(need);
	return err;
}

static void test_lines(void)
{
	char text[512];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct fail f = { .text = "" };
		int size = snprintf(text, sizeof(text), HEADER "%s\n", lines[i]);

		tap_is_int(parse(text, size, &f), 0, "takes %s%s", lines[i], f.text);
	}
	tap_is_int(parse(HEADER, strlen(HEADER), NULL), 0, "takes an empty need");
}

#define LINE(rest) HEADER rest "\n"
static const struct refused {
	const char *what, *text;
} refused[] = {
	{ "nothing", "" },
	{ "another header", "btfdepot-need 2\n" },
	{ "a header in capitals", "BTFDEPOT-need 1\n" },
	{ "a header with a space", "btfdepot-need 1 \n" },
	{ "a header cut off", "btfdepot-need 1" },
	{ "CRLF in the header", "btfdepot-need 1\r\n" },
	{ "CRLF", HEADER "byte_off\tstruct\ta\t0.b\tint\r\n" },
	{ "no newline at the end", HEADER "byte_off\tstruct\ta\t0.b\tint" },
	{ "an empty line", LINE("byte_off\tstruct\ta\t0.b\tint\n") },
	{ "lines out of order",
	  LINE("byte_off\tstruct\ta\t0.c\tint\nbyte_off\tstruct\ta\t0.b\tint") },
	{ "a line twice", LINE("byte_off\tstruct\ta\t0.b\tint\nbyte_off\tstruct\ta\t0.b\tint") },
	{ "a space at the end", LINE("byte_off\tstruct\ta\t0.b\tint ") },
	{ "a space at the start", LINE(" byte_off\tstruct\ta\t0.b\tint") },
	{ "a space for a tab", LINE("byte_off struct\ta\t0.b\tint") },
	{ "a column more", LINE("byte_off\tstruct\ta\t0.b\tint\t") },
	{ "a column less", LINE("byte_off\tstruct\ta\t0.b") },
	{ "an escape in lower case", LINE("byte_off\tstruct\ta%2eb\t0.b\tint") },
	{ "an escape of what needs none", LINE("byte_off\tstruct\t%61\t0.b\tint") },
	{ "an escape of NUL", LINE("byte_off\tstruct\ta%00\t0.b\tint") },
	{ "half an escape", LINE("byte_off\tstruct\ta%4\t0.b\tint") },
	{ "a byte that needs an escape", LINE("byte_off\tstruct\ta-b\t0.b\tint") },
	{ "no name", LINE("byte_off\tstruct\t\t0.b\tint") },
	{ "00", LINE("byte_off\tstruct\ta\t00.b\tint") },
	{ "01", LINE("byte_off\tstruct\ta\t0.b[01]\tarray(int)") },
	{ "a sign", LINE("byte_off\tstruct\ta\t-1.b\tint") },
	{ "a number too large", LINE("byte_off\tstruct\ta\t4294967296.b\tint") },
	{ "a bracket too few", LINE("byte_off\tstruct\ta\t0.b[1\tarray(int)") },
	{ "an unknown kind", LINE("byte_offs\tstruct\ta\t0.b\tint") },
	{ "a local id", LINE("local_type_id\tstruct\ta\t-\tstruct") },
	{ "an unknown root", LINE("byte_off\tclass\ta\t0.b\tint") },
	{ "a pointer as root", LINE("type_exists\tptr\ta\t-\tptr(void)") },
	{ "an enum64 as root", LINE("type_size\tenum64\ta\t-\tenum") },
	{ "a type for a field less", LINE("byte_off\tstruct\ta\t0.b.c\tint") },
	{ "a type for a field more", LINE("byte_off\tstruct\ta\t0.b\tint,int") },
	{ "no type for a field", LINE("byte_off\tstruct\ta\t0.b\t-") },
	{ "an unknown word", LINE("byte_off\tstruct\ta\t0.b\tinteger") },
	{ "a pointer with a child", LINE("byte_off\tstruct\ta\t0.b\tptr(int)") },
	{ "an array without", LINE("byte_off\tstruct\ta\t0.b\tarray") },
	{ "an array of two", LINE("type_exists\ttypedef\ta\t-\tarray(int,int)") },
	{ "a pointer without a child", LINE("type_exists\ttypedef\ta\t-\tptr") },
	{ "a function without a result", LINE("type_exists\ttypedef\ta\t-\tptr(func)") },
	{ "a struct of no members", LINE("type_matches\tstruct\ta\t-\tstruct:a(int)") },
	{ "an enum of members", LINE("type_matches\tenum\ta\t-\tenum:a(member:b(int))") },
	{ "an empty list", LINE("type_matches\tenum\ta\t-\tenum:a()") },
	{ "an open list", LINE("type_matches\tenum\ta\t-\tenum:a(enumerator:b") },
	{ "a list closed twice", LINE("type_matches\tenum\ta\t-\tenum:a(enumerator:b))") },
	{ "an empty name", LINE("type_matches\tstruct\ta\t-\tstruct:") },
	{ "a number 0", LINE("type_matches\ttypedef\ta\t-\tsint:int/0") },
	{ "a path for a type", LINE("type_exists\tstruct\ta\t0\tstruct") },
	{ "no enumerator", LINE("enumval_value\tenum\ta\t-\t-") },
	{ "an enumerator's type", LINE("enumval_value\tenum\ta\tA\tenum") },
};

static int parse_path(int steps)
{
	char text[1024];
	size_t n = snprintf(text, sizeof(text), HEADER "byte_off\tstruct\ta\t0");

	for (int i = 1; i < steps; i++)
		n += snprintf(text + n, sizeof(text) - n, "[1]");
	n += snprintf(text + n, sizeof(text) - n, "\t-\n");
	return parse(text, n, NULL);
}

static void test_refused(void)
{
	static const char nul[] = HEADER "byte_off\tstruct\ta\t0.b\tint\0\n";

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const struct refused *r = &refused[i];
		struct fail f = { .text = "" };

		tap_is_int(parse(r->text, strlen(r->text), &f), -EBADMSG, "refuses %s", r->what);
		tap_ok(f.text[0] && !strchr(f.text, '\n'), "%s: %s", r->what, f.text);
	}
	tap_is_int(parse(nul, sizeof(nul) - 1, NULL), -EBADMSG, "refuses a NUL");
	tap_is_int(parse_path(64), 0, "takes a path of 64 steps");
	tap_is_int(parse_path(65), -EBADMSG, "refuses one of 65");
}

/* Offset within the object of the first relocation's record. */
static size_t first_record(const struct compiled *o)
{
	const void *ext;
	uint32_t header, core;
	struct elf elf;
	size_t size;

	if (elf_open(o->data, o->size, &elf, NULL) ||
	    elf_section(&elf, ".BTF.ext", &ext, &size, NULL) || size < 32)
		abort();
	memcpy(&header, (const char *)ext + 4, 4);
	memcpy(&core, (const char *)ext + 24, 4);
	return (const uint8_t *)ext - o->data + header + core + 4 + 8;
}

static uint32_t string_offset(const struct compiled *o, const char *string)
{
	const char *btf, *hit;
	uint32_t head[6];
	struct elf elf;
	size_t size;

	if (elf_open(o->data, o->size, &elf, NULL) ||
	    elf_section(&elf, ".BTF", (const void **)&btf, &size, NULL))
		abort();
	memcpy(head, btf, sizeof(head));
	btf += head[1] + head[4];
	hit = memmem(btf, head[5], string, strlen(string) + 1);
	if (!hit)
		abort();
	return hit - btf;
}

/* Tags carry the strings into the object's BTF; a relocation is then made to point there. */
static const struct hostile {
	const char *access, *said;
} hostile[] = {
	{ "-1", "malformed" },
	{ "0:-1", "malformed" },
	{ "+0:0", "malformed" },
	{ " 0:0", "malformed" },
	{ ":", "malformed" },
	{ ":0", "malformed" },
	{ "0:", "malformed" },
	{ "0::1", "malformed" },
	{ "0:1:", "malformed" },
	{ "0x0:0", "malformed" },
	{ "0:a", "malformed" },
	{ "0:99999999999", "out of range" },
	{ "99999999999:0", "out of range" },
	{ "0:2147483648", "out of range" },
	{ "0:4294967296", "out of range" },
	{ "0:2147483647", "does not fit" },
	{ "0:4", "does not fit" },
	{ "0:0:0", "does not fit" },
	{ "0:2:0", "does not fit" },
	{ "0:3:4", "does not fit" },
};

static void check_record(const struct compiled *o, size_t field, uint32_t value, int want,
			 const char *said)
{
	size_t at = first_record(o) + field;
	struct need *need = need_new();
	struct fail f = { .text = "" };
	uint32_t before;
	int got;

	if (!need)
		abort();
	memcpy(&before, o->data + at, 4);
	memcpy(o->data + at, &value, 4);
	got = need_add_object(need, o->data, o->size, "patched.o", &f);
	tap_ok(want < 0 ? got == want : got >= 0, "gives %d, wanted %d", got, want);
	tap_ok(strstr(f.text, said) != NULL, "and says \"%s\": %s", said, f.text);
	tap_is_int(need_finish(need, NULL), 0, "the need can go on");
	tap_is_int(need_count(need), want < 0 ? 0 : 1, "with what was good before");
	memcpy(o->data + at, &before, 4);
	need_free(need);
}

static void test_hostile(void)
{
	char *source = malloc(16384), parts[700] = "0";
	struct compiled o;
	size_t n = 0, size = 16384;

	if (!source)
		abort();
	for (size_t i = 1; i < 300; i++)
		memcpy(parts + 2 * i - 1, ":0", 3);
	n += snprintf(source, size, COMPILE_HEAD TASK ONE);
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		n += snprintf(source + n, size - n,
			      "__attribute__((btf_decl_tag(\"%s\"))) int t%zu;\n",
			      hostile[i].access, i);
	snprintf(source + n, size - n, "__attribute__((btf_decl_tag(\"%s\"))) int parts;\n", parts);
	o = compile(source, "-g");
	free(source);
	if (!o.data)
		abort();
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++)
		check_record(&o, 8, string_offset(&o, hostile[i].access), -EBADMSG,
			     hostile[i].said);
	check_record(&o, 8, string_offset(&o, parts), -EBADMSG, "too long");
	check_record(&o, 8, 0, -EBADMSG, "malformed");
	check_record(&o, 8, UINT32_MAX, -EBADMSG, "no access string");
	check_record(&o, 0, 4, -EBADMSG, "not at an instruction");
	check_record(&o, 4, 0, -EBADMSG, "names type 0");
	check_record(&o, 4, UINT32_MAX, -EBADMSG, "names type 4294967295");
	check_record(&o, 12, 13, -ENOTSUP, "newer than this library");
	check_record(&o, 12, 1, 1, "");
	check_record(&o, -8, UINT32_MAX, -EBADMSG, "section that is not there");
	check_record(&o, -4, 0, -EBADMSG, "cut off");
	check_record(&o, -4, UINT32_MAX, -EBADMSG, "cut off");
	check_record(&o, -12, 0, -EBADMSG, "records of 0 bytes");
	check_record(&o, -12, 4, -EBADMSG, "records of 4 bytes");
	check_record(&o, -12, UINT32_MAX, -EBADMSG, "records of 4294967295 bytes");
	free(o.data);
}

static void test_embedded(void)
{
	struct compiled a = compile(COMPILE_HEAD TASK ONE, "-g");
	struct compiled b = compile(COMPILE_HEAD TASK TWO, "-g");
	struct compiled plain = compile(COMPILE_HEAD TASK ONE, "-g0");
	struct need *need = need_new();
	struct fail f = { .text = "" };
	size_t size = a.size + b.size + 777;
	char *blob = malloc(size);

	if (!need || !blob || !a.data || !b.data || !plain.data)
		abort();
	memset(blob, 0x7f, size);
	memcpy(blob + 111, a.data, a.size);
	memcpy(blob + 333 + a.size, b.data, b.size);
	tap_is_int(need_add_object(need, blob, size, "blob", &f), 2, "two objects in a blob%s",
		   f.text);
	tap_is_int(need_add_object(need, plain.data, plain.size, "plain", &f), 0,
		   "an object without BTF has no records");
	tap_is_int(need_add_object(need, "no ELF", 6, "text", &f), -ENOENT, "%s", f.text);
	tap_is_int(need_add_object(need, "", 0, "empty", &f), -ENOENT, "%s", f.text);
	tap_is_int(need_add_object(need, blob, (size_t)NEED_MAX_OBJECT + 1, "huge", &f), -E2BIG,
		   "%s", f.text);
	tap_is_int(need_finish(need, &f), 0, "finished");
	tap_is_str(need_text(need, &size), base_text, "the union of both");
	need_free(need);
	free(blob);
	free(a.data);
	free(b.data);
	free(plain.data);
}

static void test_empty(void)
{
	struct need *need = need_new();
	size_t size;

	if (!need)
		abort();
	tap_is_int(need_finish(need, NULL), 0, "a need of nothing");
	tap_is_str(need_text(need, &size), HEADER, "is the header");
	tap_is_int(need_count(need), 0, "without relocations");
	tap_is_int(strlen(need_id(need)), 64, "with an id");
	need_free(need);
}

/* An object that is cut off anywhere gives an error or what its part still says. */
static void test_cut(void)
{
	struct compiled o = compile(BASE, "-g");
	size_t n = 0;

	for (size_t size = 0; size < o.size; size += 3) {
		uint8_t *part = malloc(size ? size : 1);
		struct need *need = need_new();
		struct fail f = { .text = "" };

		if (!part || !need)
			abort();
		memcpy(part, o.data, size);
		n += need_add_object(need, part, size, "part", &f) >= 0 || !f.text[0];
		need_free(need);
		free(part);
	}
	tap_is_int(n, 0, "each object that is cut off is refused with a reason");
	free(o.data);
}

static void test_arch(void)
{
	static const char *const names[][2] = {
		{ "a.x86_64.bpf.o", "x86_64" },
		{ "/b/c.d/a.arm64.bpf.o", "arm64" },
		{ "a.aarch64.bpf.o", "arm64" },
		{ "a.bpf.o", NULL },
		{ "a.mine.bpf.o", NULL },
		{ "x86_64.bpf.o", NULL },
		{ "a.x86_64.o", NULL },
		{ "/x.x86_64.bpf.o/a.bpf.o", NULL },
		{ "dir.x86_64/a.bpf.o", NULL },
		{ ".bpf.o", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		tap_is_str(need_arch_of(names[i][0]), names[i][1], "the arch of \"%s\"",
			   names[i][0]);
}

int main(void)
{
	struct compiled o = compile(BASE, "-g");

	test_lines();
	test_refused();
	test_empty();
	test_arch();
	if (!o.data) {
		tap_skip("no clang for BPF");
		return tap_done();
	}
	free(o.data);
	test_text();
	test_changes();
	test_hostile();
	test_embedded();
	test_cut();
	return tap_done();
}
