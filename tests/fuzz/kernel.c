// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The doors for what a host says of itself: os-release and the kernel's ELF notes. */
#include "btfs/kernel.h"
#include "btfs/fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	if (*name && !kernel_name_ok(name))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kernel kernel = { .distro = "before", .distro_version = "before" };
	struct fail f = { 0 };
	size_t digits;
	int err;

	err = kernel_parse_os_release((const char *)data, size, &kernel, &f);
	check_name(kernel.distro);
	check_name(kernel.distro_version);
	if ((err != 0) != (f.text[0] != '\0'))
		abort();
	f.text[0] = '\0';
	err = kernel_parse_notes(data, size, kernel.build_id, &f);
	digits = strspn(kernel.build_id, "0123456789abcdef");
	if (kernel.build_id[digits] || (err ? digits != 0 : digits < 16 || digits > 64))
		abort();
	if ((err != 0) != (f.text[0] != '\0'))
		abort();
	return 0;
}
