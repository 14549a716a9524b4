// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "http.h"
#include "btfs/fail.h"
#include "door.h"
#include "head.h"
#include "log.h"
#include "metrics.h"
#include "pool.h"
#include "request.h"
#include "routes.h"
#include "tree.h"

#include <errno.h>
#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_AFTER_S "5"

struct http {
	struct http_opts opts;
	struct door *door;
	struct pool *pool;
};

/* From the request's first line to the end of its answer. */
struct request {
	struct http *http;
	struct conn *conn;
	uint64_t start_us;
	char method[32];
	char target[REQUEST_MAX_TARGET + 2]; /* one more than is accepted */
	unsigned int status;		     /* 0: not answered */
	size_t bytes;
};

static ssize_t read_nothing(void *arg, uint64_t at, char *buffer, size_t size)
{
	return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* For HEAD and 304, whose Content-Length is that of the body which isn't sent (RFC 9110, 8.6). */
static struct MHD_Response *bodyless_response(size_t size)
{
	return MHD_create_response_from_callback(size, 512, read_nothing, NULL, NULL);
}

static void drop_tree(void *tree)
{
	tree_unref(tree);
}

/* Bytes of a file: out of memory while the tree is held, or by sendfile(2). */
static struct MHD_Response *file_response(const struct tree_file *file, struct tree *tree,
					  size_t first, size_t length)
{
	struct MHD_Response *response;
	int fd;

	if (file->data) {
		response = MHD_create_response_from_buffer_with_free_callback_cls(
			length, (char *)file->data + first, drop_tree, tree);
		if (response)
			tree_ref(tree);
		return response;
	}
	fd = tree_open(tree, file, NULL);
	if (fd < 0)
		return NULL;
	response = MHD_create_response_from_fd_at_offset64(length, fd, first);
	if (!response)
		close(fd);
	return response;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	MHD_add_response_header(response, name, value);
}

static enum MHD_Result queue(struct request *request, struct MHD_Connection *c,
			     struct MHD_Response *response, unsigned int status)
{
	enum MHD_Result ret;

	if (!response)
		return MHD_NO;
	add_header(response, "Server", "btf-server");
	add_header(response, "X-Content-Type-Options", "nosniff");
	if (door_is_closing(request->http->door))
		add_header(response, "Connection", "close");
	request->status = status;
	ret = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return ret;
}

/* The sentence, as text or, where the client asks for it, {"error": "sentence"}. Our sentences
 * hold no byte of the request, so only our own quotes need escaping. */
static struct MHD_Response *sentence_response(struct request *request, const char *why, int as_json)
{
	struct MHD_Response *response;
	char text[2 * FAIL_TEXT_MAX + 32], *p = text;

	if (as_json) {
		p = stpcpy(p, "{\"error\": \"");
		for (; *why; *p++ = *why++)
			if (*why == '"' || *why == '\\')
				*p++ = '\\';
		p = stpcpy(p, "\"}\n");
	} else {
		p += snprintf(text, sizeof(text), "%s\n", why);
	}
	response = MHD_create_response_from_buffer(p - text, text, MHD_RESPMEM_MUST_COPY);
	if (!response)
		return NULL;
	request->bytes = p - text;
	add_header(response, "Content-Type",
		   as_json ? "application/json" : "text/plain; charset=utf-8");
	add_header(response, "Cache-Control", "no-store");
	add_header(response, "Vary", "Accept");
	return response;
}

static enum MHD_Result refuse(struct request *request, struct MHD_Connection *c,
			      unsigned int status, const char *why, int as_json)
{
	struct MHD_Response *response = sentence_response(request, why, as_json);

	if (response && status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add_header(response, "Allow", ROUTES_ALLOW);
	if (response && status == MHD_HTTP_SERVICE_UNAVAILABLE)
		add_header(response, "Retry-After", RETRY_AFTER_S);
	return queue(request, c, response, status);
}

static enum MHD_Result send_text(struct request *request, struct MHD_Connection *c,
				 struct answer *answer)
{
	struct MHD_Response *response;

	response = MHD_create_response_from_buffer(answer->text_size, answer->text,
						   MHD_RESPMEM_MUST_COPY);
	if (response) {
		add_header(response, "Content-Type", answer->type);
		add_header(response, "Cache-Control", "no-store");
		request->bytes = answer->text_size;
	}
	return queue(request, c, response, answer->status);
}

/* The status of a file, with what of it is to be sent. If-Match, If-None-Match, Range and If-Range
 * in the order of RFC 9110, 13.2.2; ranges are for GET. */
static unsigned int choose_part(struct MHD_Connection *c, const struct head *head,
				const struct tree_file *file, int is_get, size_t part[2])
{
	part[0] = 0;
	part[1] = file->size;
	if (head->has_if_match && !head_lists_etag(c, "If-Match", file->sha256, REQUEST_STRONG))
		return MHD_HTTP_PRECONDITION_FAILED;
	if (head->has_if_none_match &&
	    head_lists_etag(c, "If-None-Match", file->sha256, REQUEST_WEAK))
		return MHD_HTTP_NOT_MODIFIED;
	if (!is_get || head->n_ranges != 1)
		return MHD_HTTP_OK;
	if (head->n_if_ranges > 1 ||
	    (head->if_range &&
	     (head->if_range[0] != '"' ||
	      !request_etag_listed(head->if_range, file->sha256, REQUEST_STRONG))))
		return MHD_HTTP_OK;
	switch (request_range(head->range, file->size, &part[0], &part[1])) {
	case REQUEST_PART:
		return MHD_HTTP_PARTIAL_CONTENT;
	case REQUEST_UNSATISFIABLE:
		return MHD_HTTP_RANGE_NOT_SATISFIABLE;
	default:
		return MHD_HTTP_OK;
	}
}

/*
 * Only a name that holds the digest of its own bytes can be kept without asking. A minimised BTF's
 * name says need and kernel, and its signature and index are replaced together with it: a cache
 * that kept one and not the other would make agents refuse both. Asking again costs a 304.
 */
static void add_file_headers(struct MHD_Response *response, const struct tree_file *file)
{
	char etag[80];

	snprintf(etag, sizeof(etag), "\"%s\"", file->sha256);
	add_header(response, "ETag", etag);
	add_header(response, "Cache-Control",
		   file->is_named_by_digest ? "public, max-age=31536000, immutable"
					    : "public, no-cache");
	add_header(response, "Accept-Ranges", "bytes");
}

static enum MHD_Result send_file(struct request *request, struct MHD_Connection *c,
				 const struct head *head, const struct tree_file *file,
				 struct tree *tree)
{
	int is_get = strcmp(request->method, "GET") == 0;
	struct MHD_Response *response;
	char range[80];
	size_t part[2];
	unsigned int status = choose_part(c, head, file, is_get, part);

	if (status == MHD_HTTP_PRECONDITION_FAILED)
		return refuse(request, c, status,
			      "the file has another ETag than If-Match asks for", head->wants_json);
	if (status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		response = sentence_response(request,
					     "the range begins beyond the file's end; ask for less",
					     head->wants_json);
	else if (status == MHD_HTTP_NOT_MODIFIED || !is_get)
		response = bodyless_response(file->size);
	else
		response = file_response(file, tree, part[0], part[1]);
	if (!response)
		return refuse(request, c, MHD_HTTP_SERVICE_UNAVAILABLE,
			      "the file can't be read as it was listed; try again later",
			      head->wants_json);
	if (status == MHD_HTTP_PARTIAL_CONTENT)
		snprintf(range, sizeof(range), "bytes %zu-%zu/%zu", part[0], part[0] + part[1] - 1,
			 file->size);
	else
		snprintf(range, sizeof(range), "bytes */%zu", file->size);
	if (status == MHD_HTTP_PARTIAL_CONTENT || status == MHD_HTTP_RANGE_NOT_SATISFIABLE)
		add_header(response, "Content-Range", range);
	if (status != MHD_HTTP_RANGE_NOT_SATISFIABLE) {
		add_header(response, "Content-Type", file->type);
		add_file_headers(response, file);
		request->bytes = status == MHD_HTTP_NOT_MODIFIED || !is_get ? 0 : part[1];
	}
	return queue(request, c, response, status);
}

static enum MHD_Result answer_request(struct request *request, struct MHD_Connection *c,
				      const struct head *head)
{
	struct http *http = request->http;
	struct tree *tree = tree_slot_get(http->opts.slot);
	struct site site = { .tree = tree, .metrics = http->opts.metrics };
	struct answer answer;
	enum MHD_Result ret;

	routes_answer(&site, request->method, request->target, &answer);
	if (answer.status >= 400)
		ret = refuse(request, c, answer.status, answer.why.text, head->wants_json);
	else if (answer.file)
		ret = send_file(request, c, head, answer.file, tree);
	else
		ret = send_text(request, c, &answer);
	if (strcmp(request->method, "HEAD") == 0)
		request->bytes = 0;
	metrics_request(http->opts.metrics, answer.route, request->status);
	answer_free(&answer);
	tree_unref(tree);
	return ret;
}

static struct conn *conn_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info ? info->socket_context : NULL;
}

/* Paths are decoded once, by request_path. */
static size_t dont_unescape(void *arg, struct MHD_Connection *c, char *s)
{
	return strlen(s);
}

/* The library waits for edges: an end of input that came together with the request shows none, and
 * the connection would stay until its deadline. This makes another edge. */
static void wake_if_ended(const struct conn *conn)
{
	char byte;

	if (recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		shutdown(conn->fd, SHUT_RD);
}

/* The request's first line has come. What is returned is the request's context from here on. */
static void *on_target(void *arg, const char *target, struct MHD_Connection *c)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->http = arg;
	request->conn = conn_of(c);
	request->start_us = door_now_us();
	strncpy(request->target, target ? target : "", sizeof(request->target) - 1);
	wake_if_ended(request->conn);
	return request;
}

/*
 * Called when the header is complete, and again when the (empty) body is. A response that is queued
 * at the first call ends the connection, which is right for what is refused there.
 */
// NOLINTNEXTLINE(readability-function-size): the parameters are the library's
static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *data_size, void **context)
{
	struct request *request = *context;
	struct head head;
	const char *why = NULL;
	unsigned int status;
	enum MHD_Result ret;

	if (!request)
		return MHD_NO;
	head_read(c, &head);
	if (request->method[0])
		return answer_request(request, c, &head);
	strncpy(request->method, method, sizeof(request->method) - 1);
	door_answering(request->http->door, request->conn);
	status = head_check(&head, version, &why);
	if (!status)
		return MHD_YES;
	ret = refuse(request, c, status, why, head.wants_json);
	metrics_request(request->http->opts.metrics, ROUTES_NONE, status);
	return ret;
}

/* Bytes given to the kernel for this connection since it began. */
static uint64_t bytes_written(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size))
		return 0;
	return info.tcpi_bytes_sent - info.tcpi_bytes_retrans + info.tcpi_notsent_bytes;
}

