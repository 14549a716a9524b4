// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/fail.h"
#include "btfs/publish.h"
#include "http.h"
#include "listen.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "routes.h"
#include "tree.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_GRACE_MS	5000
#define MAX_CONNECTIONS 100000
#define SPARE_FDS	64 /* descriptors for all but connections */

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct settings {
	const char *root, *port_file;
	struct listen_address address;
	int has_address, is_quiet;
	unsigned int max_connections, max_per_address, threads;
	unsigned int header_timeout_s, response_timeout_s;
};

static const char usage[] =
	"usage: btf-server --root TREE --listen ADDRESS [options]\n"
	"Serves a tree of BTF files over HTTP, read-only.\n"
	"\n"
	"  --root TREE                the folder to serve\n"
	"  --listen ADDRESS           127.0.0.1:8080, [::1]:8080, :8080 (all); port 0: any\n"
	"  --port-file FILE           write the port number there once it listens\n"
	"  --max-connections N        at the same time (1024)\n"
	"  --max-per-address N        of these from one address, IPv6 /64; 0: no limit (256)\n"
	"  --header-timeout SECONDS   for a request to arrive whole, from the connection's or the\n"
	"                             last answer's time on (10)\n"
	"  --response-timeout SECONDS for an answer to be taken whole (60)\n"
	"  --threads N                that serve (number of processors; 2)\n"
	"  -q, --quiet                no line for each request on stderr\n"
	"  --help, --version\n"
	"\n"
	"SIGHUP reads the tree again; SIGTERM and SIGINT finish what is being answered, then end.\n"
	"Exit status: 0 stopped by a signal, 1 failed, 2 usage.\n";

static void complain(const struct fail *f)
{
	fprintf(stderr, "btf-server: %s\n", f->text);
}

static int wrong_usage(struct fail *f)
{
	fprintf(stderr, "btf-server: %s; try --help\n", f->text);
	return EXIT_USAGE;
}

static int parse_count(const char *option, const char *text, const unsigned int range[2],
		       unsigned int *ret_count, struct fail *f)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || n < range[0] || n > range[1])
		return fail(f, -EINVAL, "--%s takes a number from %u to %u, not %s", option,
			    range[0], range[1], text);
	*ret_count = n;
	return 0;
}

enum { OPT_ROOT = 256, OPT_LISTEN, OPT_PORT_FILE, OPT_HELP, OPT_VERSION, OPT_COUNTS };

/* The numbers, in the order of their options from OPT_COUNTS on. */
static const struct {
	const char *name;
	size_t offset;
	unsigned int range[2];
} counts[] = {
	{ "max-connections", offsetof(struct settings, max_connections), { 1, MAX_CONNECTIONS } },
	{ "max-per-address", offsetof(struct settings, max_per_address), { 0, MAX_CONNECTIONS } },
	{ "header-timeout", offsetof(struct settings, header_timeout_s), { 1, 3600 } },
	{ "response-timeout", offsetof(struct settings, response_timeout_s), { 1, 86400 } },
	{ "threads", offsetof(struct settings, threads), { 1, POOL_MAX_THREADS } },
};

static const struct option options[] = {
	{ "root", required_argument, NULL, OPT_ROOT },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "port-file", required_argument, NULL, OPT_PORT_FILE },
	{ "max-connections", required_argument, NULL, OPT_COUNTS },
	{ "max-per-address", required_argument, NULL, OPT_COUNTS + 1 },
	{ "header-timeout", required_argument, NULL, OPT_COUNTS + 2 },
	{ "response-timeout", required_argument, NULL, OPT_COUNTS + 3 },
	{ "threads", required_argument, NULL, OPT_COUNTS + 4 },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 },
};

static int set_option(struct settings *s, int option, struct fail *f)
{
	int err = 0;

	switch (option) {
	case OPT_ROOT:
		s->root = optarg;
		break;
	case OPT_LISTEN:
		s->has_address = 1;
		err = listen_parse(optarg, &s->address, f);
		break;
	case OPT_PORT_FILE:
		s->port_file = optarg;
		break;
	case 'q':
		s->is_quiet = 1;
		break;
	default:
		option -= OPT_COUNTS;
		err = parse_count(counts[option].name, optarg, counts[option].range,
				  (unsigned int *)((char *)s + counts[option].offset), f);
	}
	return err;
}

/* 0: go on; else the program ends, with *ret_exit. */
static int read_options(int argc, char **argv, struct settings *s, int *ret_exit)
{
	struct fail f = { "" };
	int option, err = 0;

	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, ":q", options, NULL)) != -1) {
		if (option == OPT_HELP || option == OPT_VERSION) {
			fputs(option == OPT_HELP ? usage : "btf-server " VERSION "\n", stdout);
			*ret_exit = fflush(stdout) ? EXIT_FAILED : EXIT_SUCCESS;
			return 1;
		}
		if (option == '?')
			err = fail(&f, -EINVAL, "unknown option %s", argv[optind - 1]);
		else if (option == ':')
			err = fail(&f, -EINVAL, "%s needs a value", argv[optind - 1]);
		else
			err = set_option(s, option, &f);
	}
	if (!err && optind < argc)
		err = fail(&f, -EINVAL, "unexpected argument %s", argv[optind]);
	if (!err && !s->root)
		err = fail(&f, -EINVAL, "--root is missing");
	if (!err && !s->has_address)
		err = fail(&f, -EINVAL, "--listen is missing");
	*ret_exit = err ? wrong_usage(&f) : EXIT_SUCCESS;
	return err;
}

