// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "cmd_progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FIRST_S 0.5 /* before this, nobody waits yet */
#define EVERY_S 0.1

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void progress_start(struct progress *p, size_t total, bool quiet)
{
	*p = (struct progress){ .total = total, .on = !quiet && isatty(STDERR_FILENO) };
	if (p->on)
		p->start_s = p->shown_s = now_s();
}

void progress_step(struct progress *p)
{
	double now, rate;

	p->done++;
	if (!p->on)
		return;
	now = now_s();
	if (now - p->start_s < FIRST_S || now - p->shown_s < EVERY_S)
		return;
	rate = p->done / (now - p->start_s);
	fprintf(stderr, "\r%zu of %zu, %.0f/s, %.0f s left \033[K", p->done, p->total, rate,
		(p->total - p->done) / rate);
	p->shown_s = now;
	p->visible = true;
}

void progress_end(struct progress *p)
{
	if (p->visible)
		fprintf(stderr, "\r\033[K");
	p->visible = false;
}
