/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Counters, written out in Prometheus' text format. Any thread may count. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include <stddef.h>

struct metrics;

enum metrics_event {
	METRICS_ACCEPTED,	 /* connections */
	METRICS_REFUSED,	 /* connections over a limit */
	METRICS_EVICTED,	 /* idle connections that made room */
	METRICS_HEADER_DEADLINE, /* connections cut */
	METRICS_RESPONSE_DEADLINE,
	METRICS_RELOADS,
	METRICS_RELOADS_FAILED,
	METRICS_N_EVENTS,
};

enum metrics_gauge {
	METRICS_CONNECTIONS,
	METRICS_TREE_FILES,
	METRICS_TREE_BYTES,
	METRICS_N_GAUGES,
};

/* For n_routes routes, each with a name that lives as long. NULL: no memory. */
struct metrics *metrics_new(const char *(*route_name)(size_t route), size_t n_routes);
void metrics_free(struct metrics *metrics);

void metrics_request(struct metrics *metrics, size_t route, unsigned int status);
void metrics_count(struct metrics *metrics, enum metrics_event event);
void metrics_set(struct metrics *metrics, enum metrics_gauge gauge, size_t value);

/* All of it; free with free(). NULL: no memory. */
char *metrics_text(const struct metrics *metrics, size_t *ret_size);

#endif