static void log_request(struct http *http, const struct log_entry *entry)
{
	if (http->opts.log)
		http->opts.log(entry);
}

/* What became of a request that we did not answer: the library refused it (a malformed or too big
 * header), we cut it, or the client went. The last two have statuses that nobody was sent. */
static unsigned int unanswered_status(struct request *request, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info;

	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_HTTP_STATUS);
	if (info)
		return info->http_status;
	return door_cut_why(request->http->door, request->conn) ? 408 : 499;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct request *request = *context;
	struct http *http = arg;
	struct log_entry entry;

	if (!request)
		return;
	*context = NULL;
	if (!request->status) {
		request->status = unanswered_status(request, c);
		metrics_request(http->opts.metrics, ROUTES_NONE, request->status);
	}
	entry = (struct log_entry){
		.peer = &request->conn->peer,
		.method = request->method[0] ? request->method : NULL,
		.target = request->target,
		.status = request->status,
		.bytes = request->bytes,
		.us = door_now_us() - request->start_us,
	};
	entry.note = door_cut_why(http->door, request->conn);
	if (!entry.note && code != MHD_REQUEST_TERMINATED_COMPLETED_OK && request->status < 400)
		entry.note = "aborted";
	log_request(http, &entry);
	request->conn->written = bytes_written(request->conn->fd);
	door_waiting(http->door, request->conn);
	free(request);
}

