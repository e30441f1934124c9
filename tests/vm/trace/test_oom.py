# SPDX-License-Identifier: GPL-2.0-only
"""The OOM killer ends a lastref that records."""

import tool
import truth

kernels = ["stock-6.12"]  # ours have no memory cgroups
guest_options = {}
GROUP = "/sys/fs/cgroup/lr_little"


def test_what_was_recorded_can_be_read(guest):
    guest.allow_splat(r"Call Trace:", "the OOM killer shows who wanted the memory")
    before = truth.attached(guest)
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check(f"echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir {GROUP}")
    job = guest.start(f"echo $$ > {GROUP}/cgroup.procs; exec lastref record -o /tmp/recording")
    job.wait_for(tool.READY)
    assert truth.attached(guest) != before  # the control
    guest.check("rmmod lr_slow")
    guest.check("until lastref report /tmp/recording 2> /dev/null | grep -q freed; do :; done")
    guest.check(f"echo 0 > {GROUP}/memory.max")
    assert job.wait().status == 137
    assert "oom_kill 1\n" in guest.check(f"cat {GROUP}/memory.events")
    result = tool.lastref(guest, "report -j /tmp/recording")
    assert result.status == tool.FAILED and "without the end" in result.stderr
    unload, = tool.one_document(result)["unloads"]
    assert unload["outcome"] == "freed" and unload["complete"] is True
    truth.wait_detached(guest, before)
