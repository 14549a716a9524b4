/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What clang-tidy can't see across files: fail and fail_in give back the code, and it is negative.
 * Without it every "return fail(...)" looks to it as if it might mean success.
 */
#ifndef TESTS_LINT_MODEL_H
#define TESTS_LINT_MODEL_H

#include "btfs/fail.h"

#define MODEL(call, code)                        \
	({                                       \
		int model_code = (code);         \
		(void)(call);                    \
		if (model_code >= 0)             \
			__builtin_unreachable(); \
		model_code;                      \
	})
#define fail(f, code, ...)    MODEL(fail(f, code, __VA_ARGS__), code)
#define fail_in(f, code, ...) MODEL(fail_in(f, code, __VA_ARGS__), code)

#endif
