# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: algorithms of the crypto API. How many users one has is known of all, who they are of
sockets only."""

import pytest

import truth
import why
import why_net

kernels = "stock"
guest_options = {"copies": why_net.program()}


@pytest.fixture
def hold(guest):
    yield from why_net.holders(guest)


def refs(guest, module):
    return int(truth.sysfs(guest, module, "refcnt"))


def of_process(doc, holder):
    """What its socket holds."""
    return why.holder(doc, kind="crypto", pid=holder.pid)


def anonymous(doc):
    """{driver: references of those whom the kernel does not record}."""
    return {h["path"]: h["refs"] for h in why.holders(doc, kind="crypto") if "pid" not in h}


def test_a_user_in_the_kernel(guest):
    """What an idle machine has: a library that has a transform as long as it is loaded."""
    guest.check("modprobe crc32c_intel")
    why_net.unused(guest, "crc32c_intel")
    guest.check("modprobe libcrc32c")
    doc = why_net.all_explained(guest, "crc32c_intel", 1)
    user = why.holder(doc, kind="crypto")
    assert (user["path"], user["refs"], user["pins"]) == ("crc32c-intel", 1, "yes")
    assert user["detail"] == "users of crc32c-intel (crc32c); the kernel does not record who"
    assert "crc32c-intel (crc32c) is in use, the kernel does not record by whom" in doc["verdict"]
    guest.check("rmmod libcrc32c")
    why_net.unused(guest, "crc32c_intel")


def test_a_socket_beside_a_user_in_the_kernel(guest, hold):
    """A hash that is no asynchronous one by itself is held twice by each of its sockets."""
    guest.check("modprobe crc32c_intel; modprobe libcrc32c; modprobe algif_hash")
    holder = hold("alg hash crc32c")
    doc = why_net.all_explained(guest, "crc32c_intel", 3)
    found = of_process(doc, holder)
    assert (found["refs"], found["fd"], found["comm"]) == (2, 3, why_net.NAME)
    assert found["detail"] == "fd 3, AF_ALG socket: uses crc32c-intel (crc32c)"
    assert anonymous(doc) == {"crc32c-intel": 1}
    assert f"kill {holder.pid}" in doc["next"]
    holder.end()
    why_net.wait_unused(guest, "crc32c_intel", 1)
    assert anonymous(why_net.all_explained(guest, "crc32c_intel", 1)) == {"crc32c-intel": 1}
    guest.check("rmmod libcrc32c")
    why_net.unused(guest, "crc32c_intel")


@pytest.mark.parametrize("end", [" accept 0", " accept 0 close 0"])
def test_accepted_sockets(guest, hold, end):
    """They share the transform of the one that is bound, which lives as long as they do."""
    guest.check("modprobe crc32c_intel; modprobe algif_hash")
    holder = hold(f"alg hash crc32c{end}")
    assert of_process(why_net.all_explained(guest, "crc32c_intel", 2), holder)["refs"] == 2
    holder.end()
    why_net.unused(guest, "crc32c_intel")


@pytest.mark.parametrize("module, algif, kind, name, driver", [
    ("camellia_x86_64", "skcipher", "skcipher", "ecb(camellia)", "ecb-camellia-asm"),
    ("ansi_cprng", "rng", "rng", "ansi_cprng", "ansi_cprng"),
    ("ghash_generic", "hash", "hash", "ghash", "ghash-generic"),
])
def test_kinds_of_transforms(guest, hold, module, algif, kind, name, driver):
    guest.check(f"modprobe {module}; modprobe algif_{algif}")
    before = refs(guest, module)
    holder = hold(f"alg {kind} {name}")
    taken = refs(guest, module) - before
    assert taken > 0
    doc = why_net.all_explained(guest, module, before + taken)
    found = of_process(doc, holder)
    assert (found["refs"], found["remedy"]) == (taken, f"kill {holder.pid}")
    assert driver in found["detail"]
    holder.end()
    why_net.unused(guest, module)


def test_a_transform_on_others(guest, hold):
    """What a template is built on is used by it, not by the socket: that is not recorded."""
    # What it is built on, the kernel loads by this program.
    guest.check("sysctl -q -w kernel.modprobe=/usr/sbin/modprobe; modprobe ccm; modprobe algif_aead")
    holder = hold("alg aead ccm(aes)")
    counted = refs(guest, "ccm")
    doc = why_net.all_explained(guest, "ccm", counted)
    found = of_process(doc, holder)
    assert found["refs"] == 1 and "(ccm(aes))" in found["detail"]
    inner, = anonymous(doc)
    assert inner.startswith("cbcmac(") and anonymous(doc) == {inner: counted - 1}
    holder.end()
    why_net.unused(guest, "ccm")


def test_a_cipher_below_a_template(guest, hold):
    guest.check("modprobe cast6_generic; modprobe algif_hash; modprobe cmac")
    holder = hold("alg hash cmac(cast6)")
    counted = refs(guest, "cast6_generic")
    assert counted > 0
    doc = why_net.all_explained(guest, "cast6_generic", counted)
    assert anonymous(doc) == {"cast6-generic": counted}
    template = why_net.all_explained(guest, "cmac", refs(guest, "cmac"))
    assert of_process(template, holder)["refs"] == refs(guest, "cmac")
    holder.end()
    why_net.unused(guest, "cast6_generic")
    why_net.unused(guest, "cmac")
