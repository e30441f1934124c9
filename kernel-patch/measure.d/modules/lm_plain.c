// SPDX-License-Identifier: GPL-2.0-only
// A module that never uses soft references. It must not be given late_ms.
#define LM_GET() true
#define LM_PUT() barrier()
#include "lm_subject.h"