/* The status with which the library, in this thread, last refused something by itself. */
static _Thread_local unsigned int library_status;

/* The library says it nowhere but in its log, and there without the connection. */
static void hear_library(void *arg, const char *fmt, va_list args)
{
	static const char refusal[] = "Error processing request (HTTP response code is %u";

	if (strncmp(fmt, refusal, sizeof(refusal) - 1) == 0)
		library_status = va_arg(args, unsigned int);
}

/*
 * A first line that it can't read the library answers without a callback. It shows in that more was
 * written than by all answers before; whoever is refused is closed at once, so the status is the
 * thread's last.
 */
static void log_refused_line(struct http *http, const struct conn *conn)
{
	struct log_entry entry = { .peer = &conn->peer, .note = "malformed" };

	if (bytes_written(conn->fd) <= conn->written)
		return;
	entry.status = library_status ? library_status : MHD_HTTP_BAD_REQUEST;
	metrics_request(http->opts.metrics, ROUTES_NONE, entry.status);
	log_request(http, &entry);
}

/* Whether the connection that this thread adds has come as far as to the door. */
static _Thread_local int has_entered;

static void on_connection(void *arg, struct MHD_Connection *c, void **context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http *http = arg;
	const union MHD_ConnectionInfo *fd, *addr;
	struct sockaddr *sa;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
		addr = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		sa = addr->client_addr;
		has_entered = 1;
		*context = door_enter(http->door, fd->connect_fd, sa,
				      sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								: sizeof(struct sockaddr_in));
		return;
	}
	log_refused_line(http, *context);
	door_leave(http->door, *context);
	*context = NULL;
}

