// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "btfs/publish.h"
#include "btfs/fail.h"
#include "tests/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIG    (256u << 10) /* bytes */
#define ROUNDS 300

static char dir[] = "/tmp/publish-XXXXXX";

static const char *in_dir(char path[256], const char *name)
{
	snprintf(path, 256, "%s/%s", dir, name);
	return path;
}

/* Files in a folder, hidden ones too. */
static int count_files(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);
	int n = 0;

	while (d && (entry = readdir(d)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	if (d)
		closedir(d);
	return n;
}

static void read_into(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
	if (fd >= 0)
		close(fd);
}

static void test_file(void)
{
	struct fail f = { 0 };
	char path[256], buf[64];
	struct stat st = { 0 };
	mode_t mask = umask(077);

	in_dir(path, "one");
	tap_is_int(publish_file(path, "first", 5, 0644, &f), 0, "a file is published %s", f.text);
	umask(mask);
	read_into(path, buf, sizeof(buf));
	tap_is_str(buf, "first", "it has its content");
	stat(path, &st);
	tap_is_int(st.st_mode & 07777, 0644, "its mode is exact whatever the umask");
	tap_is_int(publish_file(path, "2nd", 3, 0400, &f), 0, "it is replaced");
	read_into(path, buf, sizeof(buf));
	tap_is_str(buf, "2nd", "by the new content alone");
	tap_is_int(publish_file(path, "", 0, 0444, &f), 0, "by nothing");
	stat(path, &st);
	tap_is_int(st.st_size, 0, "which is empty");
	tap_is_int(count_files(dir), 1, "no other file is left");
	unlink(path);
}

static void test_relative(void)
{
	struct fail f = { 0 };
	char buf[16];

	if (chdir(dir))
		abort();
	tap_is_int(publish_file("bare", "x", 1, 0644, &f), 0, "a bare name goes to this folder");
	read_into("bare", buf, sizeof(buf));
	tap_is_str(buf, "x", "with its content");
	tap_is_int(publish_parents("a/b//c/file", 0755, &f), 0, "relative folders are made");
	tap_is_int(publish_file("a/b/c/file", "y", 1, 0644, &f), 0, "and take a file");
	unlink("bare");
	if (chdir("/"))
		abort();
}

static void test_parents(void)
{
	char path[256], file[256];
	struct fail f = { 0 };
	struct stat st = { 0 };

	in_dir(path, "p/q/r/file");
	tap_is_int(publish_file(path, "x", 1, 0644, &f), -ENOENT, "without its folder it fails");
	tap_ok(strstr(f.text, "No such file") != NULL, "and says so: %s", f.text);
	tap_is_int(publish_parents(path, 0755, &f), 0, "the folders are made");
	tap_is_int(publish_parents(path, 0755, &f), 0, "twice is harmless");
	in_dir(path, "p/q/r");
	tap_ok(stat(path, &st) == 0 && S_ISDIR(st.st_mode), "they are there");
	in_dir(file, "p/q/file");
	publish_file(file, "x", 1, 0644, &f);
	in_dir(path, "p/q/file/below/x");
	tap_is_int(publish_parents(path, 0755, &f), -ENOTDIR, "a file is no folder");
	tap_is_int(publish_parents("no-folder", 0755, &f), 0, "a bare name needs none");
}

static void test_bad_names(void)
{
	struct fail f = { 0 };
	char path[256], link[256];

	snprintf(path, sizeof(path), "%s/", dir);
	tap_is_int(publish_file(path, "x", 1, 0644, &f), -EINVAL, "a folder is no name of a file");
	tap_is_int(publish_file("", "x", 1, 0644, &f), -EINVAL, "nothing is none");
	in_dir(path, "folder");
	mkdir(path, 0755);
	tap_ok(publish_file(path, "x", 1, 0644, &f) < 0, "a folder is not replaced");
	tap_ok(publish_link("/nonexistent", in_dir(link, "l"), &f) == -ENOENT,
	       "no link to nothing");
	tap_is_int(access(link, F_OK), -1, "none was made");
	rmdir(path);
}

/* A device of our own: /dev's would be lost if this failed. */
static void test_device(void)
{
	struct fail f = { 0 };
	struct stat st = { 0 };
	char path[256], link[256];

	if (mknod(in_dir(path, "device"), S_IFCHR | 0600, makedev(1, 3))) {
		tap_skip("no device can be made: %s", strerror(errno));
		return;
	}
	if (symlink("device", in_dir(link, "to-device")))
		abort();
	tap_is_int(publish_file(path, "x", 1, 0644, &f), -EINVAL, "no file for a device: %s",
		   f.text);
	tap_is_int(publish_file(link, "x", 1, 0644, &f), -EINVAL, "nor for a link to one");
	tap_ok(stat(link, &st) == 0 && S_ISCHR(st.st_mode), "it is there still");
	unlink(link);
	unlink(path);
}

/* The link itself is replaced, what it points to stays. */
static void test_symlink(void)
{
	char target[256], link[256], buf[16];
	struct stat st = { 0 };
	struct fail f = { 0 };

	in_dir(target, "target");
	in_dir(link, "link");
	publish_file(target, "old", 3, 0644, &f);
	if (symlink("target", link))
		abort();
	tap_is_int(publish_file(link, "new", 3, 0644, &f), 0, "over a symbolic link");
	read_into(target, buf, sizeof(buf));
	tap_is_str(buf, "old", "what it led to is untouched");
	tap_ok(lstat(link, &st) == 0 && S_ISREG(st.st_mode), "a file took its place");
}

static void test_link(void)
{
	char a[256], b[256], buf[16];
	struct stat st = { 0 };
	struct fail f = { 0 };
	int before;

	in_dir(a, "a-file");
	in_dir(b, "b-file");
	publish_file(a, "shared", 6, 0644, &f);
	publish_file(b, "other", 5, 0644, &f);
	before = count_files(dir);
	tap_is_int(publish_link(a, b, &f), 0, "a link replaces a file");
	read_into(b, buf, sizeof(buf));
	tap_is_str(buf, "shared", "and has the content");
	stat(b, &st);
	tap_is_int(st.st_nlink, 2, "of one file with two names");
	tap_is_int(publish_link(a, b, &f), 0, "once more is harmless");
	tap_is_int(publish_link(a, a, &f), 0, "even to itself");
	tap_is_int(count_files(dir), before, "no temporary name is left");
}

/* A child process whose files may not grow over 4 KiB: like a disk that fills up. */
static void test_full_disk(void)
{
	struct rlimit limit = { 4096, 4096 };
	char path[256], *data, buf[16];
	struct fail f = { 0 };
	int status = -1, before;
	pid_t child;

	in_dir(path, "full");
	publish_file(path, "kept", 4, 0644, &f);
	before = count_files(dir);
	data = calloc(1, BIG);
	if (!data)
		abort();
	child = fork();
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit))
			_exit(100);
		_exit(-publish_file(path, data, BIG, 0644, &f));
	}
	waitpid(child, &status, 0);
	free(data);
	tap_is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, EFBIG, "no room: its own errno");
	tap_is_int(count_files(dir), before, "nothing new stays behind");
	read_into(path, buf, sizeof(buf));
	tap_is_str(buf, "kept", "the old file is whole");
}

