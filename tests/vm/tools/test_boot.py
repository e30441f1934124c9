# SPDX-License-Identifier: GPL-2.0-only
"""boot.py as people and scripts use it: its streams, its exit statuses, its options. And a boot that
stands still."""

import contextlib
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import harness.guest
from harness.guest import Guest, GuestTimeout
from harness.modules import WARN_MODULE
from harness.paths import VM

kernels = "patched"
BOOT = VM / "boot.py"


def boot_py(kernel, *arguments, timeout=300):
    return subprocess.run([sys.executable, BOOT, "--kernel", kernel.name, *map(str, arguments)],
                          capture_output=True, timeout=timeout * kernel.slowness)


@pytest.fixture(scope="module")
def warn_directory(kernel, tmp_path_factory):
    """A copy of the control's source, built in place as a user builds a module of his own."""
    directory = tmp_path_factory.mktemp("module") / "warn"
    shutil.copytree(WARN_MODULE, directory)
    result = boot_py(kernel, "--build-module", directory)
    assert result.returncode == 0, result.stderr.decode()
    assert (directory / "warn.ko").exists()
    return directory


def test_stdout_and_status_are_the_commands(kernel, tmp_path):
    every = bytes(range(256))
    (tmp_path / "every byte").write_bytes(every)
    result = boot_py(kernel, "--copy", tmp_path / "every byte", "--smp", 1, "--mem", "512M",
                     "--append", "preempt=full", "--", "sh", "-c",
                     "cat 'every byte'; cat /proc/cmdline >&2; exit 9")
    assert result.returncode == 9
    assert result.stdout == every
    assert b"Linux version" in result.stderr  # the console
    assert b"rdinit=/init preempt=full\n" in result.stderr


def test_a_command_that_takes_too_long_is_124(kernel):
    result = boot_py(kernel, "--timeout", 2, "--", "sh", "-c", "echo begun; sleep 1000")
    assert result.returncode == 124
    assert result.stdout == b"begun\n"
    assert f"did not come within {2.0 * kernel.slowness} s" in result.stderr.decode()


def test_it_ends_when_nobody_reads_its_output(kernel):
    """As in boot.py … | head -1: whatever the guest goes on to say."""
    process = subprocess.Popen(
        [sys.executable, BOOT, "--kernel", kernel.name, "--", "sh", "-c",
         "echo first; while echo more && echo complaint >&2; do :; done"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        errors = threading.Thread(target=process.stderr.read)
        errors.start()
        assert process.stdout.readline() == b"first\n"
        process.stdout.close()
        try:
            assert process.wait(120 * kernel.slowness) == 141
        finally:
            process.kill()
            errors.join()


def test_it_goes_on_when_nobody_reads_its_console(kernel):
    process = subprocess.Popen(
        [sys.executable, BOOT, "--kernel", kernel.name, "--", "sh", "-c", "echo done; exit 3"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        process.stderr.close()
        assert process.stdout.read() == b"done\n"
        assert process.wait(120 * kernel.slowness) == 3


def test_a_lost_vm_is_125(kernel):
    result = boot_py(kernel, "--", "sh", "-c", "reboot -f; sleep 100")
    assert result.returncode == 125
    assert b"the VM was lost" in result.stderr


def test_a_splat_is_126_although_the_command_succeeds(kernel, warn_directory):
    result = boot_py(kernel, "--copy", warn_directory / "warn.ko", "--", "insmod", "warn.ko")
    assert result.returncode == 126
    assert b"vm: kernel splat: WARNING: CPU: " in result.stderr


def test_a_panic_is_126(kernel):
    result = boot_py(kernel, "--", "sh", "-c", "echo c > /proc/sysrq-trigger; sleep 100")
    assert result.returncode == 126
    assert b"vm: the VM was lost" in result.stderr
    assert b"vm: kernel splat: Kernel panic - not syncing: sysrq triggered crash" in result.stderr


def test_a_forwarded_port_reaches_the_guests_loopback(kernel):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, BOOT, "--kernel", kernel.name, "--forward", f"{port}:9100", "--",
         "sh", "-c", "mkdir www; echo served > www/index.html; echo up; "
         "httpd -f -p 127.0.0.1:9100 -h www"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout.readline() == b"up\n"
        answer = b""
        until = time.monotonic() + 60
        while b"served" not in answer and time.monotonic() < until:
            # Until the server in the guest listens, connections to it are closed or reset.
            with contextlib.suppress(ConnectionResetError), \
                    socket.create_connection(("127.0.0.1", port), timeout=30) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.") and answer.endswith(b"served\n")
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("arguments, message", [
    (["--kernel", "7.0", "--", "true"], "invalid choice: '7.0'"),
    (["--kernel", "6.12"], "give one of"),
    (["--kernel", "6.12", "--copy", "/no/such/file", "--", "true"], "there is no /no/such/file"),
    (["--kernel", "6.12", "--forward", "x", "--", "true"], "two port numbers"),
])
def test_wrong_options_are_told(arguments, message):
    result = subprocess.run([sys.executable, BOOT, *arguments], capture_output=True, text=True)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_directory_without_a_makefile_is_told(kernel, tmp_path):
    result = boot_py(kernel, "--build-module", tmp_path)
    assert result.returncode == 125
    assert b"has no Kbuild or Makefile" in result.stderr
    assert not list(Path(tmp_path).iterdir())


def test_instructions_make_the_time(boot):
    """Under icount two runs of the same work take the same time, whatever else the host does."""
    counting = boot(lastref=None, icount=True)
    # The first run warms the caches; the clock is the guest's.
    work = ("for i in 1 2 3; do read a b < /proc/uptime; i=0; "
            "while [ $i -lt 20000 ]; do i=$((i+1)); done; read c d < /proc/uptime; "
            "echo $a $c; done")
    spans = [float(b) - float(a) for a, b in
             (line.split() for line in counting.check(work).splitlines())]
    assert abs(spans[1] - spans[2]) <= 0.011, spans


@pytest.mark.parametrize("patience", [[0.01, harness.guest.BOOT_SECONDS], [0.01, 0.01]])
def test_a_boot_that_stands_still_is_tried_once_more(kernel, monkeypatch, capfd, patience):
    power_on, left = Guest._power_on, list(patience)

    def impatient(self, acceleration):
        monkeypatch.setattr(harness.guest, "BOOT_SECONDS", left.pop(0))
        power_on(self, acceleration)

    monkeypatch.setattr(Guest, "_power_on", impatient)
    if patience[1] < 1:
        with pytest.raises(GuestTimeout, match="the boot did not come within"):
            Guest(kernel, lastref=None)
    else:
        with Guest(kernel, lastref=None) as second:
            assert second.run("true").status == 0
    assert not left
    assert "before any command had started: booting again, once" in capfd.readouterr().err
