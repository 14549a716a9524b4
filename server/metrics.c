// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* The last stands for every other. 408 and 499 were never sent: no whole request came. */
static const unsigned int statuses[] = {
	200, 206, 304, 400, 404, 405, 408, 410, 412, 413, 414, 416, 431, 499, 500, 503, 505, 0,
};

#define N_STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static const struct {
	const char *name, *label, *help; /* no help: another label of the line above */
} events[METRICS_N_EVENTS] = {
	[METRICS_ACCEPTED] = { "btfdepot_connections_accepted_total", "", "Connections accepted." },
	[METRICS_REFUSED] = { "btfdepot_connections_closed_total", "{why=\"limit\"}",
			      "Connections closed by the server before the client was done." },
	[METRICS_EVICTED] = { "btfdepot_connections_closed_total", "{why=\"evicted\"}", NULL },
	[METRICS_HEADER_DEADLINE] = { "btfdepot_connections_closed_total",
				      "{why=\"header-deadline\"}", NULL },
	[METRICS_RESPONSE_DEADLINE] = { "btfdepot_connections_closed_total",
					"{why=\"response-deadline\"}", NULL },
	[METRICS_RELOADS] = { "btfdepot_tree_reloads_total", "{result=\"ok\"}",
			      "Times that the tree was read again." },
	[METRICS_RELOADS_FAILED] = { "btfdepot_tree_reloads_total", "{result=\"failed\"}", NULL },
};

static const struct {
	const char *name, *help;
} gauges[METRICS_N_GAUGES] = {
	[METRICS_CONNECTIONS] = { "btfdepot_connections", "Connections open now." },
	[METRICS_TREE_FILES] = { "btfdepot_tree_files", "Names served." },
	[METRICS_TREE_BYTES] = { "btfdepot_tree_bytes", "Bytes under all names served." },
};

struct metrics {
	const char *(*route_name)(size_t route);
	size_t n_routes;
	atomic_ullong events[METRICS_N_EVENTS];
	atomic_ullong gauges[METRICS_N_GAUGES];
	atomic_ullong requests[][N_STATUSES];
};

struct metrics *metrics_new(const char *(*route_name)(size_t route), size_t n_routes)
{
	struct metrics *metrics;

	metrics = calloc(1, sizeof(*metrics) + n_routes * sizeof(metrics->requests[0]));
	if (!metrics)
		return NULL;
	metrics->route_name = route_name;
	metrics->n_routes = n_routes;
	return metrics;
}

void metrics_free(struct metrics *metrics)
{
	free(metrics);
}

void metrics_request(struct metrics *metrics, size_t route, unsigned int status)
{
	size_t i = 0;

	while (statuses[i] && statuses[i] != status)
		i++;
	atomic_fetch_add_explicit(&metrics->requests[route][i], 1, memory_order_relaxed);
}

void metrics_count(struct metrics *metrics, enum metrics_event event)
{
	atomic_fetch_add_explicit(&metrics->events[event], 1, memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, enum metrics_gauge gauge, size_t value)
{
	atomic_store_explicit(&metrics->gauges[gauge], value, memory_order_relaxed);
}

static void write_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_requests(FILE *out, const struct metrics *metrics)
{
	static const char name[] = "btfdepot_http_requests_total";
	unsigned long long n;
	size_t r, s;

	write_head(out, name, "counter", "Requests by route and status; route none: refused.");
	for (r = 0; r < metrics->n_routes; r++) {
		for (s = 0; s < N_STATUSES; s++) {
			n = metrics->requests[r][s];
			if (n && statuses[s])
				fprintf(out, "%s{route=\"%s\",status=\"%u\"} %llu\n", name,
					metrics->route_name(r), statuses[s], n);
			else if (n)
				fprintf(out, "%s{route=\"%s\",status=\"other\"} %llu\n", name,
					metrics->route_name(r), n);
		}
	}
}

char *metrics_text(const struct metrics *metrics, size_t *ret_size)
{
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	write_requests(out, metrics);
	for (i = 0; i < METRICS_N_EVENTS; i++) {
		if (events[i].help)
			write_head(out, events[i].name, "counter", events[i].help);
		fprintf(out, "%s%s %llu\n", events[i].name, events[i].label,
			(unsigned long long)metrics->events[i]);
	}
	for (i = 0; i < METRICS_N_GAUGES; i++) {
		write_head(out, gauges[i].name, "gauge", gauges[i].help);
		fprintf(out, "%s %llu\n", gauges[i].name, (unsigned long long)metrics->gauges[i]);
	}
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	*ret_size = size;
	return text;
}