/* Root may write everywhere, so a child gives that up first. */
static void test_read_only(void)
{
	char path[256], sub[256];
	int status = -1;
	pid_t child;

	in_dir(sub, "locked");
	mkdir(sub, 0555);
	chmod(dir, 0755);
	in_dir(path, "locked/file");
	child = fork();
	if (child == 0) {
		if (getuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(100);
		_exit(-publish_file(path, "x", 1, 0644, NULL));
	}
	waitpid(child, &status, 0);
	tap_is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, EACCES, "a folder closed to us");
	tap_is_int(count_files(sub), 0, "is left empty");
}

struct race {
	char path[256];
	atomic_int stop, torn, seen;
};

/* Every file it sees has one letter from start to end, and its full size. */
static void *race_reader(void *arg)
{
	struct race *race = arg;
	char *buf = malloc(BIG + 1);

	while (buf && !race->stop) {
		int fd = open(race->path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, buf, BIG + 1);

		if (fd >= 0)
			close(fd);
		if (n != BIG || memcmp(buf, buf + 1, BIG - 1))
			race->torn++;
		race->seen++;
	}
	free(buf);
	return NULL;
}

static void test_readers(void)
{
	struct race race = { .stop = 0 };
	char *data = malloc(BIG);
	int i, failed = 0;
	pthread_t reader;

	if (!data)
		abort();
	in_dir(race.path, "raced");
	memset(data, 'a', BIG);
	publish_file(race.path, data, BIG, 0644, NULL);
	if (pthread_create(&reader, NULL, race_reader, &race))
		abort();
	for (i = 0; i < ROUNDS || race.seen < 10; i++) {
		memset(data, 'a' + i % 26, BIG);
		failed += publish_file(race.path, data, BIG, 0644, NULL) != 0;
	}
	race.stop = 1;
	pthread_join(reader, NULL);
	tap_is_int(failed, 0, "replaced %d times while it was read", i);
	tap_is_int(race.torn, 0, "all of %d readers saw one whole file", race.seen);
	free(data);
}

static void *race_writer(void *arg)
{
	struct race *race = arg;

	for (int i = 0; i < ROUNDS; i++)
		race->torn += publish_file(race->path, "0123456789", 10, 0644, NULL) != 0;
	return NULL;
}

static void test_writers(void)
{
	struct race race = { .stop = 0 };
	pthread_t threads[4];
	char buf[16];
	int before;

	in_dir(race.path, "contended");
	before = count_files(dir);
	for (int i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, race_writer, &race))
			abort();
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	tap_is_int(race.torn, 0, "four threads write one file %d times each", ROUNDS);
	read_into(race.path, buf, sizeof(buf));
	tap_is_str(buf, "0123456789", "it is whole");
	tap_is_int(count_files(dir), before + 1, "and alone");
}

static void remove_all(const char *path)
{
	struct dirent *entry;
	DIR *d = opendir(path);
	char below[512];

	while (d && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(below, sizeof(below), "%.240s/%.250s", path, entry->d_name);
		if (unlink(below) < 0)
			remove_all(below);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	test_file();
	test_relative();
	test_parents();
	test_bad_names();
	test_symlink();
	test_device();
	test_link();
	test_full_disk();
	test_read_only();
	test_readers();
	test_writers();
	remove_all(dir);
	return tap_done();
}
