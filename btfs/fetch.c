// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "fetch.h"
#include "fail.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define FETCH_CONNECT_MS	3000
#define FETCH_LOW_SPEED_BYTES	1000 /* a second ... */
#define FETCH_LOW_SPEED_S	5    /* ... for so long: given up */
#define FETCH_MAX_HEADERS	(64u << 10)
#define FETCH_MAX_ERROR_BODY	(64u << 10) /* of a 404's page, read so that the connection stays */
#define FETCH_MAX_URL		4096
#define FETCH_MAX_RETRY_AFTER_S 86400
#define FETCH_FIRST_BYTES	4096

struct fetch {
	CURL *curl;
};

struct transfer {
	CURL *curl;
	size_t max_bytes;
	char *data;
	size_t size, room;
	size_t header_bytes, skipped;
	int err; /* why a callback stopped the transfer */
	char etag[sizeof(((struct fetch_answer *)0)->etag)];
};

/*
 * The one global of this library: before 7.84 curl_global_init must not run twice at once. A
 * program that itself uses curl with threads calls it first, as curl asks of every program.
 */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct fetch *fetch_new(void)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return NULL;
	pthread_once(&curl_once, init_curl);
	fetch->curl = curl_easy_init();
	if (!fetch->curl) {
		free(fetch);
		errno = ENOMEM;
		return NULL;
	}
	return fetch;
}

void fetch_free(struct fetch *fetch)
{
	if (!fetch)
		return;
	curl_easy_cleanup(fetch->curl);
	free(fetch);
}

uint64_t fetch_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static long transfer_status(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static int transfer_reserve(struct transfer *t, size_t more)
{
	size_t room = t->room ? t->room : FETCH_FIRST_BYTES;
	char *data;

	if (more > t->max_bytes - t->size)
		return -E2BIG;
	while (room - t->size < more)
		room *= 2;
	if (room == t->room)
		return 0;
	data = realloc(t->data, room);
	if (!data)
		return -ENOMEM;
	t->data = data;
	t->room = room;
	return 0;
}

/* Whether the server itself says that its body is larger than is wanted. */
static bool announces_too_much(const struct transfer *t)
{
	curl_off_t length = -1;

	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length > 0 && (uint64_t)length > t->max_bytes;
}

/* A short count makes curl give up; a length that was announced may be wrong or absent. */
static size_t on_body(char *bytes, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	if (transfer_status(t) != 200) {
		t->skipped += n;
		return t->skipped <= FETCH_MAX_ERROR_BODY ? n : 0;
	}
	t->err = announces_too_much(t) ? -E2BIG : transfer_reserve(t, n);
	if (t->err)
		return 0;
	memcpy(t->data + t->size, bytes, n);
	t->size += n;
	return n;
}

/* "ETag:  value\r\n"; a value that is too long is not kept, half of it would match nothing. */
static void keep_etag(struct transfer *t, const char *line, size_t n)
{
	const size_t skip = strlen("etag:");

	if (n < skip || strncasecmp(line, "etag:", skip))
		return;
	line += skip;
	n -= skip;
	while (n && (*line == ' ' || *line == '\t'))
		line++, n--;
	while (n && (line[n - 1] == '\r' || line[n - 1] == '\n' || line[n - 1] == ' '))
		n--;
	if (n >= sizeof(t->etag))
		return;
	memcpy(t->etag, line, n);
	t->etag[n] = '\0';
}

/* Called for the headers of 1xx answers and trailers too, so that a flood of these counts. */
static size_t on_header(char *line, size_t one, size_t n, void *ctx)
{
	struct transfer *t = ctx;

	t->header_bytes += n;
	if (t->header_bytes > FETCH_MAX_HEADERS) {
		t->err = -EPROTO;
		return 0;
	}
	if (n >= 5 && !memcmp(line, "HTTP/", 5))
		t->etag[0] = '\0';
	keep_etag(t, line, n);
	return n;
}

static int check_url(const char *url, struct fail *f)
{
	const char *p;

	if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8))
		return fail(f, -EINVAL, "'%.200s' is not an http or https address", url);
	for (p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return fail(f, -EINVAL, "'%.200s' holds a space or a control byte", url);
	if (p - url > FETCH_MAX_URL)
		return fail(f, -E2BIG, "address has %zu bytes, the limit is %d", p - url,
			    FETCH_MAX_URL);
	return 0;
}

static void set_protocols(CURL *curl)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Or a resolver that hangs is waited for after the deadline. */
	curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_limits(CURL *curl, uint64_t left_ms)
{
	long left = left_ms > 86400000 ? 86400000 : (long)left_ms;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, left);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 left < FETCH_CONNECT_MS ? left : FETCH_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)FETCH_LOW_SPEED_BYTES);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)FETCH_LOW_SPEED_S);
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "btfdepot/" VERSION);
}

