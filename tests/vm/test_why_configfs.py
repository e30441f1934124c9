# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: what was set up in configfs, and files of it that are open."""

import pytest

import truth
import why
import why_files

kernels = "stock"
guest_options = why_files.OPTIONS
CONFIG = "/sys/kernel/config"


@pytest.fixture(scope="module", autouse=True)
def mounted(guest):
    guest.check(f"modprobe configfs && mount -t configfs none {CONFIG}")


@pytest.mark.parametrize("module, parameters, path", [
    ("null_blk", "nr_devices=0", "nullb/x"),
    ("netconsole", "", "netconsole/x"),
    ("nvmet", "", "nvmet/hosts/x"),
    ("null_blk", "nr_devices=0", "nullb/a b"),
])
def test_a_directory(guest, module, parameters, path):
    """It holds the subsystem's module and its own, which are the same here."""
    guest.check(f"modprobe {module} {parameters}")
    why.free(guest, module)
    made = f"{CONFIG}/{path}"
    guest.check(["mkdir", made])
    doc = why.explained(guest, module, 2)
    assert not doc["not_examined"], why.brief(doc)
    item = why.holder(doc, kind="configfs")
    assert (item["path"], item["refs"], item["pins"]) == (made, 2, "yes")
    assert f"cannot be unloaded: {made} exists" in doc["verdict"]
    assert doc["next"] == [item["remedy"]] and item["remedy"].startswith("rmdir ")
    guest.check(item["remedy"])
    assert guest.run(["test", "-e", made]).status != 0
    why.free(guest, module)
    guest.check(f"rmmod {module}")


def test_directories_in_each_other_and_links(guest):
    """What is to be removed first comes first, so that the commands work."""
    guest.check("modprobe nvmet")
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
    why.free(guest, "nvmet")
    guest.check("rmmod nvmet")


def test_an_open_file(guest):
    guest.check("modprobe null_blk nr_devices=0")
    before = int(truth.sysfs(guest, "null_blk", "refcnt"))
    assert before == 0
    guest.check(f"mkdir {CONFIG}/nullb/x")
    user = why_files.shell(guest, f"exec 5< {CONFIG}/nullb/x/size 6< {CONFIG}/nullb/features")
    doc = why.explained(guest, "null_blk", 4)
    files = why.holders(doc, kind="open_file", pid=user.pid, refs=1)
    assert sorted((f["fd"], f["path"]) for f in files) == [
        (5, f"{CONFIG}/nullb/x/size"), (6, f"{CONFIG}/nullb/features")]
    assert why.holder(doc, kind="configfs")["refs"] == 2
    user.end()
    guest.check(f"rmdir {CONFIG}/nullb/x")
    why.free(guest, "null_blk")
    guest.check("rmmod null_blk")


def test_configfs_itself(guest):
    """It is held by its mount, and by who has a subsystem in it."""
    guest.check("modprobe null_blk nr_devices=0")
    doc = why.explained(guest, "configfs", int(truth.sysfs(guest, "configfs", "refcnt")))
    assert why.holder(doc, kind="dependent")["path"] == "null_blk"
    assert why.holder(doc, kind="mount", path=CONFIG)["refs"] == 1
    guest.check("rmmod null_blk")
