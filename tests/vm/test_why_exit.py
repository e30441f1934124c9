# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: init and exit routines that are slow, stuck or crashed, and tasks in the module."""

import json
import time

import pytest

import tool
import truth

kernels = "all"
guest_options = {}
MODULE = "lr_hang"
RELEASE = f"/sys/module/{MODULE}/parameters/release"


def why(guest, module=MODULE, status=None):
    """The document; the status must be what is expected."""
    result = tool.lastref(guest, f"why -j {module}")
    if status is not None:
        assert result.status == status, f"{result.stdout}\n{result.stderr}"
    doc = json.loads(result.stdout)
    return tool.validate(doc) if doc["schema"] in tool.schemas() else doc


def wait_why(guest, wanted, module=MODULE):
    """The first document that is as wanted."""
    end = time.monotonic() + 60
    while True:
        doc = why(guest, module)
        if wanted(doc):
            return doc
        assert time.monotonic() < end, doc


def is_(status, inside="lr_hang+"):
    """Whether the routine has that status, and is where it hangs."""
    return lambda doc: doc["exit"] and doc["exit"]["status"] == status and (
        doc["exit"].get("in_module") or "").startswith(inside)


def kthread(doc):
    found, = [h for h in doc["holders"] if h["kind"] == "kthread"]
    return found


@pytest.fixture
def unload(guest):
    """Loads the module, starts to unload it, and sees it gone in the end."""
    jobs = []

    def begin(how):
        truth.insmod(guest, MODULE, f"in_exit={how}")
        jobs.append(guest.start("echo $$; rmmod lr_hang; echo over"))
        jobs[-1].wait_for(r"^\d+$", "stdout")
        return int(jobs[-1].stdout_so_far.split()[0])

    yield begin
    guest.check(f"echo 1 > {RELEASE}")
    assert jobs[0].wait().status == 0
    assert truth.proc_modules(guest, MODULE) is None


def test_a_kernel_thread_takes_no_reference(guest):
    truth.insmod(guest, MODULE)
    doc = why(guest, status=tool.DONE)
    thread = kthread(doc)
    assert (thread["comm"], thread["pins"], thread["counter"], thread["refs"]) == (
        "lr_hang/0", "no", "none", 0)
    assert any(frame.startswith("lr_hang_thread+") for frame in thread["stack"])
    assert (doc["hard"]["refs"], doc["exit"]) == (0, None)
    guest.check("rmmod lr_hang")


@pytest.mark.parametrize("how", ["wait", "lock"])
def test_an_exit_routine_that_is_stuck(guest, unload, how):
    shell = unload(how)
    doc = wait_why(guest, is_("stuck"))
    routine = doc["exit"]
    assert (routine["routine"], routine["comm"]) == ("exit", "rmmod")
    assert routine["parent"]["pid"] == shell
    assert any(frame.startswith("lr_hang_exit+") for frame in routine["stack"])
    assert (routine["sample"]["switches"], routine["sample"]["cpu_ns"]) == (0, 0)
    assert 0 < routine["sample"]["duration_ns"] <= routine["at_least_ns"]
    assert routine["at_least_ns"] < routine["at_most_ns"]
    owner = routine["lock_owner"]
    assert (owner and owner["comm"]) == ("lr_hang/0" if how == "lock" else None)
    assert "its exit routine is stuck in " in doc["verdict"]
    assert not [h for h in doc["holders"] if h["pins"] == "yes"]
    later = why(guest, status=tool.EXIT_RUNNING)["exit"]
    if guest.kernel.name.startswith("stock"):  # ours do not tell when a task was on a processor
        assert later["at_least_ns"] > routine["at_least_ns"]


@pytest.mark.parametrize("how", ["nap", "spin"])
def test_an_exit_routine_that_is_slow(guest, unload, how):
    unload(how)
    doc = wait_why(guest, is_("working", "lr_hang+" if how == "nap" else ""))
    routine = doc["exit"]
    assert routine["comm"] == "rmmod"
    assert routine["sample"]["switches"] or routine["sample"]["cpu_ns"]
    assert "its exit routine still runs" in doc["verdict"]
    assert "the same after a minute" in doc["cautions"][0]


def test_the_text_shows_where_it_is(guest, unload):
    unload("wait")
    wait_why(guest, is_("stuck"))
    result = tool.lastref(guest, f"why {MODULE}")
    assert result.status == tool.EXIT_RUNNING
    assert "is being unloaded by rmmod[" in result.stdout.splitlines()[0]
    assert "← lr_hang_exit+0x" in result.stdout
    assert "at least" in result.stdout


def test_an_init_routine_that_is_stuck(guest):
    job = guest.start(f"insmod {truth.MODULES}/{MODULE}.ko in_init=wait")
    # The module is in no list for a while; then it hangs.
    doc = wait_why(guest, lambda doc: doc["state"] == "coming" and is_("stuck")(doc))
    assert (doc["exit"]["routine"], doc["exit"]["comm"]) == ("init", "insmod")
    init, = [h for h in doc["holders"] if h["kind"] == "init"]
    assert (init["refs"], init["pins"], init["comm"]) == (1, "yes", "insmod")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert "its init routine is stuck in " in doc["verdict"]
    guest.check(f"echo 1 > {RELEASE}")
    assert job.wait().status == 0
    doc = wait_why(guest, lambda doc: doc["state"] == "live" and not doc["hard"]["refs"])
    assert doc["exit"] is None
    guest.check("rmmod lr_hang")


def test_a_livepatch(guest):
    truth.insmod(guest, "lr_patch")
    doc = wait_why(guest, lambda doc: "it is a livepatch" in doc["verdict"], "lr_patch")
    found, = doc["holders"]
    assert (found["kind"], found["refs"], found["pins"]) == ("livepatch", 1, "yes")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    cure, = doc["next"]
    guest.check(cure)
    assert wait_why(guest, lambda doc: not doc["hard"]["refs"], "lr_patch")["holders"] == []
    guest.check("rmmod lr_patch")


def test_z_an_exit_routine_that_has_crashed(guest):
    """The last test of this guest, which is not what it was after it."""
    for line in ("-+\\[ cut here \\]", "kernel BUG at .*lr_hang", "(Oops: )?invalid opcode"):
        guest.allow_splat(f"^{line}", "the exit routine is told to crash")
    truth.insmod(guest, MODULE, "in_exit=crash")
    assert guest.run("rmmod lr_hang").status != 0
    doc = wait_why(guest, is_("crashed", ""))
    assert doc["state"] == "going"
    assert why(guest, status=tool.EXIT_RUNNING)["exit"]["routine"] == "exit"
    assert doc["verdict"] == ("lr_hang cannot be unloaded: its exit routine has crashed, and only "
                              "a reboot clears this.")
    # Another one that is merely stuck is not taken for crashed.
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    job = guest.start("rmmod lr_slow")
    wait_why(guest, is_("working", "lr_slow_exit+"), "lr_slow")
    guest.check("echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    assert job.wait().status == 0
