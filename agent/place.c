// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "place.h"

#include <string.h>

static const struct {
	int (*path)(const char *need, const struct kernel *kernel, char ret_path[LAYOUT_PATH_SIZE],
		    struct fail *f);
	enum btfdepot_verdict verdict;
} min_places[] = {
	{ layout_min_build_id, BTFDEPOT_EXACT },
	{ layout_min_release, BTFDEPOT_NAMED },
	{ layout_min_path, BTFDEPOT_NAMED },
};

/* A place whose path cannot be made, for want of a build-id or a distro, is left out. */
size_t place_list(const struct kernel *kernel, const char *need_id,
		  struct place ret_places[PLACE_MAX])
{
	size_t i, n = 0;

	for (i = 0; *need_id && i < sizeof(min_places) / sizeof(*min_places); i++) {
		if (min_places[i].path(need_id, kernel, ret_places[n].path, NULL))
			continue;
		ret_places[n].form = PLACE_MIN;
		ret_places[n++].verdict = min_places[i].verdict;
	}
	for (i = 0; i < PLACE_MAX_ALIASES; i++) {
		if (layout_alias(kernel, LAYOUT_FULL, i, ret_places[n].path, NULL))
			break;
		ret_places[n].form = PLACE_FULL;
		ret_places[n++].verdict = BTFDEPOT_NAMED;
	}
	return n;
}
