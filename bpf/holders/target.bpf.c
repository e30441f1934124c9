// SPDX-License-Identifier: GPL-2.0-only
/* What all programs that look for holders share. */
#include "bpf/holders/holders.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct lr_target target;
struct lr_finding findings[LR_FINDINGS_MAX];
__u32 findings_count;
__u64 refs_without_room;
