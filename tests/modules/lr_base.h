/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LR_BASE_H
#define LR_BASE_H

int lr_base_answer(void);

#endif /* LR_BASE_H */
