# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: what was set up in configfs, and files of it that are open."""

import pytest

import truth
import why

kernels = "stock"
CONFIG = "/sys/kernel/config"


@pytest.fixture(scope="module", autouse=True)
def modules(guest):
    guest.check(f"modprobe configfs && mount -t configfs none {CONFIG}")
    guest.check("modprobe null_blk nr_devices=0; modprobe netconsole; modprobe nvmet")
    for module in ("null_blk", "netconsole", "nvmet"):
        assert truth.sysfs(guest, module, "refcnt") == "0"


def item(doc, path):
    """It holds the subsystem's module and its own, which are the same here."""
    found = why.holder(doc, kind="configfs", path=f"{CONFIG}/{path}")
    assert (found["refs"], found["pins"]) == (2, "yes")
    assert f"{CONFIG}/{path} exists" in doc["verdict"]
    return found


def test_directories_and_open_files(guest, keep):
    made = [f"{CONFIG}/nullb/x", f"{CONFIG}/nullb/a b"]
    guest.check(["mkdir", *made])
    user = keep(f"open_r {CONFIG}/nullb/x/size open_r {CONFIG}/nullb/features")
    doc = why.explained(guest, "null_blk", 6)
    assert not doc["not_examined"], why.brief(doc)
    files = why.holders(doc, kind="open_file", pid=user.pid, refs=1)
    assert sorted((f["fd"], f["path"]) for f in files) == [
        (3, f"{CONFIG}/nullb/x/size"), (4, f"{CONFIG}/nullb/features")]
    remedy = item(doc, "nullb/x")["remedy"]
    assert remedy.startswith("rmdir ") and item(doc, "nullb/a b")["remedy"] == remedy
    assert doc["next"] == [remedy, f"kill {user.pid}"]
    user.end()
    guest.check(remedy)
    for path in made:
        assert guest.run(["test", "-e", path]).status != 0
    why.free(guest, "null_blk")


def test_a_directory_alone(guest):
    guest.check(f"mkdir {CONFIG}/netconsole/x")
    doc = why.explained(guest, "netconsole", 2)
    assert not doc["not_examined"], why.brief(doc)
    assert f"cannot be unloaded: {CONFIG}/netconsole/x exists" in doc["verdict"]
    remedy = item(doc, "netconsole/x")["remedy"]
    assert doc["next"] == [remedy] == [f"rmdir {CONFIG}/netconsole/x"]
    guest.check(remedy)
    assert truth.sysfs(guest, "netconsole", "refcnt") == "0"


def test_directories_in_each_other_and_links(guest):
    """What is to be removed first comes first, so that the commands work."""
    base = f"{CONFIG}/nvmet"
    guest.check(f"mkdir {base}/subsystems/s {base}/subsystems/s/namespaces/1 {base}/hosts/h && "
                f"ln -s {base}/hosts/h {base}/subsystems/s/allowed_hosts/h")
    doc = why.explained(guest, "nvmet", 6)
    found = {h["path"]: h["refs"] for h in why.holders(doc, kind="configfs")}
    assert found == {f"{base}/subsystems/s": 2, f"{base}/subsystems/s/namespaces/1": 2,
                     f"{base}/hosts/h": 2}
    command, = doc["next"]
    assert command.startswith(f"rm {base}/subsystems/s/allowed_hosts/h && rmdir ")
    guest.check(command)
    assert truth.sysfs(guest, "nvmet", "refcnt") == "0"


def test_configfs_itself(guest):
    """It is held by its mount, and by who has a subsystem in it."""
    doc = why.explained(guest, "configfs", int(truth.sysfs(guest, "configfs", "refcnt")))
    dependents = {h["path"] for h in why.holders(doc, kind="dependent")}
    assert {"null_blk", "netconsole", "nvmet"} <= dependents
    assert why.holder(doc, kind="mount", path=CONFIG)["refs"] == 1


def test_z_all_can_be_unloaded(guest):
    """What was held is free: the last test of this guest."""
    guest.check("rmmod null_blk netconsole nvmet")
