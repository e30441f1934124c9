# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: who has files open, in all the ways in which processes can have them."""

import pytest

import truth
import why
from holding import Shell

kernels = "all"
guest_options = {"smp": 2}  # one is for those that come and go
NVRAM = "/dev/nvram"  # an open one is one reference

# What the keeper does to it, and how many references that takes.
WAYS = {
    f"open {NVRAM} share 5": 1,
    f"dup 4 {NVRAM}": 1,
    f"many 1200 {NVRAM}": 1200,
    f"high 70000 {NVRAM}": 1,
    f"thread {NVRAM}": 1,
    f"open {NVRAM} leaderless": 1,
    f"namespaces {NVRAM} inner": 1,
    f"stopped {NVRAM}": 1,
    f"zombie {NVRAM}": 0,
    f"path {NVRAM}": 0,
    "open /tmp/gone": 1,
    f"open {NVRAM} name \033[31m\\": 1,
}
HOSTILE = {
    "escape": b"\033[2J\033[31mred", "newline": b"a\nb", "not UTF-8": b"\377\376",
    "right to left": b"\342\200\256", "long": b"x" * 250, "quotes": b"\\\"'$(true)",
}


@pytest.fixture(name="nvram", scope="module")
def a_module_whose_device_is_there(guest):
    guest.check(f"modprobe nvram; until [ -e {NVRAM} ]; do usleep 10000; done")


class Held:
    """All those ways at once, of which lastref is asked once, when one more file is its standard
    input."""

    def __init__(self, guest, keep):
        node = "c $(tr : ' ' < /sys/class/misc/nvram/dev)"
        guest.check(f"mknod /tmp/gone {node}")
        self.kept = {way: keep(way) for way in WAYS}
        guest.check("rm /tmp/gone")
        names = " ".join("$'" + "".join(f"\\x{byte:02x}" for byte in name) + "'"
                         for name in HOSTILE.values())
        # A shell: a line for the keeper can have no such name.
        hostile = Shell(guest, f"""mkdir /tmp/hostile && cd /tmp/hostile || exit; fd=10
            for name in {names}; do
                mknod "$name" {node} && eval "exec $fd< \\"\\$name\\"" || exit; : $((fd++)); done
            echo holding $$; read -r end; rm -r /tmp/hostile""")
        self.hostile_pid = hostile.pid
        self.counted = int(truth.sysfs(guest, "nvram", "refcnt"))
        self.doc = why.ask(guest, f"nvram < {NVRAM}")
        for one in [*self.kept.values(), hostile]:
            one.end()

    def __call__(self, way):
        """What the keeper says of a way, and what lastref says of it."""
        kept, = [kept for command, kept in self.kept.items() if way in command]
        return kept, why.holders(self.doc, pid=kept.pid)


@pytest.fixture(scope="module")
def held(guest, keep, nvram):
    return Held(guest, keep)


def test_all_of_them_and_no_more(held):
    refs = sum(WAYS.values()) + len(HOSTILE)
    assert held.counted == refs
    doc = held.doc
    assert doc["hard"] == {"refs": refs + 1, "explained": refs + 1, "unexplained": 0}, why.brief(doc)
    assert sum(h["refs"] for h in why.pinning(doc) if h["counter"] == "hard") == refs + 1
    assert "is not known" not in doc["verdict"]


def test_one_file_of_many_processes_counts_once(held):
    kept, _ = held("share")
    found, = [h for h in why.pinning(held.doc) if set(why.pids(h)) & set(kept.pids)]
    assert why.pids(found) == sorted(kept.pids) and len(kept.pids) == 5
    assert {found["fd"], *(other["fd"] for other in found["shared_by"])} == {kept.fd}
    assert found["refs"] == 1


def test_one_file_under_several_numbers_counts_once(held):
    kept, (found,) = held("dup")
    assert sorted([found["fd"], *(other["fd"] for other in found["shared_by"])]) == kept.fds
    assert (set(why.pids(found)), found["refs"], len(kept.fds)) == ({kept.pid}, 1, 4)


def test_many_files_count_each(held):
    kept, found = held("many")
    assert len(found) == sum(h["refs"] for h in found) == 1200
    assert kept.last in {h["fd"] for h in found}
    assert {(h["kind"], h["pins"]) for h in found} == {("open_file", "yes")}


def test_a_file_with_a_high_number(held):
    _, (found,) = held("high")
    assert (found["fd"], found["path"], found["refs"]) == (70000, NVRAM, 1)


