// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "flavour.h"

#include <string.h>

static const char *find_word(const char *s, const char *between)
{
	static const char word[] = "debug";
	const size_t n = sizeof(word) - 1;

	for (const char *p = s; (p = strstr(p, word)); p += n)
		if (p > s && strchr(between, p[-1]) && (!p[n] || strchr(between, p[n])))
			return s;
	return NULL;
}

const char *flavour_of_debug(const char *release, const char *package)
{
	const char *found = find_word(release, "-+.");

	return found ? found : find_word(package, "-");
}