/* NULL and 0 in *ret_headers: none needed. */
static int request_headers(const struct fetch_request *request, struct curl_slist **ret_headers)
{
	char line[sizeof(((struct fetch_answer *)0)->etag) + 32];
	struct curl_slist *headers;
	size_t i;

	*ret_headers = NULL;
	if (!request->etag || !*request->etag)
		return 0;
	for (i = 0; request->etag[i]; i++)
		if ((unsigned char)request->etag[i] < ' ' || i >= sizeof(line) - 32)
			return -EINVAL;
	memcpy(line, "If-None-Match: ", 15);
	memcpy(line + 15, request->etag, i + 1);
	headers = curl_slist_append(NULL, line);
	if (!headers)
		return -ENOMEM;
	*ret_headers = headers;
	return 0;
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_URL_MALFORMAT:
		return -EINVAL;
	case CURLE_OUT_OF_MEMORY:
		return -ENOMEM;
	default:
		return -EPROTO;
	}
}

static int explain(const struct transfer *t, CURLcode code, const char *why, struct fail *f)
{
	if (t->err == -E2BIG)
		return fail(f, t->err, "answer is larger than %zu bytes", t->max_bytes);
	if (t->err == -ENOMEM)
		return fail(f, t->err, "no memory for the answer");
	if (t->err == -EPROTO)
		return fail(f, t->err, "sent more than %u bytes of headers", FETCH_MAX_HEADERS);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(f, -ETIMEDOUT, "gave no whole answer in time (%zu bytes came)",
			    t->size);
	if (code == CURLE_PARTIAL_FILE)
		return fail(f, -EPROTO, "connection was cut after %zu bytes", t->size);
	return fail(f, errno_of(code), "%s", *why ? why : curl_easy_strerror(code));
}

/*
 * With NOSIGNAL curl leaves SIGPIPE to the program, and OpenSSL writes with plain write(2): keep
 * it blocked in this thread and take away the one that came meanwhile.
 */
static CURLcode perform(CURL *curl)
{
	static const struct timespec no_wait = { 0, 0 };
	sigset_t pipe_set, before, pending;
	CURLcode code;

	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigpending(&pending);
	if (sigismember(&pending, SIGPIPE) || pthread_sigmask(SIG_BLOCK, &pipe_set, &before))
		return curl_easy_perform(curl);
	code = curl_easy_perform(curl);
	while (sigtimedwait(&pipe_set, NULL, &no_wait) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

static void fill_answer(struct transfer *t, struct fetch_answer *ret_answer)
{
	struct fetch_answer answer = { .status = transfer_status(t) };
	curl_off_t after = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RETRY_AFTER, &after);
	if (after > 0 && (answer.status == 429 || answer.status == 503))
		answer.retry_after_s =
			after < FETCH_MAX_RETRY_AFTER_S ? after : FETCH_MAX_RETRY_AFTER_S;
	memcpy(answer.etag, t->etag, sizeof(answer.etag));
	if (answer.status == 200) {
		answer.data = t->data;
		answer.size = t->size;
		t->data = NULL;
	}
	*ret_answer = answer;
}

int fetch_get(struct fetch *fetch, const struct fetch_request *request,
	      struct fetch_answer *ret_answer, struct fail *f)
{
	struct transfer t = { .curl = fetch->curl, .max_bytes = request->max_bytes };
	uint64_t now = fetch_now_ms();
	char why[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	CURLcode code;
	int err;

	err = check_url(request->url, f);
	if (err)
		return err;
	if (now >= request->deadline_ms)
		return fail(f, -ETIMEDOUT, "no time was left to ask");
	err = request_headers(request, &headers);
	if (err)
		return fail(f, err, "cannot send this ETag");

	curl_easy_reset(fetch->curl);
	set_protocols(fetch->curl);
	set_limits(fetch->curl, request->deadline_ms - now);
	curl_easy_setopt(fetch->curl, CURLOPT_URL, request->url);
	curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(fetch->curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(fetch->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(fetch->curl, CURLOPT_WRITEDATA, &t);
	curl_easy_setopt(fetch->curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(fetch->curl, CURLOPT_HEADERDATA, &t);
	if (request->ca_file)
		curl_easy_setopt(fetch->curl, CURLOPT_CAINFO, request->ca_file);
	code = perform(fetch->curl);

	/* An endless error page was cut by us: the status is the answer all the same. */
	if (code == CURLE_WRITE_ERROR && !t.err && t.skipped > FETCH_MAX_ERROR_BODY)
		code = CURLE_OK;
	if (code)
		err = explain(&t, code, why, f);
	else
		fill_answer(&t, ret_answer);
	/* The handle must not keep pointers into this frame. */
	curl_easy_reset(fetch->curl);
	curl_slist_free_all(headers);
	free(t.data);
	return err;
}

void fetch_answer_free(struct fetch_answer *answer)
{
	if (!answer)
		return;
	free(answer->data);
	answer->data = NULL;
	answer->size = 0;
}

/* RFC 3986 2.3; everything else is encoded, '/' between segments excepted. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

char *fetch_url(const char *base, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t base_len = strlen(base), at;
	char *url;

	while (base_len && base[base_len - 1] == '/')
		base_len--;
	while (*path == '/')
		path++;
	url = malloc(base_len + 1 + 3 * strlen(path) + 1);
	if (!url)
		return NULL;
	memcpy(url, base, base_len);
	at = base_len;
	url[at++] = '/';
	for (; *path; path++) {
		unsigned char c = *path;

		if (is_unreserved(c)) {
			url[at++] = c;
			continue;
		}
		url[at++] = '%';
		url[at++] = hex[c >> 4];
		url[at++] = hex[c & 15];
	}
	url[at] = '\0';
	return url;
}
