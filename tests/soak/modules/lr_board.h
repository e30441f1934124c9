/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What outlives the modules of a soak run: their counters, and who has been
 * told to go. lr_soak_NN depends on it, so it stays pinned until the last free.
 */
#ifndef LR_BOARD_H
#define LR_BOARD_H

#include <linux/types.h>

#define LR_SLOTS	64

enum lr_context { LR_TASK, LR_SOFTIRQ, LR_HARDIRQ, LR_WORK, LR_CONTEXTS };

/*
 * LATE is a get that succeeded after the module had been told to go, which is
 * after delete_module has returned: there must be none.
 */
enum lr_count { LR_GET, LR_REFUSED, LR_PUT, LR_LATE, LR_COUNTS };

void lr_board_count(enum lr_context context, enum lr_count what);
bool lr_board_is_told(unsigned int slot);
void lr_board_untell(unsigned int slot);

#endif /* LR_BOARD_H */
