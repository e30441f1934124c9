# SPDX-License-Identifier: GPL-2.0-only
"""lastref why: algorithms of the crypto API. How many users one has is known of all, who they are of
sockets only."""

import pytest

import truth
import why

kernels = "stock"


@pytest.fixture(autouse=True, scope="module")
def any_algorithm(guest):
    """Since v7.3 sockets get but a few, unless it is said otherwise."""
    guest.check("modprobe af_alg; cd /proc/sys/crypto; "
                "[ ! -e af_alg_restrict ] || echo 0 > af_alg_restrict")


def refs(guest, module):
    return int(truth.sysfs(guest, module, "refcnt"))


def of_process(doc, holder):
    """What its socket holds."""
    return why.holder(doc, kind="crypto", pid=holder.pid)


def anonymous(doc):
    """{driver: references of those whom the kernel does not record}."""
    return {h["path"]: h["refs"] for h in why.holders(doc, kind="crypto") if "pid" not in h}


def unused(guest, module):
    """The control after the cure: the kernel counts nobody any more, and lets the module go."""
    why.wait_unused(guest, module)
    guest.check(f"rmmod {module}")


def of_crc32c(guest):
    """The module and the driver of a hash that is no asynchronous one by itself, and a module that has a
    transform of it while it is loaded, as on an idle machine. Since v6.14 no module has."""
    if guest.run("modprobe -n libcrc32c").status == 0:
        return "crc32c_intel", "crc32c-intel", ["libcrc32c"]
    return "crc32c_cryptoapi", "crc32c-lib", []


def test_sockets_beside_a_user_in_the_kernel(guest, keep):
    """Such a hash is held twice by each of its sockets. Those that are accepted share the transform of
    the one that is bound, which lives as long as they do."""
    module, driver, users = of_crc32c(guest)
    guest.check(f"modprobe {module}; modprobe algif_hash")
    assert refs(guest, module) == 0
    for user in users:
        guest.check(f"modprobe {user}")
    holders = [keep(f"alg hash crc32c{end}") for end in ("", " accept 0", " accept 0 close 0")]
    doc = why.all_explained(guest, module, 6 + len(users))
    assert [of_process(doc, holder)["refs"] for holder in holders] == [2, 2, 2]
    found = of_process(doc, holders[0])
    assert (found["fd"], found["comm"]) == (3, "keeper")
    assert found["detail"] == f"fd 3, AF_ALG socket: uses {driver} (crc32c)"
    assert anonymous(doc) == {driver: 1 for _ in users}
    pids = " ".join(str(holder.pid) for holder in holders)
    assert f"kill {pids}" in doc["next"]
    for holder in holders:
        holder.end()
    for user in users:
        why.wait_unused(guest, module, 1)
        doc = why.all_explained(guest, module, 1)
        one = why.holder(doc, kind="crypto")
        assert (one["path"], one["refs"], one["pins"]) == (driver, 1, "yes")
        assert one["detail"] == f"users of {driver} (crc32c); the kernel does not record who"
        assert f"{driver} (crc32c) is in use, the kernel does not record by whom" in doc["verdict"]
        guest.check(f"rmmod {user}")
    why.unused(guest, module)
    guest.check(f"rmmod {module}")


@pytest.mark.parametrize("module, algif, kind, name, driver", [
    ("camellia_x86_64", "skcipher", "skcipher", "ecb(camellia)", "ecb-camellia-asm"),
    ("ansi_cprng", "rng", "rng", "ansi_cprng", "ansi_cprng"),
    ("rmd160", "hash", "hash", "rmd160", "rmd160-generic"),
])
def test_kinds_of_transforms(guest, keep, module, algif, kind, name, driver):
    if not guest.check(f"modprobe -nv {module} 2> /dev/null || true"):
        pytest.skip(f"this kernel has no module {module}")
    guest.check(f"modprobe {module} && modprobe algif_{algif}")
    before = refs(guest, module)
    holder = keep(f"alg {kind} {name}")
    taken = refs(guest, module) - before
    assert taken > 0
    doc = why.all_explained(guest, module, before + taken)
    found = of_process(doc, holder)
    assert (found["refs"], found["remedy"]) == (taken, f"kill {holder.pid}")
    assert driver in found["detail"]
    holder.end()
    unused(guest, module)


def test_a_transform_on_others(guest, keep):
    """What a template is built on is used by it, not by the socket: that is not recorded."""
    # What it is built on, the kernel loads by this program.
    guest.check("sysctl -q -w kernel.modprobe=/usr/sbin/modprobe; modprobe ccm; modprobe algif_aead")
    holder = keep("alg aead ccm(aes)")
    counted = refs(guest, "ccm")
    doc = why.all_explained(guest, "ccm", counted)
    found = of_process(doc, holder)
    assert found["refs"] == 1 and "(ccm(aes))" in found["detail"]
    inner = anonymous(doc)  # none where it is built on what the kernel has
    assert all(name.startswith("cbcmac(") for name in inner)
    assert sum(inner.values()) == counted - 1
    holder.end()
    unused(guest, "ccm")


def test_a_cipher_below_a_template(guest, keep):
    guest.check("modprobe cast6_generic; modprobe algif_hash; modprobe cmac")
    holder = keep("alg hash cmac(cast6)")
    counted = refs(guest, "cast6_generic")
    assert counted > 0
    doc = why.all_explained(guest, "cast6_generic", counted)
    assert anonymous(doc) == {"cast6-generic": counted}
    template = why.all_explained(guest, "cmac", refs(guest, "cmac"))
    assert of_process(template, holder)["refs"] == refs(guest, "cmac")
    holder.end()
    unused(guest, "cast6_generic")
    unused(guest, "cmac")
