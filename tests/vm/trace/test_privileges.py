# SPDX-License-Identifier: GPL-2.0-only
"""What lastref can do with fewer privileges than root's, and what it gives up when it is attached."""

import pytest

import tool
import truth
import why

kernels = ["6.12", "stock-6.12", "stock-6.1", "stock-7.3"]
guest_options = {}
SEARCH = ["bpf", "perfmon", "syslog"]
ALL = ["sys_admin", "syslog"]


@pytest.fixture(scope="module", autouse=True)
def held(guest, keep):
    truth.insmod(guest, "lr_refs")
    file = keep(f"open_r {truth.DEBUGFS}/lr_refs/counters")
    yield
    file.end()


def lastref(guest, capabilities, arguments):
    """As nobody, with these capabilities alone."""
    return guest.run([*tool.as_nobody(*capabilities), "lastref", *arguments.split()])


def ask(guest, capabilities):
    return why.document(lastref(guest, capabilities, "why -j lr_refs"), tool.OUTSTANDING)


@pytest.fixture(scope="module")
def findings(guest):
    """What doctor finds without CAP_SYS_ADMIN, and with it."""
    def find(capabilities):
        doctor = lastref(guest, capabilities, "doctor -j")
        return {one["what"]: one for one in tool.one_document(doctor)["findings"]}
    return find(SEARCH), find(ALL)


def test_the_search_without_cap_sys_admin(guest, findings):
    doc = ask(guest, SEARCH)
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}, why.brief(doc)
    assert doc["not_examined"] == []
    found = findings[0]["privileges"]
    assert found["level"] == "limit" and "CAP_SYS_ADMIN" in found["detail"]


def test_the_search_with_it(guest, findings):
    """The control."""
    doc = ask(guest, ALL)
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}, why.brief(doc)
    assert doc["not_examined"] == []
    found = findings[1]["privileges"]
    assert (found["level"], found["detail"]) == ("good", "CAP_SYS_ADMIN")


def test_without_cap_syslog(guest):
    result = lastref(guest, ["bpf", "perfmon"], "why -j lr_refs")
    doc = why.document(result, tool.UNSUPPORTED)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert "CAP_SYSLOG" in result.stderr and "kptr_restrict" not in result.stderr


def test_tracing_without_cap_sys_admin(guest, findings):
    """What doctor says is what happens. That it works with it: the next test."""
    result = lastref(guest, SEARCH, "refs --hard -j -d 0.1 lr_refs")
    assert [found["kprobes"]["level"] for found in findings] == ["absent", "good"]
    assert result.status == tool.UNSUPPORTED
    assert "CAP_SYS_ADMIN" in result.stderr and result.stdout == ""


def status_of(guest, pid):
    lines = guest.check(f"cat /proc/{pid}/status").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.parametrize("who, arguments, ends", [
    (tool.as_nobody(*ALL), "refs --hard -j -i 0.1", tool.OUTSTANDING),
    ([], "trace", tool.DONE), ([], "record -o /tmp/confined", tool.DONE)],
                         ids=["refs", "trace", "record"])
def test_it_gives_up_what_it_needs_no_more(guest, kernel, who, arguments, ends):
    """Ours has no filters of system calls: lastref must do without."""
    job = guest.start([*who, "lastref", *arguments.split()])
    job.wait_for(tool.READY)
    pid = guest.check("pidof lastref").strip()
    guest.check(f"until grep -q '^CapEff:.0000000000000000' /proc/{pid}/status; do usleep 20000; done")
    status = status_of(guest, pid)
    if kernel.patched:
        assert "Seccomp" not in status
    else:
        guest.check(f"until grep -q '^Seccomp:.2' /proc/{pid}/status; do usleep 20000; done")
    assert [int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")] == [0] * 4
    assert status["NoNewPrivs"] == "1"
    assert status["Uid"].split() == status["Gid"].split() == ["65534"] * 4
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check("rmmod lr_slow")
    tool.finish(job, ends)
    if arguments == "trace":
        assert "lr_slow" in job.stdout_so_far
    assert int(status_of(guest, 1)["CapEff"], 16) != 0  # the control


def test_who_may_not_unload_makes_no_records(guest):
    """Anybody can call delete_module as often as he likes; a namespace of his own gives him
    CAP_SYS_MODULE, which is of no use there."""
    job = tool.start(guest, "record -o /tmp/denied")
    for before in ([*tool.as_nobody()], ["unshare", "-r"]):
        refused = guest.run([*before, "busybox", "rmmod", "lr_refs"])
        assert "Operation not permitted" in refused.stderr
    guest.run("busybox rmmod no_such_module")  # the control: root's
    tool.finish(job)
    doc = tool.one_document(guest.run("lastref report -j /tmp/denied"))
    assert doc["denied_requests"] == 2
    assert [(u["module"], u["errno"]) for u in doc["unloads"]] == [("no_such_module", 2)]
    text = guest.run("lastref report /tmp/denied").stdout
    assert "Not listed: 2 requests to unload by tasks without CAP_SYS_MODULE" in text
    # Of a command of the user's all is told.
    own = tool.report(guest, "run -j -- setpriv --reuid=65534 --bounding-set=-all --inh-caps=-all "
                      "busybox rmmod lr_refs", tool.REFUSED)
    assert ([u["errno"] for u in own["unloads"]], own["denied_requests"]) == ([1], 0)


def test_the_users_command_keeps_its_privileges(guest):
    result = guest.run("lastref run -- grep -E '^(CapEff|NoNewPrivs|Seccomp)' /proc/self/status")
    status = dict(line.split(":\t") for line in result.stdout.splitlines() if ":\t" in line)
    assert int(status["CapEff"], 16) == int(status_of(guest, 1)["CapEff"], 16)
    assert (status["NoNewPrivs"], status.get("Seccomp", "0")) == ("0", "0")