static void add(void *arg, struct MHD_Daemon *daemon, int fd, const struct sockaddr *addr,
		socklen_t size)
{
	struct http *http = arg;

	has_entered = 0;
	if (MHD_add_connection(daemon, fd, addr, size) != MHD_YES && !has_entered)
		door_lost(http->door);
}

static int take(void *arg, int fd, const struct sockaddr *addr, socklen_t size)
{
	struct http *http = arg;

	return pool_hand(http->pool, fd, addr, size);
}

/* The library's own limits of connections and of time are off: the door has better ones. */
static struct MHD_Daemon *start_daemon(void *arg)
{
	struct http *http = arg;

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG, 0,
				NULL, NULL, on_request, http, /* then the options */
				MHD_OPTION_EXTERNAL_LOGGER, hear_library, NULL,
				MHD_OPTION_CONNECTION_LIMIT, (unsigned int)http->opts.max_fds,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_MAX_HEAD,
				MHD_OPTION_CONNECTION_TIMEOUT, 0u,
				MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_URI_LOG_CALLBACK,
				on_target, http, MHD_OPTION_UNESCAPE_CALLBACK, dont_unescape, NULL,
				MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
				MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
}

int http_start(const struct http_opts *opts, struct http **ret_http, struct fail *f)
{
	struct http *http = calloc(1, sizeof(*http));
	struct door_opts door = {
		.listen_fd = opts->listen_fd,
		.max_connections = opts->max_connections,
		.max_per_address = opts->max_per_address,
		.header_timeout_ms = opts->header_timeout_ms,
		.response_timeout_ms = opts->response_timeout_ms,
		.metrics = opts->metrics,
		.take = take,
		.arg = http,
	};
	struct pool_opts pool = {
		.threads = opts->threads,
		.start = start_daemon,
		.add = add,
		.arg = http,
	};
	int err;

	if (!http)
		return fail(f, -ENOMEM, "no memory");
	http->opts = *opts;
	err = door_new(&door, opts->max_fds, &http->door, f);
	if (err)
		goto out;
	err = pool_new(&pool, &http->pool, f);
	if (err)
		goto out;
	err = door_start(http->door, f);
	if (err)
		goto out;
	*ret_http = http;
	http = NULL;
out:
	http_stop(http, 0);
	return err;
}

void http_stop(struct http *http, unsigned int grace_ms)
{
	if (!http)
		return;
	if (http->door)
		door_close(http->door, grace_ms);
	pool_free(http->pool);
	door_free(http->door);
	free(http);
}
