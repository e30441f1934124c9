# SPDX-License-Identifier: GPL-2.0-only
"""Kernel lockdown: with "integrity" all works, with "confidentiality" it is named as the reason."""

import pytest

import tool
import truth
import why

kernels = ["stock-6.12"]
guest_options = {"load": ["lr_refs", "lr_slow", "lr_base"]}

LEVEL = "/sys/kernel/security/lockdown"


@pytest.fixture(scope="module", autouse=True)
def held(guest, keep):
    """A level is not to be lowered again, so the tests below go up, in their order."""
    guest.check("mount -t securityfs none /sys/kernel/security; "
                "echo 0 > /sys/module/lr_slow/parameters/exit_ms")
    file = keep(f"open_r {truth.DEBUGFS}/lr_refs/counters")
    yield
    file.end()


def doctor(guest):
    result = tool.lastref(guest, "doctor -j")
    doc = tool.one_document(result)
    return result.status, {f["what"]: f for f in doc["findings"]}


def explained(guest):
    doc = why.ask(guest, "lr_refs")
    assert doc["hard"] == {"refs": 1, "explained": 1, "unexplained": 0}, why.brief(doc)


def test_integrity(guest):
    guest.check(f"echo integrity > {LEVEL}")
    assert guest.run("cat /sys/kernel/debug/kprobes/enabled").status != 0  # the control
    explained(guest)
    unload, = tool.report(guest, "run -j -- rmmod lr_slow")["unloads"]
    assert unload["complete"] is True and unload["outcome"] == "freed"
    status, findings = doctor(guest)
    assert status == tool.DONE and "lockdown" not in findings
    # Whether they are switched off is among what debugfs may not tell now.
    assert "found out as tracing begins" in findings["kprobes"]["detail"]


def test_raised_while_it_records(guest):
    """What is loaded by then goes on, and what it has seen is kept. No module can be loaded now."""
    job = tool.start(guest, "record --hard -o /tmp/raised")
    guest.check(f"echo confidentiality > {LEVEL}; rmmod lr_base")
    assert tool.finish(job).status == tool.DONE
    unload, = tool.one_document(tool.lastref(guest, "report -j /tmp/raised"))["unloads"]
    assert unload["complete"] is True and unload["outcome"] == "freed"


@pytest.mark.parametrize("around", ["{}", f"unshare -m sh -c 'umount -l /sys/kernel/security; "
                                    f"[ ! -e {LEVEL} ] && {{}}'"], ids=["shown", "not_mounted"])
def test_confidentiality(guest, around):
    result = guest.run(around.format("lastref refs --hard -d 0.1"))
    assert result.status == tool.UNSUPPORTED, result.stderr
    assert result.stdout == ""
    assert "level confidentiality forbids tracing\n  boot with lockdown=integrity or lower" \
        in result.stderr
    result = why.run(guest, "lr_refs", around)
    doc = why.document(result, tool.UNSUPPORTED)
    assert doc["hard"] == {"refs": 1, "explained": 0, "unexplained": 1}
    assert "confidentiality" in result.stderr and "lockdown=integrity" in result.stderr
    doc = tool.one_document(guest.run(around.format("lastref doctor -j")))
    assert [f["what"] for f in doc["findings"] if f["level"] == "absent"] == ["lockdown"]
    assert [c["command"] for c in doc["commands"] if c["works"]] == ["report FILE, --replay FILE"]
    assert tool.lastref(guest, "report /tmp/raised").status == tool.DONE
