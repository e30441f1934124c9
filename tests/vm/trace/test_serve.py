# SPDX-License-Identifier: GPL-2.0-only
"""lastref serve, scraped by Debian's Prometheus: values, alerts, health, and what a scrape does not
change."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.request

import pytest

import tool
import truth
from harness import exporter, prometheus
from harness.paths import REPO

kernels = "all"
guest_options = {"load": ["lr_referee"], "programs": ["strace"], "lastref": "lastref"}
RULES = REPO / "packaging" / "prometheus" / "lastref.rules.yml"
DASHBOARD = REPO / "packaging" / "grafana" / "lastref.json"
UNIT = REPO / "packaging" / "systemd" / "lastref.service.in"
INTERVAL = 0.3  # between its snapshots, in seconds


def fetch(port, path="/metrics", method="GET"):
    """Status and body; the guest's netcat may need a moment, so a broken connection is tried again."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    for attempt in range(5):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (ConnectionError, urllib.error.URLError):
            if attempt == 4:
                raise
            time.sleep(0.5)
    return None


def samples(text):
    """{series: value} of the text format, for series whose labels hold no spaces."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {series: float(value) for series, value in (line.rsplit(" ", 1) for line in lines)}


def wait_sample(port, wanted, timeout=60):
    """Samples for which wanted(samples) is true. They change by themselves, every 0.3 s."""
    until = time.monotonic() + timeout
    while True:
        now = samples(fetch(port)[1])
        if wanted(now):
            return now
        assert time.monotonic() < until, "\n".join(f"{k} {v}" for k, v in now.items())
        time.sleep(0.2)


@pytest.fixture(scope="module")
def port(guest):
    return exporter.reach(guest)


def has_soft(guest):
    return guest.kernel.name in ("6.12", "6.1", "6.12-debug")


# --- with a server of their own: before the one that all the others share ---


def listening(guest):
    """The addresses on which somebody listens at port 10917, 0x2AA5, in /proc/net/tcp."""
    return re.findall(r": (\w+):2AA5 \S+ 0A ", guest.check("cat /proc/net/tcp*"))


def test_the_privileges_of_the_unit_suffice(guest, port):
    """As nobody, with the capabilities that the unit leaves it, and no new ones; and it listens on
    every address when it is told to, and says what that means."""
    text = UNIT.read_text()
    caps = re.search(r"^AmbientCapabilities=(.*)$", text, re.M)[1].lower().split()
    assert caps == re.search(r"^CapabilityBoundingSet=(.*)$", text, re.M)[1].lower().split()
    nobody = tool.as_nobody(*(cap.removeprefix("cap_") for cap in caps))
    everywhere = f"0.0.0.0:{exporter.PORT}"
    job = guest.start([*nobody, "--no-new-privs", "lastref", "serve", "-i", str(INTERVAL),
                       "--listen", everywhere])
    job.wait_for(f"^lastref: serving http://{everywhere}/metrics$")
    assert listening(guest) == ["00000000"]
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check("rmmod lr_slow")
    now = wait_sample(port, lambda s: s.get(
        'lastref_unloads_total{module="lr_slow",outcome="freed"}') == 1)
    assert now["lastref_incomplete_records_total"] == 0
    job.signal("TERM")
    result = job.wait()
    assert result.status == tool.DONE and "password" in result.stderr


def system_calls(words):
    """The names that words of a SystemCallFilter= stand for; @groups may be nested."""
    names = set()
    for word in words:
        if word.startswith("@"):
            listed = subprocess.run(["systemd-analyze", "syscall-filter", word], text=True,
                                    capture_output=True, check=True).stdout
            names |= system_calls(re.findall(r"^    ([@\w-]+)$", listed, re.M))
        else:
            names.add(word)
    return names


def test_the_system_calls_of_the_unit_suffice(guest, port):
    """What it calls from its start to its end, scrapes included, is in the unit's filter; with those
    file systems mounted that systemd mounts. Elsewhere lastref would mount them for itself, which
    the filter refuses without harm: EPERM."""
    allowed = set()
    for sign, words in re.findall(r"^SystemCallFilter=(~?)(.*)$", UNIT.read_text(), re.M):
        names = system_calls(words.split())
        allowed = allowed - names if sign else allowed | names
    assert not {"mount", "init_module", "ptrace"} & allowed
    many = {"read", "write", "close", "lseek", "fstat", "newfstatat", "mmap", "brk", "futex", "poll"}
    assert many <= allowed  # so strace need not stop for these
    guest.run("mount -t securityfs none /sys/kernel/security")  # not every kernel has it
    job = exporter.start(guest, INTERVAL, before=[
        "strace", "-f", "--seccomp-bpf", "-qq", "-o", "/tmp/calls",
        "-e", "trace=!" + ",".join(sorted(many))])
    assert fetch(port)[0] == fetch(port, "/healthz")[0] == 200
    guest.check("kill -TERM $(pidof lastref)")  # not strace, which would only let go of it
    assert job.wait().status == tool.DONE
    called = set(re.findall(r"^\d+ +(\w+)\(", guest.get("/tmp/calls").decode(), re.M))
    assert {"bpf", "perf_event_open", "accept"} <= called, called
    # The first is strace's own doing: systemd executes the program before the filter applies. By the
    # others root, which the unit is not, becomes nobody.
    others = {"execve", "setgroups", "setresgid", "setresuid"}
    assert called - others <= allowed, called - allowed


# --- with the one that is shared; each test looks at what it has changed ---


@pytest.fixture(scope="module")
def serve(guest, keep, port):
    """References are held from before it starts, so that nobody can explain them."""
    keep(f"open_r {truth.DEBUGFS}/lr_referee/unloads")
    if has_soft(guest):
        truth.insmod(guest, "lr_file")
        keep("open_r /dev/lr_file")
    job = exporter.start(guest, INTERVAL)
    yield port
    job.signal("TERM")
    assert job.wait().status == tool.DONE


def test_an_unload_is_counted_and_its_delay(guest, serve):
    """The first of them: it begins with none."""
    freed = 'lastref_unloads_total{module="lr_slow",outcome="freed"}'
    before = samples(fetch(serve)[1])
    assert freed not in before
    for count in (1, 2):
        truth.insmod(guest, "lr_slow", "exit_ms=150")
        guest.check("rmmod lr_slow")
        now = wait_sample(serve, lambda s, n=count: s.get(freed) == n)
    assert now["lastref_unload_free_delay_seconds_count"] - \
        before["lastref_unload_free_delay_seconds_count"] == 2
    assert now['lastref_unload_exit_routine_seconds_bucket{le="0.1"}'] == 0
    assert 0.3 <= now["lastref_unload_exit_routine_seconds_sum"] < 0.3 + 2 * tool.NEAR_NS / 1e9
    assert now["lastref_incomplete_records_total"] == now["lastref_events_lost_total"] == 0
    assert now["process_cpu_seconds_total"] > 0
    assert 1e6 < now["process_resident_memory_bytes"] < 200e6


def test_a_refusal_and_a_module_that_does_not_exist(guest, serve):
    truth.insmod(guest, "lr_base")
    truth.insmod(guest, "lr_user")
    assert guest.run("busybox rmmod lr_base").status != 0
    assert guest.run("busybox rmmod no_such_module").status != 0
    now = wait_sample(serve, lambda s: s.get(
        'lastref_unloads_total{module="lr_base",outcome="refused"}') == 1 and s.get(
        'lastref_unloads_total{module="other",outcome="refused"}') == 1)
    assert now['lastref_module_hard_references{module="lr_base"}'] == 1
    assert "no_such_module" not in str(now)
    guest.check("rmmod lr_user lr_base")


def test_hard_references_and_what_is_unexplained(guest, keep, serve):
    """An open file of a module that was loaded before is held by a get that was seen."""
    truth.insmod(guest, "lr_refs")
    file = keep(f"open_r {truth.DEBUGFS}/lr_refs/counters")
    held = 'lastref_module_hard_references{module="lr_refs"}'
    now = wait_sample(serve, lambda s: s.get(held) == 1)
    assert now['lastref_module_hard_references_unexplained{module="lr_refs",bound="max"}'] == 0
    file.end()
    now = wait_sample(serve, lambda s: s[held] == 0)
    guest.check("rmmod lr_refs")
    assert ("lastref_module_soft_references" in str(now)) == has_soft(guest)


def test_counters_never_go_back(guest, serve):
    """Under unloads and reloads of several modules, each counter of each scrape against the last."""
    guest.put("/root/churn.sh", f"""cd {truth.MODULES}
        for i in $(seq 5); do
            insmod lr_slow.ko exit_ms=200; rmmod lr_slow; insmod lr_base.ko; rmmod lr_base
        done""")
    total = 'lastref_unloads_total{module="lr_slow",outcome="freed"}'
    last = samples(fetch(serve)[1])
    wanted = last[total] + 5
    scrapes = 0
    job = guest.start("sh churn.sh")
    until = time.monotonic() + 120
    while last[total] != wanted:
        now = samples(fetch(serve)[1])
        for series, value in now.items():
            if re.search(r"_(total|bucket|count|sum)(\{|$)", series):
                assert value >= last.get(series, 0), series
        assert not [s for s in last if "_total" in s and s not in now]
        last = now
        scrapes += 1
        assert time.monotonic() < until, last
    assert job.wait().status == 0
    assert scrapes > 3
    assert last["lastref_unload_free_delay_seconds_count"] == sum(
        value for series, value in last.items()
        if re.match(r'lastref_unloads_total\{.*outcome="freed"', series))
    # The same of all modules together, which is there before the first of them.
    assert last['lastref_unload_outcomes_total{outcome="freed"}'] == \
        last["lastref_unload_free_delay_seconds_count"]


def test_scrapes_change_nothing(guest, serve):
    """Not the references, nor the module list, nor how often lastref reads its counters."""
    before = truth.module_list(guest)
    first = samples(fetch(serve)[1])
    guest.check(f"for i in $(seq 40); do wget -q -O /dev/null {exporter.URL}; "
                "done", timeout=120)
    last = samples(fetch(serve)[1])
    took = last["lastref_snapshot_timestamp_seconds"] - first["lastref_snapshot_timestamp_seconds"]
    assert last["lastref_snapshots_total"] - first["lastref_snapshots_total"] <= took / 0.3 + 2
    assert last["lastref_probe_runs_missed_total"] == first["lastref_probe_runs_missed_total"]
    assert truth.module_list(guest) == before


def test_bpf_time_where_the_kernel_counts_it(guest, serve):
    assert "lastref_bpf_runs_total" not in samples(fetch(serve)[1])
    guest.check("sysctl -w kernel.bpf_stats_enabled=1")
    truth.insmod(guest, "lr_slow", "exit_ms=0")
    guest.check("rmmod lr_slow")
    now = wait_sample(serve, lambda s: s.get("lastref_bpf_runs_total", 0) > 0)
    guest.check("sysctl -w kernel.bpf_stats_enabled=0")
    assert 0 < now["lastref_bpf_run_seconds_total"] < 60
    again = wait_sample(serve, lambda s: s["lastref_snapshots_total"] >
                        now["lastref_snapshots_total"] + 1)
    assert again["lastref_bpf_runs_total"] >= now["lastref_bpf_runs_total"]


def test_health(serve):
    """That it also says no is in tests/unit/exporter_test.cpp."""
    assert fetch(serve, "/healthz") == (200, "ok\n")


def test_doctor_says_that_it_works(guest, kernel):
    commands = tool.one_document(guest.run("lastref doctor -j"))["commands"]
    serve, = [one for one in commands if one["command"] == "serve"]
    assert (serve["works"], serve["limits"]) == (
        True, "" if kernel.patched else "no soft references")


def test_nothing_can_be_written_and_nothing_else_is_served(guest, serve):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        status, _ = fetch(serve, "/metrics", method)
        assert status in (404, 405), method
    for path in ("/metricsx", "/etc/passwd", "/../etc/passwd", "/healthz/x"):
        assert fetch(serve, path)[0] in (400, 404), path
    assert fetch(serve, "/")[0] == 200


def test_a_port_in_use(guest, serve):
    result = tool.lastref(guest, "serve")
    assert result.status == tool.FAILED
    assert "Address already in use" in result.stderr and "--listen" in result.stderr


def test_it_listens_on_loopback_only(guest, serve):
    assert listening(guest) == ["0100007F"]


# --- with Prometheus ---


def test_promtool_accepts_the_metrics(serve):
    """The rules are in test_rules.py."""
    lint = subprocess.run([prometheus.program("promtool"), "check", "metrics"],
                          input=fetch(serve)[1], capture_output=True, text=True)
    assert lint.returncode == 0 and not lint.stdout + lint.stderr, lint.stdout + lint.stderr


def expressions():
    """All of the dashboard, for all of its hosts."""
    return [re.sub(r"\$\w+", ".*", target["expr"]) for panel in
            json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]


def test_prometheus_scrapes_it_and_an_alert_fires(guest, serve):
    """The last test: the guest ends before this exit routine does.

    The guest's clock is set two hours back once the unload is stuck: for Prometheus it is then stuck
    for two hours, and the rules, which are those that we ship, need not be waited for.
    """
    guest.check("sysctl -w kernel.bpf_stats_enabled=1")
    unloads = 'lastref_unloads_total{module="lr_slow",outcome="freed"}'
    before = samples(fetch(serve)[1])[unloads]
    with prometheus.Server([{"targets": [f"127.0.0.1:{serve}"]}], RULES) as server:
        server.wait(lambda: server.query("up == 1"), "the first scrape")
        for _ in range(2):
            truth.insmod(guest, "lr_slow", "exit_ms=10")
            guest.check("rmmod lr_slow")
        server.wait(lambda: server.query(f"{unloads} == {before + 2}"), "unloads")
        truth.insmod(guest, "lr_slow", "exit_ms=600000")
        guest.start(["rmmod", "lr_slow"])
        wanted = {("LastrefExitRoutineHung", "lr_slow")}
        if has_soft(guest):
            guest.check("rmmod lr_file")
            wanted.add(("LastrefModuleWaiting", "lr_file"))
        server.wait(lambda: len(server.query(
            'lastref_unload_pending_since_timestamp_seconds{phase=~"exit_routine|waiting"}'))
            == len(wanted), "the unloads")
        assert not server.api("alerts")["alerts"]  # not yet: they have just begun
        check_dashboard(server, has_soft(guest))
        guest.check('date -s "@$(( $(date +%s) - 7200 ))"')

        def firing():
            return {(a["labels"]["alertname"], a["labels"].get("module")) for a in
                    server.api("alerts")["alerts"] if a["state"] == "firing"}
        server.wait(lambda: wanted <= firing(), f"the alerts {wanted}")
        assert firing() == wanted


def check_dashboard(server, soft):
    """Each expression is understood, and each finds something, where there is something."""
    empty = {expr for expr in expressions() if not server.query(expr)}
    assert len(expressions()) > 20
    assert all("soft_references" in expr for expr in empty) and bool(empty) != soft, empty
