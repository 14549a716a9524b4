// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "run.h"
#include "clock.h"
#include "collectors.h"
#include "events.h"
#include "load.h"
#include "load_check.h"
#include "options.h"
#include "stream.h"
#include "btfs/fail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_COLLECTOR "kernel"
#define MAX_DURATION_MS	  ((uint64_t)INT32_MAX)

struct run {
	struct options options;
	const char *collect, *duration, *max_events, *ready_fd, *steps, *buffer, *attach;
	uint64_t duration_ms, events_left; /* UINT64_MAX: no limit */
	uint64_t n_events;
	int ready; /* descriptor, or -1 */
	enum load_buffer buffer_kind;
	uint32_t provision_us;
	struct btfdepot *depot;
	struct load *load;
	struct stream *stream;	/* NULL: the object tells no events */
	struct fail unreadable; /* why the last event that could not be read was not */
	uint64_t n_unreadable;
};

static const struct collector {
	const char *name;
	const unsigned char *data, *end;
} collectors[] = {
	{ "kernel", collector_kernel, collector_kernel_end },
};

static volatile sig_atomic_t stopped;

static void say(const struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct run *run, const char *fmt, ...)
{
	va_list args;

	if (run->options.quiet)
		return;
	fputs("btf-agent run: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	putc('\n', stderr);
}

static int read_number(const char *option, const char *s, uint64_t max, uint64_t *ret_number,
		       struct fail *f)
{
	unsigned long long n;
	char *end;

	if (!s)
		return 0;
	errno = 0;
	n = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end || errno || n > max)
		return fail(f, -EINVAL, "--%s takes a number up to %" PRIu64 ", not \"%s\"", option,
			    max, s);
	*ret_number = n;
	return 0;
}

static int read_buffer(struct run *run, struct fail *f)
{
	if (!run->buffer)
		return 0;
	if (!strcmp(run->buffer, "ring"))
		run->buffer_kind = LOAD_BUFFER_RING;
	else if (!strcmp(run->buffer, "perf"))
		run->buffer_kind = LOAD_BUFFER_PERF;
	else
		return fail(f, -EINVAL, "--buffer is ring or perf, not \"%s\"", run->buffer);
	return 0;
}

/* The object: of --object, or the collector that is linked in. */
static int choose_object(struct run *run, struct btfdepot_object *embedded, struct fail *f)
{
	struct options *o = &run->options;
	const char *name = run->collect ? run->collect : DEFAULT_COLLECTOR;
	size_t i;

	if (o->n_objects && run->collect)
		return fail(f, -EINVAL, "--collect and --object exclude each other");
	if (o->n_objects > 1)
		return fail(f, -EINVAL, "run takes one --object");
	if (o->n_objects)
		return 0;
	for (i = 0; i < sizeof(collectors) / sizeof(collectors[0]); i++) {
		if (strcmp(collectors[i].name, name))
			continue;
		embedded->data = collectors[i].data;
		embedded->size = (size_t)(collectors[i].end - collectors[i].data);
		o->depot.objects = embedded;
		o->depot.n_objects = 1;
		return 0;
	}
	return fail(f, -EINVAL, "there is no collector \"%s\"; there is: " DEFAULT_COLLECTOR, name);
}

static int read_own(struct run *run, struct btfdepot_object *embedded, struct fail *f)
{
	uint64_t fd = UINT64_MAX;
	int err;

	err = read_number("duration-ms", run->duration, MAX_DURATION_MS, &run->duration_ms, f);
	if (err)
		return err;
	err = read_number("max-events", run->max_events, UINT64_MAX - 1, &run->events_left, f);
	if (err)
		return err;
	err = read_number("ready-fd", run->ready_fd, INT32_MAX, &fd, f);
	if (err)
		return err;
	run->ready = fd == UINT64_MAX ? -1 : (int)fd;
	if (run->ready >= 0 && fcntl(run->ready, F_GETFD) < 0)
		return fail(f, -EINVAL, "--ready-fd %s is not an open descriptor", run->ready_fd);
	err = read_buffer(run, f);
	if (err)
		return err;
	return choose_object(run, embedded, f);
}

