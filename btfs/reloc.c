// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "reloc.h"

#include "fail.h"
#include "view.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>

static const char *const kind_names[] = {
	[BPF_CORE_FIELD_BYTE_OFFSET] = "byte_off",    [BPF_CORE_FIELD_BYTE_SIZE] = "byte_sz",
	[BPF_CORE_FIELD_EXISTS] = "field_exists",     [BPF_CORE_FIELD_SIGNED] = "signed",
	[BPF_CORE_FIELD_LSHIFT_U64] = "lshift_u64",   [BPF_CORE_FIELD_RSHIFT_U64] = "rshift_u64",
	[BPF_CORE_TYPE_ID_LOCAL] = "local_type_id",   [BPF_CORE_TYPE_ID_TARGET] = "target_type_id",
	[BPF_CORE_TYPE_EXISTS] = "type_exists",	      [BPF_CORE_TYPE_SIZE] = "type_size",
	[BPF_CORE_ENUMVAL_EXISTS] = "enumval_exists", [BPF_CORE_ENUMVAL_VALUE] = "enumval_value",
	[BPF_CORE_TYPE_MATCHES] = "type_matches",
};

const char *reloc_kind_name(uint32_t kind)
{
	return kind < sizeof(kind_names) / sizeof(*kind_names) ? kind_names[kind] : NULL;
}

/* A flavor is "___" and what follows it, with a character before that is no underscore. */
size_t reloc_essential_len(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = n; i-- > 4;)
		if (name[i] != '_' && name[i - 1] == '_' && name[i - 2] == '_' &&
		    name[i - 3] == '_' && name[i - 4] != '_')
			return i - 3;
	return n;
}

uint32_t reloc_add_name(struct reloc *r, const char *name, size_t len)
{
	uint32_t at = r->names.size;

	if (!len)
		return 0;
	text_bytes(&r->names, name, len);
	text_bytes(&r->names, "", 1);
	return at;
}

int reloc_begin(struct reloc *r)
{
	*r = (struct reloc){ 0 };
	text_bytes(&r->names, "", 1);
	return r->names.failed ? -ENOMEM : 0;
}

void reloc_free(struct reloc *reloc)
{
	free(reloc->nodes);
	text_free(&reloc->names);
	*reloc = (struct reloc){ 0 };
}

struct reloc_node *reloc_add_node(struct reloc *r, enum reloc_word word)
{
	if (r->n_nodes == r->nodes_room) {
		uint32_t room = r->nodes_room ? r->nodes_room * 2 : 4;
		struct reloc_node *nodes;

		if (r->n_nodes >= RELOC_MAX_NODES)
			return NULL;
		nodes = realloc(r->nodes, room * sizeof(*nodes));
		if (!nodes)
			return NULL;
		r->nodes = nodes;
		r->nodes_room = room;
	}
	r->nodes[r->n_nodes] = (struct reloc_node){ .word = word, .end = r->n_nodes + 1 };
	return &r->nodes[r->n_nodes++];
}

void reloc_close(struct reloc *r, uint32_t first)
{
	for (uint32_t i = r->n_nodes; i-- > first;) {
		uint32_t end = i + 1;

		for (uint32_t n = r->nodes[i].n_children; n; n--)
			end = r->nodes[end].end;
		r->nodes[i].end = end;
	}
}

static const char *const words[RELOC_N_WORDS] = {
	[RELOC_VOID] = "void",
	[RELOC_INT] = "int",
	[RELOC_SINT] = "sint",
	[RELOC_FLOAT] = "float",
	[RELOC_PTR] = "ptr",
	[RELOC_ARRAY] = "array",
	[RELOC_STRUCT] = "struct",
	[RELOC_UNION] = "union",
	[RELOC_COMPOSITE] = "composite",
	[RELOC_ENUM] = "enum",
	[RELOC_FWD] = "fwd",
	[RELOC_FUNC] = "func",
	[RELOC_MEMBER] = "member",
	[RELOC_ENUMERATOR] = "enumerator",
	[RELOC_NONE] = "none",
	[RELOC_DEEP] = "deep",
};

static const uint8_t root_kinds[] = {
	BTF_KIND_INT, BTF_KIND_STRUCT,	BTF_KIND_UNION,	   BTF_KIND_ENUM,
	BTF_KIND_FWD, BTF_KIND_TYPEDEF, BTF_KIND_FLOAT,	   BTF_KIND_FUNC,
	BTF_KIND_VAR, BTF_KIND_DATASEC, BTF_KIND_DECL_TAG, BTF_KIND_TYPE_TAG,
};

