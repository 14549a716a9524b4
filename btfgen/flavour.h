/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a kernel was built for, as far as its names tell. */
#ifndef BTFGEN_FLAVOUR_H
#define BTFGEN_FLAVOUR_H

/*
 * Kernels built to be debugged ("kernel-debug", "...+debug") have other layouts than those that
 * users run, and archives were found that keep them under their names. The word that says so, or
 * NULL; debug information ("-dbg", "-debuginfo") does not.
 */
const char *flavour_of_debug(const char *release, const char *package);

#endif
