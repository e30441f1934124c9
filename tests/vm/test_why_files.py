# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: who has files open, in all the ways in which processes can have them."""

import json

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"copies": why.keeper_program()}
UHID = "/dev/uhid"  # an open one is one reference


@pytest.fixture
def keep(guest):
    """Has files opened, and sees to it that nothing of them is left in the end."""
    guest.check(f"modprobe uhid; until [ -e {UHID} ]; do usleep 10000; done")
    keeper = why.Keeper(guest)
    yield keeper
    keeper.close()
    why.free(guest, "uhid")


@pytest.mark.parametrize("module, path, refs", [
    ("cuse", "/dev/cuse", 1),                # a misc device
    ("tun", "/dev/net/tun", 2),              # its socket holds it too
    ("loop", "/dev/loop-control", 1),
    ("vhost_vsock", "/dev/vhost-vsock", 1),
    ("nvram", "/dev/nvram", 1),
    ("cpuid", "/dev/cpu/0/cpuid", 2),        # its own character device, and its operations
    ("msr", "/dev/cpu/1/msr", 2),
    ("brd", "/dev/ram3", 1),                 # a block device
])
def test_an_open_device(guest, keep, module, path, refs):
    why.need(guest, module)
    guest.check(f"until [ -e {path} ]; do usleep 10000; done")
    before = int(truth.sysfs(guest, module, "refcnt"))
    kept = keep(f"open {path}")
    counted = int(truth.sysfs(guest, module, "refcnt"))
    assert counted > before and refs in (None, counted - before)
    doc = why.ask(guest, module)
    found = why.holder(doc, kind="open_file", pid=kept["pid"])
    assert (found["fd"], found["path"], found["comm"]) == (kept["fd"], path, "keeper")
    assert found["refs"] == (refs or 1)
    assert f"keeper[{kept['pid']}] has {path} open" in doc["verdict"]
    assert f"kill {kept['pid']}" in doc["next"]
    keep.end(kept)
    assert not why.holders(why.ask(guest, module, tool.OUTSTANDING if before else tool.DONE),
                           kind="open_file")
    guest.check(f"modprobe -r {module}")


def test_one_file_of_many_processes_counts_once(guest, keep):
    kept = keep(f"share 5 {UHID}")
    doc = why.explained(guest, "uhid", 1)
    found = why.holder(doc)
    assert why.pids(found) == sorted(kept["pid"])
    assert {other["fd"] for other in found["shared_by"]} == {kept["fd"]}


def test_one_file_under_several_numbers_counts_once(guest, keep):
    kept = keep(f"dup 4 {UHID}")
    doc = why.explained(guest, "uhid", 1)
    found = why.holder(doc, pid=kept["pid"])
    assert len(found["shared_by"]) == 3
    assert set(why.pids(found)) == {kept["pid"]}


def test_many_files_count_each(guest, keep):
    kept = keep(f"many 1200 {UHID}")
    doc = why.explained(guest, "uhid", 1200)
    assert {h["pid"] for h in why.pinning(doc)} == {kept["pid"]}
    assert kept["last"] in {h["fd"] for h in why.holders(doc, kind="open_file")}


def test_a_file_with_a_high_number(guest, keep):
    keep(f"high 70000 {UHID}")
    assert why.holder(why.explained(guest, "uhid", 1), fd=70000)["path"] == UHID


def test_a_thread_with_files_of_its_own(guest, keep):
    """Under that number the other threads of the process have another file."""
    kept = keep(f"thread {UHID}")
    found = why.holder(why.explained(guest, "uhid", 1))
    assert (found["pid"], found["fd"], found["path"]) == (kept["pid"], kept["fd"], UHID)
    assert found["shared_by"] == []


def test_a_process_whose_first_thread_has_ended(guest, keep):
    kept = keep(f"leaderless {UHID}")
    found = why.holder(why.explained(guest, "uhid", 1))
    assert (found["pid"], found["fd"], found["path"]) == (kept["pid"], kept["fd"], UHID)
    assert found["shared_by"] == []


