# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: the answer, what stands around it, and what it says where it cannot look."""

import pytest

import tool
import truth

kernels = "all"
guest_options = {"load": ["lr_referee"]}
FILE = f"{truth.DEBUGFS}/lr_referee/unloads"


def why(guest, module, status):
    result = tool.lastref(guest, f"why -j {module}")
    assert result.status == status, f"{result.status}: {result.stdout}\n{result.stderr}"
    return tool.one_document(result)


def flat(text):
    """Without the line breaks that depend on the lengths of names."""
    return " ".join(text.split())


@pytest.fixture(name="held")
def a_process_that_holds(guest):
    """Two descriptors for two opens of a file of lr_referee, and a child that shares them."""
    job = guest.start(f"exec 5< {FILE} 6< {FILE} || exit; sleep 1000 & echo open $$ $!; "
                      "read line; kill $!", stdin=b"")
    found = job.wait_for(r"^open (\d+) (\d+)$", "stdout")
    yield job, int(found[1]), int(found[2])
    job.close_stdin()
    job.wait()


def test_a_file_that_processes_share(guest, held):
    job, parent, child = held
    doc = why(guest, "lr_referee", tool.OUTSTANDING)
    assert doc["hard"] == {"refs": 2, "explained": 2, "unexplained": 0}
    assert doc["complete"] is True, doc["not_examined"]
    assert [(h["kind"], h["pid"], h["fd"], h["path"], h["refs"]) for h in doc["holders"]] == \
        [("open_file", parent, 5, FILE, 1), ("open_file", parent, 6, FILE, 1)]
    assert [[s["pid"] for s in h["shared_by"]] for h in doc["holders"]] == [[child], [child]]
    assert 0 < doc["holders"][0]["age_max_ns"] < int(doc["ts_ns"])
    assert doc["next"] == [f"kill {parent} {child}"]
    text = tool.lastref(guest, "why lr_referee").stdout
    assert flat(text).startswith(
        f"lr_referee cannot be unloaded: sh[{parent}] has {FILE} open (shared with sleep[{child}]).")
    assert f"fd 5, 6 on {FILE}, shared with sleep[{child}]" in flat(text)
    assert max(map(len, text.splitlines())) <= 80
    guest.check(doc["next"][0] + " || true")
    job.wait()
    after = why(guest, "lr_referee", tool.DONE)
    assert (after["hard"]["refs"], after["holders"], after["next"]) == (0, [], [])
    assert after["verdict"] == "lr_referee can be unloaded: nothing holds it."


def test_the_unit_and_the_pid_in_a_container(guest):
    guest.check("mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup; "
                "mkdir -p /sys/fs/cgroup/system.slice/lr@test.service")
    job = guest.start(
        "echo $$ > /sys/fs/cgroup/system.slice/lr@test.service/cgroup.procs && "
        f"exec unshare -p -f sh -c 'exec 5< {FILE}; echo open; read line'", stdin=b"")
    job.wait_for("^open$", "stdout")
    holder, = why(guest, "lr_referee", tool.OUTSTANDING)["holders"]
    assert (holder["unit"], holder["ns_pid"]) == ("lr@test.service", 1)
    assert holder["pid"] > 1
    assert holder["remedy"] == "systemctl stop lr@test.service"
    text = flat(tool.lastref(guest, "why lr_referee").stdout)
    assert f"sh[{holder['pid']}] (lr@test.service) has {FILE} open." in text
    assert "lr@test.service · pid 1 in its container · started " in text
    assert "Next: systemctl stop lr@test.service" in text
    job.close_stdin()
    job.wait()


def test_a_module_that_depends_on_it(guest):
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    doc = why(guest, "lr_base", tool.OUTSTANDING)
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert [(h["kind"], h["path"]) for h in doc["holders"]] == [("dependent", "lr_user")]
    assert doc["verdict"] == "lr_base cannot be unloaded: lr_user depends on it."
    assert (doc["dependents"], doc["next"]) == (["lr_user"], ["rmmod lr_user"])
    guest.check("rmmod lr_user")
    assert why(guest, "lr_base", tool.DONE)["dependents"] == []
    guest.check("rmmod lr_base")


