/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The places a BTF can come from, one function each. Every one that is asked leaves one answer in
 * the depot and gives:
 *
 *	0		*ret_found is filled: this one serves
 *	-ENOENT		it has none, or was not to be asked: the answer says so
 *	otherwise	what went wrong; also in the answer. The order goes on, except for -ENOMEM
 */
#ifndef AGENT_SOURCE_H
#define AGENT_SOURCE_H

struct btfdepot;
struct found;

int source_kernel(struct btfdepot *depot, struct found *ret_found);
int source_path(struct btfdepot *depot, struct found *ret_found);
int source_cache(struct btfdepot *depot, struct found *ret_found);
int source_trees(struct btfdepot *depot, struct found *ret_found);
int source_bundles(struct btfdepot *depot, struct found *ret_found); /* source_bundle.c */
int source_servers(struct btfdepot *depot, struct found *ret_found); /* source_server.c */

#endif
