# SPDX-License-Identifier: GPL-2.0-only
"""The series' conversion of samples/kobject/kset-example.c, before and after.

The kernel delays every release of a kobject by 1 to 4 s (CONFIG_DEBUG_KOBJECT_RELEASE), those of
the module's own kobjects too, which hold up the free of its memory by 2 to 8 s. That alone makes an
unconverted sample crash at one unload in twenty or so; with lr_keeper, which holds one of its
objects for longer, at every one.
"""

import pytest

import truth
from harness import modules, source
from harness.paths import VM

kernels = ["6.12-kobject"]
SAMPLE = "samples/kobject/kset-example.c"
KEEPER = VM / "patch" / "kset_keeper" / "lr_keeper.c"
ROUNDS = 20


@pytest.fixture(scope="module")
def built(kernel, tmp_path_factory):
    """The sample as it was released, for the same kernel, and lr_keeper."""
    folder = tmp_path_factory.mktemp("sample") / "kset_sample"
    folder.mkdir()
    released = source.extracted(source.series_of(kernel.name), [SAMPLE]) / SAMPLE
    assert "module_put_soft" not in released.read_text()
    for file in (released, KEEPER):
        (folder / file.name).write_text(file.read_text())
    (folder / "Kbuild").write_text("obj-m := kset-example.o lr_keeper.o\n")
    return modules.built(kernel, folder)


def test_before_a_release_runs_in_freed_memory(boot, built):
    """The control: the unconverted sample is freed while its object is kept."""
    guest = boot(lastref=None, load=["lr_referee"], extra_modules=built)
    guest.check("insmod /root/modules/kset-example.ko && insmod /root/modules/lr_keeper.ko")
    guest.check("rmmod kset_example")
    unload, = truth.unloads(guest, "kset_example")
    assert 0 < unload.freed_ns <= unload.returned_ns
    assert not guest.splats()
    guest.start("rmmod lr_keeper")  # may hang where the kernel has crashed
    guest.wait_until(lambda: "Workqueue: events kobject_delayed_cleanup" in guest.console or None,
                     120, "the crash")
    crash = guest.splats()[0]
    assert "unable to handle page fault" in crash.line
    guest.allow_splat(r"^BUG: unable to handle page fault", "a release whose module is gone")
    print(f"the unconverted sample:\n{crash.context}")


def test_after_the_memory_waits_for_every_release(boot, built):
    guest = boot(lastref=None, load=["lr_referee"], extra_modules=built)
    for count in range(1, ROUNDS + 1):
        guest.check("modprobe kset-example && insmod /root/modules/lr_keeper.ko")
        guest.check("rmmod kset_example")
        # Nothing but lr_keeper can end this state.
        assert truth.proc_modules(guest, "kset_example")[4] == "Unloading"
        assert int(truth.sysfs(guest, "kset_example", "soft_refcnt")) >= 1
        guest.check("rmmod lr_keeper")
        unload = truth.wait_freed(guest, "kset_example", count, timeout=120)[-1]
        assert unload.ret == 0
        assert unload.freed_ns > unload.returned_ns
