# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: init and exit routines that are slow, stuck or crashed, and tasks in the module."""

import time

import pytest

import tool
import truth
import why

kernels = "all"
guest_options = {"smp": 2}  # a routine that spins leaves a processor to lastref
MODULE = "lr_hang"
RELEASE = f"/sys/module/{MODULE}/parameters/release"


def wait_why(guest, wanted, status, module=MODULE):
    """The first document that is as wanted; the status must be what is expected of it."""
    end = time.monotonic() + 60
    while True:
        result = why.run(guest, module)
        doc = why.document(result, changes=True)
        if wanted(doc):
            assert result.status == status, why.brief(doc)
            return doc
        assert time.monotonic() < end, doc


def wait_state(guest, state, module=MODULE):
    """Lets lastref be started only when there is something to see."""
    guest.check(f"until grep -q {state} /sys/module/{module}/initstate; do usleep 10000; done")


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
        wait_state(guest, "going")
        return int(jobs[-1].stdout_so_far.split()[0])

    yield begin
    guest.check(f"echo 1 > {RELEASE}")
    assert jobs[0].wait().status == 0
    assert truth.proc_modules(guest, MODULE) is None


@pytest.mark.parametrize("how", ["wait", "lock"])
def test_an_exit_routine_that_is_stuck(guest, unload, how):
    shell = unload(how)
    doc = wait_why(guest, is_("stuck"), tool.EXIT_RUNNING)
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
    assert not why.pinning(doc)
    if how == "wait" and guest.kernel.name.startswith("stock"):
        # Ours do not tell when a task was on a processor.
        assert why.ask(guest, MODULE, tool.EXIT_RUNNING)["exit"]["at_least_ns"] > routine["at_least_ns"]


@pytest.mark.parametrize("how", ["nap", "spin"])
def test_an_exit_routine_that_is_slow(guest, unload, how):
    unload(how)
    doc = wait_why(guest, is_("working", "lr_hang+" if how == "nap" else ""),
                   tool.EXIT_RUNNING)
    routine = doc["exit"]
    assert routine["comm"] == "rmmod"
    assert routine["sample"]["switches"] or routine["sample"]["cpu_ns"]
    assert "its exit routine still runs" in doc["verdict"]
    assert "the same after a minute" in doc["cautions"][0]


def test_an_init_routine_that_is_stuck_and_ends(guest):
    job = guest.start(f"insmod {truth.MODULES}/{MODULE}.ko in_init=wait")
    wait_state(guest, "coming")  # the module is in no list for a while; then it hangs
    doc = wait_why(guest, lambda doc: doc["state"] == "coming" and is_("stuck")(doc),
                   tool.OUTSTANDING)
    assert (doc["exit"]["routine"], doc["exit"]["comm"]) == ("init", "insmod")
    init, = [h for h in doc["holders"] if h["kind"] == "init"]
    assert (init["refs"], init["pins"], init["comm"]) == (1, "yes", "insmod")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    assert "its init routine is stuck in " in doc["verdict"]
    guest.check(f"echo 1 > {RELEASE}")
    assert job.wait().status == 0
    # A kernel thread, which it has, takes no reference.
    assert truth.sysfs(guest, MODULE, "initstate") == "live"
    # One that is on a processor has no stack to be shown: it goes to sleep.
    doc = wait_why(guest, lambda doc: "stack" in kthread(doc), tool.DONE)
    assert (doc["state"], doc["hard"]["refs"], doc["exit"]) == ("live", 0, None)
    thread = kthread(doc)
    assert (thread["comm"], thread["pins"], thread["counter"], thread["refs"]) == (
        "lr_hang/0", "no", "none", 0)
    assert any(frame.startswith("lr_hang_thread+") for frame in thread["stack"])
    guest.check("rmmod lr_hang")


def test_a_livepatch(guest):
    truth.insmod(guest, "lr_patch")
    doc = wait_why(guest, lambda doc: "it is a livepatch" in doc["verdict"],
                   tool.OUTSTANDING, "lr_patch")
    found, = doc["holders"]
    assert (found["kind"], found["refs"], found["pins"]) == ("livepatch", 1, "yes")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}
    cure, = doc["next"]
    guest.check(cure)
    guest.check("until [ $(cat /sys/module/lr_patch/refcnt) = 0 ]; do usleep 20000; done")
    assert why.ask(guest, "lr_patch", tool.DONE)["holders"] == []
    guest.check("rmmod lr_patch")


def test_z_an_exit_routine_that_has_crashed(guest):
    """The last test of this guest, which is not what it was after it."""
    for line in ("-+\\[ cut here \\]", "kernel BUG at .*lr_hang", "(Oops: )?invalid opcode"):
        guest.allow_splat(f"^{line}", "the exit routine is told to crash")
    truth.insmod(guest, MODULE, "in_exit=crash")
    assert guest.run("rmmod lr_hang").status != 0
    doc = why.ask(guest, MODULE, tool.EXIT_RUNNING)
    assert is_("crashed", "")(doc), doc
    assert (doc["state"], doc["exit"]["routine"]) == ("going", "exit")
    assert doc["verdict"] == ("lr_hang cannot be unloaded: its exit routine has crashed, and only "
                              "a reboot clears this.")
    # Another one that is merely stuck is not taken for crashed.
    truth.insmod(guest, "lr_slow", "exit_ms=600000")
    job = guest.start("rmmod lr_slow")
    wait_state(guest, "going", "lr_slow")
    wait_why(guest, is_("working", "lr_slow_exit+"), tool.EXIT_RUNNING, "lr_slow")
    guest.check("echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    assert job.wait().status == 0
