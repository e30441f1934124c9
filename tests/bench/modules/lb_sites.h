/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LB_SITES_H
#define LB_SITES_H

/* Does up to n gets, each with its put, at as many call sites; false if a get was refused. */
typedef bool (*lb_pairs_fn)(unsigned int n);

/* Another module that gets and puts; it stays for ever. */
int lb_register(lb_pairs_fn pair);

#endif /* LB_SITES_H */