static void log_line(const struct log_entry *entry)
{
	char line[LOG_MAX_LINE + 1];
	size_t n;

	log_format(entry, line);
	n = strlen(line);
	line[n++] = '\n';
	/* One write, so that lines of several threads don't mix; there is nowhere to report to. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

/* Each connection may have a file open, and as many again may be about to be closed. */
static int raise_fds(struct settings *s)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)s->max_connections * 4 + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 1024;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < wanted) {
		s->max_connections = limit.rlim_cur > 2 * SPARE_FDS
					     ? (limit.rlim_cur - SPARE_FDS) / 4
					     : SPARE_FDS / 4;
		fprintf(stderr,
			"btf-server: at most %u connections, as only %llu files may be open; raise "
			"ulimit -n\n",
			s->max_connections, (unsigned long long)limit.rlim_cur);
	}
	return limit.rlim_cur < wanted ? (int)limit.rlim_cur : (int)wanted;
}

static int load(const char *root, const struct tree *previous, struct metrics *metrics,
		struct tree **ret_tree, struct fail *f)
{
	struct tree_notes notes;
	int err = tree_load(root, previous, ret_tree, &notes, f);

	if (err)
		return err;
	metrics_set(metrics, METRICS_TREE_FILES, tree_count(*ret_tree));
	metrics_set(metrics, METRICS_TREE_BYTES, tree_bytes(*ret_tree));
	fprintf(stderr, "btf-server: %s has %zu files, %zu bytes\n", root, tree_count(*ret_tree),
		tree_bytes(*ret_tree));
	if (notes.skipped)
		fprintf(stderr, "btf-server: not served: %zu files or folders, the first: %s\n",
			notes.skipped, notes.first);
	return 0;
}

/* A tree that can't be read leaves the one before in its place. */
static void reload(const struct settings *s, struct tree_slot *slot, struct metrics *metrics)
{
	struct tree *tree = NULL;
	struct fail f = { "" };

	if (load(s->root, slot->tree, metrics, &tree, &f)) {
		metrics_count(metrics, METRICS_RELOADS_FAILED);
		fprintf(stderr, "btf-server: still serving what was read before: %s\n", f.text);
		return;
	}
	tree_slot_put(slot, tree);
	metrics_count(metrics, METRICS_RELOADS);
}

static int announce(const struct settings *s, const struct sockaddr_storage *bound, struct fail *f)
{
	char name[LOG_MAX_PEER], port[16];
	int n;

	log_peer(bound, name);
	n = snprintf(port, sizeof(port), "%s\n", strrchr(name, ':') + 1);
	if (s->port_file && publish_file(s->port_file, port, n, 0644, f))
		return -EIO;
	printf("listening on http://%s\n", name);
	return fflush(stdout) ? fail(f, -errno, "can't write to stdout") : 0;
}

/* Until a signal says to end. All of them are blocked in every thread. */
static void serve(const struct settings *s, const sigset_t *signals, struct tree_slot *slot,
		  struct metrics *metrics)
{
	int got;

	for (;;) {
		got = sigwaitinfo(signals, NULL);
		if (got == SIGTERM || got == SIGINT)
			return;
		if (got == SIGHUP)
			reload(s, slot, metrics);
	}
}

static int run(struct settings *s, struct metrics *metrics, struct fail *f)
{
	struct tree_slot slot = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct http_opts opts = { .listen_fd = -1, .slot = &slot, .metrics = metrics };
	struct sockaddr_storage bound;
	struct http *http = NULL;
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	opts.max_fds = raise_fds(s);
	opts.threads = s->threads;
	opts.max_connections = s->max_connections;
	opts.max_per_address = s->max_per_address;
	opts.header_timeout_ms = s->header_timeout_s * 1000;
	opts.response_timeout_ms = s->response_timeout_s * 1000;
	opts.log = s->is_quiet ? NULL : log_line;
	err = load(s->root, NULL, metrics, &slot.tree, f);
	if (!err)
		err = listen_open(&s->address, &opts.listen_fd, &bound, f);
	if (!err)
		err = http_start(&opts, &http, f);
	if (!err)
		err = announce(s, &bound, f);
	if (!err)
		serve(s, &signals, &slot, metrics);
	http_stop(http, STOP_GRACE_MS);
	if (opts.listen_fd >= 0)
		close(opts.listen_fd);
	tree_unref(slot.tree);
	return err;
}

int main(int argc, char **argv)
{
	struct settings s = { .max_connections = 1024,
			      .max_per_address = 256,
			      .header_timeout_s = 10,
			      .response_timeout_s = 60 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	struct fail f = { "" };
	struct metrics *metrics;
	int status, err;

	/* At least two: one goes on where the other waits for a disk. */
	s.threads = processors < 2		    ? 2
		    : processors > POOL_MAX_THREADS ? POOL_MAX_THREADS
						    : processors;
	if (read_options(argc, argv, &s, &status))
		return status;
	metrics = metrics_new(routes_name, routes_count());
	if (!metrics)
		return EXIT_FAILED;
	err = run(&s, metrics, &f);
	metrics_free(metrics);
	if (err)
		complain(&f);
	return err ? EXIT_FAILED : EXIT_SUCCESS;
}
