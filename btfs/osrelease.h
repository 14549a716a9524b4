/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One value out of the text of an os-release file, read as a shell would (os-release(5)). */
#ifndef BTFS_OSRELEASE_H
#define BTFS_OSRELEASE_H

#include "kernel.h"

#define OSRELEASE_MAX_SIZE (1u << 20) /* bytes of the file */

/*
 * The last value of that key, "" where there is none. Bare, 'single' and "double" quotes and
 * backslashes are understood, nothing is expanded; blanks around '=', carriage returns and a byte
 * order mark are forgiven. -E2BIG: too large a text; -EBADMSG: it holds NULs, the value's quotes do
 * not close, or it may not stand in a path (kernel_name_ok). ret_value is "" after these.
 */
int osrelease_get(const char *text, size_t size, const char *key, char ret_value[KERNEL_FIELD_SIZE],
		  struct fail *f);

#endif