static void log_depot(void *ctx, enum btfdepot_log_level level, const char *line)
{
	say(ctx, "%s", line);
}

static int find_btf(struct run *run)
{
	uint64_t start = clock_now_us();
	int err;

	if (run->options.verbose) {
		run->options.depot.log = log_depot;
		run->options.depot.log_ctx = run;
	}
	err = btfdepot__provision(&run->options.depot, &run->depot);
	run->provision_us = (uint32_t)(clock_now_us() - start);
	if (!err)
		return 0;
	if (run->depot && !run->options.quiet)
		fputs(btfdepot__report(run->depot), stderr);
	say(run, "no BTF for this kernel: nothing was loaded");
	return err;
}

static void log_libbpf(void *ctx, const char *line, int noise)
{
	const struct run *run = ctx;

	if (run->options.verbose)
		say(run, "%s%s", noise ? "harmless: " : "", line);
}

static int load_object(struct run *run, struct fail *f)
{
	const struct btfdepot_opts *depot = &run->options.depot;
	const struct load_opts opts = {
		.object = depot->objects[0],
		.btf_path = btfdepot__path(run->depot),
		.buffer = run->buffer_kind,
		.attach = run->attach,
		.log = log_libbpf,
		.log_ctx = run,
	};

	return load_new(&opts, &run->load, f);
}

static void print_event(void *ctx, const void *data, size_t size)
{
	struct run *run = ctx;
	int err;

	if (!run->events_left)
		return;
	err = run->options.json ? events_print_json(data, size, &run->unreadable)
				: events_print_text(data, size, &run->unreadable);
	if (err) {
		run->n_unreadable++;
		return;
	}
	run->n_events++;
	if (run->events_left != UINT64_MAX)
		run->events_left--;
}

static void on_signal(int number)
{
	stopped = 1;
}

/* From here on both signals are delivered while the poll waits, and at no other time. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void say_where_from(const struct run *run)
{
	struct load_times times = load_times(run->load);
	struct btfdepot_answer answer = { .source = "nowhere", .where = "" };
	struct stat st = { 0 };
	char size[32] = "";
	size_t i;

	for (i = 0; i < btfdepot__n_answers(run->depot); i++) {
		if (!btfdepot__answer(run->depot, i, &answer) && !answer.err)
			break;
	}
	if (btfdepot__fd(run->depot) >= 0 && !fstat(btfdepot__fd(run->depot), &st))
		snprintf(size, sizeof(size), ", %lld bytes", (long long)st.st_size);
	say(run,
	    "BTF %s from %s %s%s; provision %.1f ms, open %.1f ms, load %.1f ms, attach %.1f ms",
	    btfdepot__verdict_name(btfdepot__verdict(run->depot)), answer.source, answer.where,
	    size, run->provision_us / 1e3, times.open_us / 1e3, times.load_us / 1e3,
	    times.attach_us / 1e3);
}

static void say_events(const struct run *run)
{
	const struct load_event *event;
	size_t i;

	for (i = 0; i < load_n_events(run->load); i++) {
		event = load_event(run->load, i);
		if (event->by[0] && (run->steps || run->options.verbose))
			say(run, "%s by %s", event->name, event->by);
		else if (event->why[0])
			say(run, "%s off: %s", event->name, event->why);
	}
	if (run->stream && (run->steps || run->options.verbose))
		say(run, "events by the %s buffer",
		    load_buffer(run->load) == LOAD_BUFFER_RING ? "ring" : "perf");
}

static int say_ready(const struct run *run, struct fail *f)
{
	static const char word[] = "ready\n";
	ssize_t n;

	if (!run->options.quiet)
		fputs(word, stderr);
	if (run->ready < 0)
		return 0;
	n = write(run->ready, word, sizeof(word) - 1);
	if (n != (ssize_t)sizeof(word) - 1)
		return fail(f, -EIO, "--ready-fd %d does not take the word", run->ready);
	return 0;
}

/* Waits for events, a signal or the end; 0: the end has come. Not signalfd: kernels lack it. */
static int wait_until(uint64_t end_us, struct pollfd *events)
{
	uint64_t now = clock_now_us(), left = end_us > now ? end_us - now : 0;
	struct timespec ts = { (time_t)(left / 1000000), (long)(left % 1000000) * 1000 };
	sigset_t none;

	if (!left)
		return 0;
	sigemptyset(&none);
	events->revents = 0;
	if (ppoll(events, 1, end_us == UINT64_MAX ? NULL : &ts, &none) < 0 && errno != EINTR)
		return -errno;
	return 1;
}