/* A tree in preorder: "word:name/number(child,child)", name and number left out where empty. */
static void format_type(const struct reloc *r, uint32_t first, struct text *t)
{
	uint32_t end = r->nodes[first].end, ends[RELOC_MAX_DEPTH];
	size_t open = 0;

	for (uint32_t i = first; i < end; i++) {
		const struct reloc_node *node = &r->nodes[i];

		text_string(t, words[node->word]);
		if (node->name) {
			text_bytes(t, ":", 1);
			text_percent(t, reloc_name(r, node->name), "");
		}
		if (node->number) {
			text_bytes(t, "/", 1);
			text_number(t, node->number);
		}
		if (node->n_children) {
			text_bytes(t, "(", 1);
			ends[open++] = node->end;
			continue;
		}
		for (; open && ends[open - 1] == i + 1; open--)
			text_bytes(t, ")", 1);
		if (open)
			text_bytes(t, ",", 1);
	}
}

static void format_path(const struct reloc *r, struct text *t)
{
	for (uint32_t i = 0; i < r->n_steps; i++) {
		const struct reloc_step *s = &r->steps[i];

		if (s->name) {
			text_string(t, i ? "." : "");
			text_percent(t, reloc_name(r, s->name), "");
			continue;
		}
		text_string(t, i ? "[" : "");
		text_number(t, s->index);
		text_string(t, i ? "]" : "");
	}
	if (!r->n_steps)
		text_bytes(t, "-", 1);
}

static void format_types(const struct reloc *r, struct text *t)
{
	uint32_t end;

	for (uint32_t i = 0; i < r->n_nodes; i = end) {
		end = r->nodes[i].end;
		if (i)
			text_bytes(t, ",", 1);
		format_type(r, i, t);
	}
	if (!r->n_nodes)
		text_bytes(t, "-", 1);
}

void reloc_format(const struct reloc *reloc, struct text *t)
{
	text_string(t, kind_names[reloc->kind]);
	text_bytes(t, "\t", 1);
	text_string(t, view_kind_name(reloc->root_kind));
	text_bytes(t, "\t", 1);
	text_percent(t, reloc_name(reloc, reloc->root), "");
	text_bytes(t, "\t", 1);
	format_path(reloc, t);
	text_bytes(t, "\t", 1);
	format_types(reloc, t);
	text_bytes(t, "\n", 1);
}

struct reader {
	struct reloc *r;
	const char *p, *end;
};

