# SPDX-License-Identifier: GPL-2.0-only
"""A kernel that is too old: doctor says so and why, and each command does as doctor has said, before
it changes or starts anything."""

import pytest

import tool
import why

kernels = ["stock-5.10"]
LACKS = {"bpf_snprintf() (in Linux since 5.13)", "programs of type syscall (in Linux since 5.14)",
         "bpf_loop() (in Linux since 5.17)"}
REMEDY = "use Linux 6.1 or later"
LIVE = ["run -- touch /tmp/started", "record -o /tmp/recording -- touch /tmp/started",
        "refs --hard -d 1", "trace -d 1", ""]


def names_what_is_missing(text):
    return all(what in " ".join(text.split()) for what in LACKS) and "sudo" not in text


def test_doctor_names_the_age_of_the_kernel(guest):
    result = tool.lastref(guest, "doctor -j")
    assert result.status == tool.UNSUPPORTED
    doc = tool.one_document(result)
    absent = [one for one in doc["findings"] if one["level"] == "absent"]
    assert [(one["what"], one["remedy"]) for one in absent] == [("BPF", REMEDY)]
    assert names_what_is_missing(absent[0]["detail"])
    works = {one["command"] for one in doc["commands"] if one["works"]}
    assert works == {"report FILE, --replay FILE"}


def test_why_tells_what_there_is_to_tell(guest):
    guest.check("modprobe tun")
    result = why.run(guest, "tun < /dev/net/tun")
    doc = why.document(result, tool.UNSUPPORTED)
    assert (doc["hard"]["refs"], doc["hard"]["explained"]) == (2, 0), why.brief(doc)
    unseen, = doc["not_examined"]
    assert names_what_is_missing(unseen["why"])
    assert REMEDY in result.stderr and names_what_is_missing(result.stderr)


@pytest.mark.parametrize("arguments", LIVE)
def test_nothing_is_started(guest, arguments):
    result = tool.lastref(guest, arguments)
    assert (result.status, result.stdout) == (tool.UNSUPPORTED, ""), result.stderr
    assert names_what_is_missing(result.stderr) and REMEDY in result.stderr
    assert guest.run("ls /tmp/started /tmp/recording 2> /dev/null").stdout == ""
