// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A hostile need meets hostile BTF: two bytes with the size of the BTF, the BTF, then the need's
 * lines. What is cut must give the same answers, be the same the second time, and cut to itself.
 */
#include "btfgen/minimize.h"
#include "btfgen/plan.h"
#include "btfs/fail.h"
#include "btfs/need.h"
#include "btfs/text.h"
#include "btfs/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was cut, cut again: nothing more can go. */
static void cut_again(const struct plan *plan, const struct minimized *m)
{
	struct minimized again = { 0 };
	struct view *view = NULL;

	if (view_open(m->btf, m->size, NULL, &view, NULL))
		abort();
	if (minimize(plan, view, MINIMIZE_SERVED, &again, NULL) || again.size > m->size)
		abort();
	minimized_free(&again);
	view_close(view);
}

static void cut(const struct plan *plan, const struct view *view)
{
	struct minimized m = { 0 }, twice = { 0 };
	struct fail f = { .text = "" };
	int err = minimize(plan, view, MINIMIZE_SERVED, &m, &f);

	if (err) {
		/* -EPROTO: the proof failed, which is refused and no harm, but wants to be known */
		if (!f.text[0] || m.btf || err == -EPROTO)
			abort();
		return;
	}
	if (minimize(plan, view, MINIMIZE_SERVED, &twice, NULL) || twice.size != m.size ||
	    memcmp(twice.btf, m.btf, m.size) != 0)
		abort();
	minimized_free(&twice);
	cut_again(plan, &m);
	minimized_free(&m);
}

static struct need *read_need(const uint8_t *data, size_t size)
{
	struct text text = { 0 };
	struct need *need = NULL;

	text_add(&text, "btfdepot-need 1\n");
	text_bytes(&text, data, size);
	if (text.failed || need_parse(text.p, text.size, &need, NULL))
		need = NULL;
	text_free(&text);
	return need;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct need *need = NULL;
	struct plan *plan = NULL;
	struct view *view = NULL;
	size_t btf_size;

	if (size < 2)
		return 0;
	btf_size = data[0] | data[1] << 8;
	data += 2;
	size -= 2;
	if (btf_size > size || view_open(data, btf_size, NULL, &view, NULL))
		return 0;
	need = read_need(data + btf_size, size - btf_size);
	if (need && !plan_new(need, &plan, NULL))
		cut(plan, view);
	plan_free(plan);
	need_free(need);
	view_close(view);
	return 0;
}