static bool take(struct reader *in, char c)
{
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

static bool take_number(struct reader *in, uint32_t *ret)
{
	uint32_t x = 0;
	const char *start = in->p;

	for (; in->p < in->end && *in->p >= '0' && *in->p <= '9'; in->p++)
		if (__builtin_mul_overflow(x, 10u, &x) ||
		    __builtin_add_overflow(x, (uint32_t)(*in->p - '0'), &x))
			return false;
	*ret = x;
	return in->p > start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* A percent-encoded name, not empty. */
static bool take_name(struct reader *in, uint32_t *ret)
{
	struct text *names = &in->r->names;
	uint32_t at = names->size;

	for (;;) {
		const char *start = in->p;
		int high, low;
		char c;

		while (in->p < in->end && is_word_byte(*in->p))
			in->p++;
		text_bytes(names, start, in->p - start);
		if (in->end - in->p < 3 || *in->p != '%')
			break;
		high = hex_digit(in->p[1]);
		low = hex_digit(in->p[2]);
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return false;
		c = high << 4 | low;
		text_bytes(names, &c, 1);
		in->p += 3;
	}
	if (names->size == at)
		return false;
	text_bytes(names, "", 1);
	*ret = at;
	return !names->failed;
}

static bool take_word(struct reader *in, uint8_t *ret)
{
	size_t n = 0;

	while (in->p + n < in->end && in->p[n] >= 'a' && in->p[n] <= 'z')
		n++;
	for (unsigned i = 0; i < RELOC_N_WORDS; i++) {
		if (strlen(words[i]) == n && !memcmp(words[i], in->p, n)) {
			in->p += n;
			*ret = i;
			return true;
		}
	}
	return false;
}

/* What the matcher relies on: nobody else looks at how many children a word has. */
static bool children_fit(const struct reloc *r, const struct reloc_node *node)
{
	const struct reloc_node *child = node + 1;

	if (spec_is_field(r->kind))
		return node->n_children == (node->word == RELOC_ARRAY);
	switch (node->word) {
	case RELOC_PTR:
	case RELOC_ARRAY:
	case RELOC_MEMBER:
		return node->n_children == 1 && child->word != RELOC_MEMBER &&
		       child->word != RELOC_ENUMERATOR;
	case RELOC_FUNC:
		if (!node->n_children)
			return false;
		break;
	case RELOC_STRUCT:
	case RELOC_UNION:
	case RELOC_ENUM:
		break;
	default:
		return node->n_children == 0;
	}
	for (uint32_t i = 0; i < node->n_children; i++, child = &r->nodes[child->end]) {
		bool member = child->word == RELOC_MEMBER;
		bool enumerator = child->word == RELOC_ENUMERATOR;

		if (member != (node->word == RELOC_STRUCT || node->word == RELOC_UNION) ||
		    enumerator != (node->word == RELOC_ENUM))
			return false;
	}
	return true;
}

static bool take_node(struct reader *in)
{
	struct reloc_node *node;
	uint32_t name = 0, number = 0;
	uint8_t word;

	if (!take_word(in, &word))
		return false;
	if (take(in, ':') && !take_name(in, &name))
		return false;
	if (take(in, '/') && !take_number(in, &number))
		return false;
	node = reloc_add_node(in->r, word);
	if (!node)
		return false;
	node->name = name;
	node->number = number;
	return true;
}

/* One tree; parents are the nodes whose parenthesis is still open. */
static bool take_type(struct reader *in)
{
	uint32_t first = in->r->n_nodes, parents[RELOC_MAX_DEPTH];
	size_t open = 0;

	do {
		if (!take_node(in))
			return false;
		if (open)
			in->r->nodes[parents[open - 1]].n_children++;
		if (take(in, '(')) {
			if (open == RELOC_MAX_DEPTH)
				return false;
			parents[open++] = in->r->n_nodes - 1;
			continue;
		}
		while (open && take(in, ')'))
			open--;
		if (open && !take(in, ','))
			return false;
	} while (open);
	reloc_close(in->r, first);
	for (uint32_t i = first; i < in->r->n_nodes; i++)
		if (!children_fit(in->r, &in->r->nodes[i]))
			return false;
	return true;
}

static bool take_field_path(struct reader *in)
{
	struct reloc *r = in->r;

	if (!take_number(in, &r->steps[0].index))
		return false;
	for (r->n_steps = 1; in->p < in->end && *in->p != '\t'; r->n_steps++) {
		struct reloc_step *s = &r->steps[r->n_steps];

		if (r->n_steps == SPEC_MAX_LEN)
			return false;
		if (take(in, '.') ? !take_name(in, &s->name)
				  : !(take(in, '[') && take_number(in, &s->index) && take(in, ']')))
			return false;
	}
	return true;
}

/* Each member on the path has its type: "ptr,int". */
static bool take_field_types(struct reader *in)
{
	struct reloc *r = in->r;
	bool any = false;

	for (uint32_t i = 0; i < r->n_steps; i++) {
		if (!r->steps[i].name)
			continue;
		if (any && !take(in, ','))
			return false;
		any = true;
		r->steps[i].node = r->n_nodes;
		if (!take_type(in))
			return false;
	}
	return any || take(in, '-');
}

static bool take_path_and_types(struct reader *in)
{
	struct reloc *r = in->r;

	if (spec_is_type(r->kind))
		return take(in, '-') && take(in, '\t') && take_type(in);
	if (spec_is_enumerator(r->kind)) {
		r->n_steps = 1;
		return take_name(in, &r->steps[0].name) && take(in, '\t') && take(in, '-');
	}
	return take_field_path(in) && take(in, '\t') && take_field_types(in);
}

static bool take_text(struct reader *in, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(in->end - in->p) <= n || memcmp(in->p, text, n) || in->p[n] != '\t')
		return false;
	in->p += n + 1;
	return true;
}

static bool take_kinds(struct reader *in)
{
	uint32_t kind = 0;
	size_t root = 0;

	while (reloc_kind_name(kind) && !take_text(in, reloc_kind_name(kind)))
		kind++;
	if (!reloc_kind_name(kind) || kind == BPF_CORE_TYPE_ID_LOCAL)
		return false;
	while (root < sizeof(root_kinds) && !take_text(in, view_kind_name(root_kinds[root])))
		root++;
	if (root == sizeof(root_kinds))
		return false;
	in->r->kind = kind;
	in->r->root_kind = root_kinds[root];
	return true;
}

/* There is one way to write each relocation: what comes out again must be what came in. */
static bool is_canonical(const struct reloc *r, const char *line, size_t size)
{
	struct text t = { 0 };
	bool same;

	reloc_format(r, &t);
	same = !t.failed && t.size == size + 1 && !memcmp(t.p, line, size);
	text_free(&t);
	return same;
}

int reloc_parse(const char *line, size_t size, struct reloc *ret_reloc, struct fail *f)
{
	struct reloc r;
	struct reader in = { .r = &r, .p = line, .end = line + size };
	int err;

	err = reloc_begin(&r);
	if (err)
		return fail(f, err, "no memory");
	if (!take_kinds(&in) || !take_name(&in, &r.root) || !take(&in, '\t') ||
	    !take_path_and_types(&in) || in.p != in.end || !is_canonical(&r, line, size)) {
		reloc_free(&r);
		return fail(f, -EBADMSG, "not a relocation in canonical form: %.*s",
			    size > 100 ? 100 : (int)size, line);
	}
	*ret_reloc = r;
	return 0;
}