@pytest.mark.parametrize("way", ["thread", "leaderless"])
def test_a_thread_alone(held, way):
    """One with files of its own: under that number the other threads of the process have another
    file. And one of a process whose first thread has ended."""
    kept, (found,) = held(way)
    assert (found["fd"], found["path"], found["refs"]) == (kept.fd, NVRAM, 1)
    assert found["shared_by"] == []


def test_a_process_in_other_namespaces(held):
    kept, (found,) = held("namespaces")
    assert (found["pid"], found["ns_pid"]) == (kept.pid, kept.ns_pid)
    assert found["pid"] != found["ns_pid"] and found["refs"] == 1
    assert found["path"].endswith("/inner")


def test_a_stopped_process(held):
    _, (found,) = held("stopped")
    assert (found["path"], found["refs"]) == (NVRAM, 1)


@pytest.mark.parametrize("way", ["zombie", "path"])
def test_these_hold_nothing(held, way):
    """A zombie; a path that was not opened, but looked up."""
    kept, found = held(way)
    assert found == why.holders(held.doc, pid=kept.group) == []


def test_lastrefs_own_standard_input(held):
    found = why.holder(held.doc, comm="lastref")
    assert (found["fd"], found["path"], found["refs"], found["shared_by"]) == (0, NVRAM, 1, [])


def test_a_deleted_node(held):
    _, (found,) = held("open /tmp/gone")
    assert (found["path"], found["refs"]) == ("/tmp/gone (deleted)", 1)


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names(held, name):
    """JSON stays JSON; what is no UTF-8 is written out."""
    path = "/tmp/hostile/" + name.decode(errors="backslashreplace")
    found = why.holder(held.doc, pid=held.hostile_pid, path=path)
    assert (found["kind"], found["refs"]) == ("open_file", 1)


def test_a_process_of_a_hostile_name(held):
    _, (found,) = held(f"open {NVRAM} name")
    assert (found["comm"], found["path"], found["refs"]) == ("\033[31m\\", NVRAM, 1)


# Modules, their devices, and how many references an open one takes. Those of a kind are the same
# to lastref: each kind is shown on every kernel, that drivers are alike on one.
OF_EACH_KIND = [
    ("tun", "/dev/net/tun", 2),              # a misc device; its socket holds it too
    ("cpuid", "/dev/cpu/0/cpuid", 2),        # its own character device, and its operations
]
ALIKE = [
    ("cuse", "/dev/cuse", 1),
    ("loop", "/dev/loop-control", 1),
    ("vhost_vsock", "/dev/vhost-vsock", 1),
    ("msr", "/dev/cpu/0/msr", 2),
]


def test_open_devices(guest, keep):
    """A block device is in test_why_block.py."""
    for module, path, refs in OF_EACH_KIND + (ALIKE if guest.kernel.name == "stock-6.12" else []):
        guest.check(f"modprobe {module}; until [ -e {path} ]; do usleep 10000; done")
        before = int(truth.sysfs(guest, module, "refcnt"))
        kept = keep(f"open {path}")
        assert int(truth.sysfs(guest, module, "refcnt")) - before == refs
        doc = why.ask(guest, module)
        found = why.holder(doc, kind="open_file", pid=kept.pid)
        assert (found["fd"], found["path"], found["comm"]) == (kept.fd, path, "keeper")
        assert found["refs"] == refs
        assert f"keeper[{kept.pid}] has {path} open" in doc["verdict"]
        assert f"kill {kept.pid}" in doc["next"]
        kept.end()
        assert int(truth.sysfs(guest, module, "refcnt")) == before
        guest.check(f"modprobe -r {module}")


def test_processes_that_come_and_go(guest, keep, nvram):
    """Whatever is seen of them is consistent, and the one that stays is always named. Each question
    searches up to three times, as the counter changes all the time."""
    stays = keep(f"open {NVRAM}")
    short = [keep(f"short {NVRAM}") for _ in range(2)]
    for _ in range(2):
        doc = why.ask(guest, "nvram", changes=True, timeout=180)
        assert why.holder(doc, pid=stays.pid)["path"] == NVRAM
        # Of one that has ended meanwhile only the last part of the path is left.
        assert {h["path"] for h in why.holders(doc, kind="open_file")} <= {NVRAM, "nvram"}
    for one in [stays, *short]:
        one.end()


def test_z_nobody_is_named_when_all_have_ended(guest, held):
    """The control: the last test of this guest."""
    assert held.counted > 0
    why.free(guest, "nvram")