def test_a_process_in_other_namespaces(guest, keep):
    kept = keep(f"namespaces {UHID} inner")
    found = why.holder(why.explained(guest, "uhid", 1))
    assert (found["pid"], found["ns_pid"]) == (kept["inside"], kept["ns_pid"])
    assert found["pid"] != found["ns_pid"]
    assert found["path"].endswith("/inner")


def test_a_stopped_process(guest, keep):
    kept = keep(f"stopped {UHID}")
    assert why.holder(why.explained(guest, "uhid", 1))["pid"] == kept["stopped"]


def test_a_zombie_holds_nothing(guest, keep):
    keep(f"zombie {UHID}")
    why.free(guest, "uhid")


def test_a_path_that_is_not_opened_holds_nothing(guest, keep):
    keep(f"path {UHID}")
    why.free(guest, "uhid")


def test_lastrefs_own_standard_input(guest):
    result = guest.run(f"exec lastref why -j uhid < {UHID}")
    assert result.status == tool.OUTSTANDING, result.stderr
    doc = json.loads(result.stdout)
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    found = why.holder(doc)
    assert (found["comm"], found["fd"], found["shared_by"]) == ("lastref", 0, [])


def test_a_deleted_node(guest, keep):
    guest.check("mknod /tmp/gone c $(tr : ' ' < /sys/class/misc/uhid/dev)")
    kept = keep("open /tmp/gone")
    guest.check("rm /tmp/gone")
    found = why.holder(why.explained(guest, "uhid", 1), pid=kept["pid"])
    assert found["path"] == "/tmp/gone (deleted)"


@pytest.mark.parametrize("name", [
    r"\033[2J\033[31mred", r"a\nb", r"\377\376", r"\342\200\256", "x" * 250, r"\\\042\047$(true)"],
    ids=["escape", "newline", "not UTF-8", "right to left", "long", "quotes"])
def test_hostile_names(guest, keep, name):
    """The terminal gets nothing that could change it, and JSON stays JSON."""
    script = f"""mkdir -p /tmp/hostile && cd /tmp/hostile || exit
        name="$(printf '{name}')"; mknod "$name" c $(tr : ' ' < /sys/class/misc/uhid/dev) || exit
        exec 5< "$name"; echo open; read line; rm "$name" """
    job = guest.start(script, stdin=b"")
    job.wait_for("^open$", "stdout")
    found = why.holder(why.explained(guest, "uhid", 1))
    assert found["path"].startswith("/tmp/hostile/")
    text = tool.lastref(guest, "why uhid")
    assert text.status == tool.OUTSTANDING
    for character in text.raw.decode():  # valid UTF-8
        assert character == "\n" or character.isprintable(), text.raw
    job.close_stdin()
    assert job.wait().status == 0


def test_a_process_of_a_hostile_name(guest, keep):
    kept = keep(f"open {UHID} \033[31m\\")
    assert why.holder(why.explained(guest, "uhid", 1))["comm"] == "\033[31m\\"
    text = tool.lastref(guest, "why uhid").stdout
    assert "\033" not in text and f"\\x1b[31m\\\\[{kept['pid']}]" in text


def test_processes_that_come_and_go(guest, keep):
    """Whatever is seen of them is consistent, and the one that stays is always named. Each question
    searches up to three times, as the counter changes all the time."""
    stays = keep(f"open {UHID}")
    for _ in range(2):
        keep(f"short {UHID}")
    for _ in range(2):
        doc = why.ask(guest, "uhid")
        assert why.holder(doc, pid=stays["pid"])["path"] == UHID
        # Of one that has ended meanwhile only the last part of the path is left.
        assert {h["path"] for h in why.holders(doc, kind="open_file")} <= {UHID, "uhid"}