@pytest.mark.parametrize("given, verdict", [
    ("lr_refere", "lr_refere is not loaded."),
    ("lr-refreee.ko", "lr_refreee is not loaded."),
])
def test_a_misspelt_name(guest, given, verdict):
    doc = why(guest, given, tool.REFUSED)
    assert (doc["state"], doc["verdict"], doc["similar"]) == ("not_loaded", verdict, ["lr_referee"])
    assert doc["next"] == ["Did you mean lr_referee?"]
    assert (doc["hard"], doc["soft"], doc["instance_id"]) == (None, None, None)


def test_other_spellings_of_the_name(guest):
    for given in ("lr-referee", "lr_referee.ko", "/lib/modules/6.1/extra/lr-referee.ko.xz"):
        assert why(guest, given, tool.DONE)["module"] == "lr_referee"


def test_a_part_of_the_kernel(guest):
    doc = why(guest, "printk", tool.REFUSED)
    assert doc["state"] == "builtin"
    assert doc["verdict"] == "printk is built into this kernel and cannot be unloaded."
    assert doc["next"] == []


HIDE_BTF = "mount -t tmpfs none /sys/kernel/btf"


@pytest.mark.parametrize("command, told, remedy", [
    ("su nobody -c 'lastref why {}'", "not root", "run it with sudo"),
    ("echo 2 > /proc/sys/kernel/kptr_restrict; lastref why {}", "/proc/kallsyms hides addresses",
     "sysctl kernel.kptr_restrict=1"),
    (f"unshare -m sh -c '{HIDE_BTF}; lastref why {{}}'", "/sys/kernel/btf/vmlinux is missing",
     "use a kernel with CONFIG_DEBUG_INFO_BTF=y"),
])
def test_what_anybody_may_see(guest, command, told, remedy):
    """Where the kernel cannot be searched, /sys/module still tells how many and which modules."""
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    file = truth.OpenFile(guest, FILE)
    before = guest.check("cat /proc/sys/kernel/kptr_restrict").strip()
    try:
        base = guest.run(command.format("-j lr_base"))
        referee = guest.run(command.format("-j lr_referee"))
        text = guest.run(command.format("lr_referee"))
    finally:
        guest.check(f"echo {before} > /proc/sys/kernel/kptr_restrict")
    file.close()
    guest.check("rmmod lr_user lr_base")
    assert (base.status, referee.status, text.status) == (tool.UNSUPPORTED,) * 3
    doc = tool.one_document(base)
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert [(h["kind"], h["path"]) for h in doc["holders"]] == [("dependent", "lr_user")]
    doc = tool.one_document(referee)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert (doc["state"], doc["complete"]) == ("live", False)
    assert told in doc["not_examined"][0]["why"]
    said = flat(text.stdout)
    assert said.startswith("lr_referee cannot be unloaded: who holds its only reference cannot be "
                           f"seen: {told}")
    assert f"Next: {remedy}" in said
    assert told in text.stderr and remedy in text.stderr


def test_doctor_knows_it(guest):
    doc = tool.one_document(guest.run("lastref doctor -j"))
    ability, = [c for c in doc["commands"] if c["command"] == "why"]
    assert ability["works"] is True
    lines = guest.run("su nobody -c 'lastref doctor'").stdout.splitlines()
    assert any(line.split()[:2] == ["NO", "why"] for line in lines)


def test_it_leaves_nothing_behind(guest):
    probes = "wc -l < /sys/kernel/debug/kprobes/list"
    before = truth.module_list(guest), guest.check(probes)
    why(guest, "lr_referee", tool.DONE)
    assert (truth.module_list(guest), guest.check(probes)) == before
