# SPDX-License-Identifier: GPL-2.0-only
"""Has a process in the guest hold sockets; see programs/net_holder.c."""

import why
from harness.compiled import compiled
from harness.paths import VM

NAME = "net_holder"


def program():
    """For a guest's copies."""
    return {NAME: compiled(NAME, [VM / "programs" / f"{NAME}.c"])}


class Holder:
    """Has done its steps when this returns; holds what it made until it is ended."""

    def __init__(self, guest, steps, enter=""):
        self.guest = guest
        command = f"{enter} /root/{NAME} {steps}".split()
        self.job = guest.start(command)
        self.job.wait_for(r"^ready (\d+)$", "stdout")
        self.pid = int(self.job.stdout_so_far.split()[1])

    def end(self):
        if not self.job.done:
            self.job.signal("KILL")
            self.job.wait()


def holders(guest):
    """For a fixture: starts holders of these steps; the last thing that is seen to is that they are
    gone."""
    started = []

    def start(steps, enter=""):
        started.append(Holder(guest, steps, enter))
        return started[-1]

    yield start
    for holder in started:
        holder.end()


def wait_unused(guest, module, refs=0):
    """Waits until the kernel counts no more than that: sockets are freed after a grace period."""
    guest.check(f"until [ $(cat /sys/module/{module}/refcnt) -le {refs} ]; do usleep 20000; done")


def unload(guest, *modules):
    """The control after the cure: nobody holds it, as the kernel shows by letting it go."""
    for module in modules:
        wait_unused(guest, module)
        guest.check(f"rmmod {module}")


def unused(guest, module):
    """The control of lastref after the cure: it names nobody who is gone. For each kind of holder
    one module has it."""
    wait_unused(guest, module)
    return why.free(guest, module)


def all_explained(guest, module, refs, **wanted):
    """The document in which so many references are all explained, some by such a holder."""
    doc = why.explained(guest, module, refs)
    assert not doc["not_examined"], why.brief(doc)
    assert why.holders(doc, **wanted), f"no holder is {wanted}: {why.brief(doc)}"
    return doc
