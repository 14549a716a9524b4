// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "identify.h"

#include "btfs/fail.h"
#include "btfs/layout.h"
#include "package.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Something that one says, and who. */
struct says {
	const char *what, *who;
};

static bool known(const char *s)
{
	return s && *s;
}

/* The first of those that say something; all others must say the same. */
static int agree(const char *subject, const struct says *says, size_t n,
		 char ret_field[KERNEL_FIELD_SIZE], struct fail *f)
{
	const struct says *first = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!known(says[i].what))
			continue;
		if (!first)
			first = &says[i];
		else if (strcmp(first->what, says[i].what))
			return fail(f, -EBADMSG, "%s is %s, but %s says %s", first->who,
				    first->what, says[i].who, says[i].what);
	}
	if (!first)
		return fail(f, -EINVAL, "nothing tells its %s; give --%s", subject, subject);
	if (!kernel_name_ok(first->what))
		return fail(f, -EBADMSG, "%s is \"%s\", which no path can hold", first->who,
			    first->what);
	snprintf(ret_field, KERNEL_FIELD_SIZE, "%s", first->what);
	return 0;
}

/* "RELEASE.btf", also packed. */
static bool read_btf_name(const char *base, char ret_release[KERNEL_FIELD_SIZE])
{
	const char *end = strstr(base, ".btf");

	if (!end || (strcmp(end, ".btf") && strcmp(end, ".btf.tar.xz")) || *base < '0' ||
	    *base > '9')
		return false;
	snprintf(ret_release, KERNEL_FIELD_SIZE, "%.*s", (int)(end - base), base);
	return true;
}

/* What the source's own path tells: a place in the layout, or "vmlinuz-RELEASE". */
static void read_path(const char *path, struct kernel *ret_kernel)
{
	const char *base = path + strlen(path);
	char boot[KERNEL_FIELD_SIZE + 8], release[KERNEL_FIELD_SIZE];
	enum layout_kind kind;
	struct kernel k;

	for (int slashes = 0; base > path; base--)
		if (base[-1] == '/' && ++slashes == 4)
			break;
	if (!layout_parse(base, &k, &kind, NULL) && (kind == LAYOUT_FULL || kind == LAYOUT_RAW)) {
		*ret_kernel = k;
		return;
	}
	base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	if (read_btf_name(base, ret_kernel->release))
		return;
	/* "vmlinux-old" is a name too */
	if (snprintf(boot, sizeof(boot), "boot/%s", base) < (int)sizeof(boot) &&
	    package_rank(boot, release) && release[0] >= '0' && release[0] <= '9')
		memcpy(ret_kernel->release, release, sizeof(release));
}

static int find_arch(const struct identify_given *given, const struct kernel *inside,
		     const char *package_arch, const char *path_arch, struct kernel *k,
		     struct fail *f)
{
	const char *by_package = known(package_arch) ? kernel_arch(package_arch) : NULL;
	bool arm = !strcmp(inside->arch, "arm");
	struct says says[] = {
		{ arm ? NULL : inside->arch, "the kernel's architecture" },
		{ given->arch, "--arch" },
		{ NULL, "its package" },
		{ path_arch, "its path" },
	};

	/* Debian's packages of i386 have kernels for amd64 too: of both, the kernel is right */
	if (arm || !known(inside->arch))
		says[2].what = by_package;
	if (agree("arch", says, sizeof(says) / sizeof(*says), k->arch, f))
		return -EBADMSG;
	if (arm && strcmp(k->arch, "armhf") && strcmp(k->arch, "armel"))
		return fail(f, -EBADMSG, "a kernel for arm, but --arch or its package says %s",
			    k->arch);
	return 0;
}

static int find_distro(const struct identify_given *given, const struct package *package,
		       const struct kernel *by_path, struct kernel *k, struct fail *f)
{
	const char *distro = known(given->distro) ? given->distro
			     : *package->distro	  ? package->distro
						  : by_path->distro;
	const char *version = known(given->distro_version) ? given->distro_version
			      : *package->distro_version   ? package->distro_version
							   : by_path->distro_version;

	if (!*distro)
		return fail(f, -EINVAL,
			    "nothing tells its distribution; give --distro and --distro-version");
	if (!*version)
		return fail(f, -EINVAL,
			    "nothing tells which version of %s it is of; give "
			    "--distro-version",
			    distro);
	if (!kernel_name_ok(distro) || !kernel_name_ok(version))
		return fail(f, -EINVAL, "no path for distribution \"%s\", version \"%s\"", distro,
			    version);
	snprintf(k->distro, sizeof(k->distro), "%s", distro);
	snprintf(k->distro_version, sizeof(k->distro_version), "%s", version);
	return 0;
}

int identify(const struct identify_given *given, const struct kernel *inside,
	     const struct package *package, const char *path, struct kernel *ret_kernel,
	     struct fail *f)
{
	struct kernel k = *inside, by_path = { .release = "" };
	struct says releases[] = {
		{ inside->release, "the kernel inside" },
		{ given->release, "--release" },
		{ package->release, "its name in the package" },
		{ NULL, "its file name" },
	};
	int err;

	/* a package is called as it likes */
	if (!*package->path)
		read_path(path, &by_path);
	releases[3].what = by_path.release;
	err = agree("release", releases, sizeof(releases) / sizeof(*releases), k.release, f);
	if (!err)
		err = find_arch(given, inside, package->arch, by_path.arch, &k, f);
	if (!err)
		err = find_distro(given, package, &by_path, &k, f);
	if (!err)
		*ret_kernel = k;
	return err;
}
