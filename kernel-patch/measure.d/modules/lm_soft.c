// SPDX-License-Identifier: GPL-2.0-only
// A module with one soft reference.
#define LM_GET() try_module_get_soft()
#define LM_PUT() module_put_soft()
#include "lm_subject.h"