static int pump(struct run *run, struct fail *f)
{
	struct pollfd events = { .fd = run->stream ? stream_fd(run->stream) : -1,
				 .events = POLLIN };
	uint64_t end_us = UINT64_MAX;
	int more = 1;

	if (run->duration_ms != UINT64_MAX)
		end_us = clock_now_us() + run->duration_ms * 1000;
	while (more && run->events_left && !stopped) {
		more = wait_until(end_us, &events);
		if (more < 0)
			return fail(f, more, "waiting for events: %s", strerror(-more));
		/* At the end too, for what came in the meantime. */
		if (run->stream)
			stream_read(run->stream);
		if (fflush(stdout) || ferror(stdout))
			return fail(f, -EIO, "events cannot be written to stdout");
	}
	return 0;
}

static void say_end(const struct run *run)
{
	if (!run->stream)
		return;
	say(run, "%" PRIu64 " events, %" PRIu64 " lost", run->n_events, stream_lost(run->stream));
	if (run->n_unreadable)
		say(run, "%" PRIu64 " events could not be read: %s", run->n_unreadable,
		    run->unreadable.text);
}

static int collect(struct run *run, struct fail *f)
{
	int err;

	err = load_object(run, f);
	if (err)
		return err;
	err = stream_new(run->load, print_event, run, &run->stream, f);
	if (err == -ENOENT)
		say(run, "%s", f->text);
	else if (err)
		return err;
	catch_signals();
	err = load_attach(run->load, f);
	if (err)
		return err;
	say_where_from(run);
	say_events(run);
	err = say_ready(run, f);
	if (err)
		return err;
	err = pump(run, f);
	say_end(run);
	return err;
}

static void run_free(struct run *run)
{
	stream_free(run->stream);
	load_free(run->load);
	btfdepot__free(run->depot);
	options_free(&run->options);
}

int cmd_run(int argc, char **argv)
{
	struct run run = { .duration_ms = UINT64_MAX, .events_left = UINT64_MAX, .ready = -1 };
	const struct options_own own[] = {
		{ "collect", "NAME", "what to collect [kernel]", &run.collect },
		{ "duration-ms", "N", "stop after that time", &run.duration },
		{ "max-events", "N", "stop after that many events", &run.max_events },
		{ "buffer", "KIND", "ring or perf [ring where the kernel has it]", &run.buffer },
		{ "attach", "WAY", "tried first: raw, tp or kprobe", &run.attach },
		{ "ready-fd", "FD", "write a line there once events can come", &run.ready_fd },
		{ "steps", NULL, "say what each event comes from", &run.steps },
		{ 0 },
	};
	const struct options_usage usage = {
		.synopsis = "run [options]",
		.about = "Finds the BTF, loads a collector, or the BPF object of --object, and\n"
			 "prints its events until SIGINT or SIGTERM.",
		.own = own,
	};
	struct btfdepot_object embedded = { 0 };
	struct fail f = { "" };
	int code, err;

	code = options_read(&run.options, argc, argv, &usage);
	if (code >= 0)
		return code;
	if (read_own(&run, &embedded, &f)) {
		fprintf(stderr, "btf-agent run: %s; try --help\n", f.text);
		options_free(&run.options);
		return OPTIONS_EXIT_USAGE;
	}
	err = load_check(run.options.depot.objects, run.options.depot.kernel_btf, &f);
	if (err) {
		say(&run, "%s", f.text);
		options_free(&run.options);
		return OPTIONS_EXIT_FAILED;
	}
	err = find_btf(&run);
	code = err ? options_exit_code(err) : OPTIONS_EXIT_OK;
	if (!err && collect(&run, &f)) {
		say(&run, "%s", f.text);
		code = OPTIONS_EXIT_FAILED;
	}
	run_free(&run);
	return code;
}
