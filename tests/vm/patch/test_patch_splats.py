# SPDX-License-Identifier: GPL-2.0-only
"""The patched kernel with modules that are wrong, and users that use force; a boot for each."""

import re

import truth
from holding import Keeper
from harness import modules

kernels = "patched"


def test_a_put_too_many_is_refused_with_a_warning(boot, kernel):
    guest = boot(lastref=None, load=["lr_referee"],
                 extra_modules=modules.built(kernel, truth.PATCH_MODULES))
    truth.insmod(guest, "lr_unbalanced")
    splat, = guest.splats()
    assert "__module_put_soft" in splat.line
    assert "lr_unbalanced: more soft references put than taken" in guest.check("dmesg")
    guest.allow_splat(r"^WARNING: .*__module_put_soft", "this module puts what it never took")
    # Neither freed nor counted: the get that came after it is the one that counts.
    assert truth.proc_modules(guest, "lr_unbalanced")[4] == "Live"
    assert truth.sysfs(guest, "lr_unbalanced", "soft_refcnt") == "1"
    guest.check("rmmod lr_unbalanced")
    unload, = truth.unloads(guest, "lr_unbalanced")
    assert 0 < unload.freed_ns <= unload.returned_ns


def test_forced_unloads(boot):
    guest = boot(lastref=None, load=["lr_referee"])

    # Only soft references: force changes nothing, the free is deferred.
    truth.insmod(guest, "lr_file")
    keep = Keeper(guest)
    file = keep("open_r /dev/lr_file")
    guest.check("rmmod -f lr_file")
    assert truth.proc_modules(guest, "lr_file")[4] == "Unloading"
    assert truth.sysfs(guest, "lr_file", "soft_refcnt") == "1"
    file.end()
    keep.close()
    unload, = truth.wait_freed(guest, "lr_file")
    assert unload.freed_ns > unload.returned_ns
    assert "abandons" not in guest.check("dmesg")

    # Hard references too: freed at once, and the kernel says what it abandons.
    truth.insmod(guest, "lr_refs")
    truth.control(guest, "lr_refs", "hget 2", "get 3")
    guest.check("rmmod -f lr_refs")
    unload, = truth.unloads(guest, "lr_refs")
    assert (unload.ret, truth.outstanding_at_exit(guest, "lr_refs")) == (0, [3])
    assert 0 < unload.freed_ns <= unload.returned_ns
    assert re.search(r"lr_refs: forced unload abandons 3 soft reference", guest.check("dmesg"))
    truth.insmod(guest, "lr_refs")  # the name is free
    guest.check("rmmod lr_refs")
