# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: calls and requests that go on while the descriptor of their file is closed."""

import pytest

import why

kernels = "all"


def ended(guest, module, holder, doc):
    """Does what is advised, which frees the module."""
    assert doc["next"] == [f"kill {holder.pid}"], doc["next"]
    holder.end()
    why.unused(guest, module)


# The first that is read of cuse's device is there at once.
@pytest.mark.parametrize("call", ["read", "poll"])
def test_a_call_on_a_file(guest, keep, call):
    why.need(guest, "cuse")
    guest.check("until [ -e /dev/cuse ]; do usleep 10000; done")
    holder = keep(f"open /dev/cuse get 0 open /dev/null {call} 0 close 0")
    doc = why.all_explained(guest, "cuse", 1)
    found = why.holder(doc, kind="open_file", pid=holder.pid)
    assert (found["refs"], "fd" in found, found["path"]) == (1, False, "/dev/cuse")
    assert f"keeper[{holder.pid}] is in {call}(2) on /dev/cuse" in doc["verdict"]
    ended(guest, "cuse", holder, doc)


def test_a_call_on_a_socket(guest, keep):
    """It has the socket of the next connection, too."""
    why.need(guest, "vsock")
    holder = keep("vsock_listen 5000 await 0 close 0")
    doc = why.all_explained(guest, "vsock", 2 + 1)
    found = why.holders(doc, pid=holder.pid, kind="open_file")
    assert [(h["refs"], "fd" in h, h["path"][:8]) for h in found] == \
        [(2, False, "socket:["), (1, False, "socket:[")]
    assert f"keeper[{holder.pid}] is in accept(2) on socket:[" in doc["verdict"]
    ended(guest, "vsock", holder, doc)
    holder = keep("vsock_listen 5000 await 0")
    doc = why.all_explained(guest, "vsock", 2 + 1)
    assert why.holder(doc, pid=holder.pid, kind="socket", fd=3)["refs"] == 2
    assert why.holder(doc, pid=holder.pid, kind="open_file")["refs"] == 1
    ended(guest, "vsock", holder, doc)


def test_a_request(guest, keep):
    why.need(guest, "cuse")
    guest.check("until [ -e /dev/cuse ]; do usleep 10000; done")
    holder = keep("open /dev/cuse get 0 submit 0 close 0")
    doc = why.all_explained(guest, "cuse", 1)
    found = why.holder(doc, kind="io_uring_file", pid=holder.pid)
    assert (found["refs"], "fd" in found, found["path"]) == (1, False, "cuse")
    assert "has a request of io_uring on cuse" in doc["verdict"]
    ended(guest, "cuse", holder, doc)


def test_a_call_on_a_file_that_is_open(guest, keep):
    """The control: who has it open and is in a call on it is named once."""
    why.need(guest, "cuse")
    guest.check("until [ -e /dev/cuse ]; do usleep 10000; done")
    holder = keep("open /dev/cuse get 0 read 0")
    doc = why.all_explained(guest, "cuse", 1)
    assert why.holder(doc, kind="open_file", pid=holder.pid)["fd"] == 3
    ended(guest, "cuse", holder, doc)
