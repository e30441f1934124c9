# SPDX-License-Identifier: GPL-2.0-only
"""Debian's own Prometheus, unpacked from its package and never installed: the package would start a
server on this machine that listens on every address."""

import json
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from . import debian
from .paths import CACHE, HarnessError, locked, say


def _pages_need():
    """What its web pages are made of, all of it scripts and fonts."""
    found, left = set(), ["prometheus"]
    while left:
        wanted = debian.depends(left.pop())
        new = {name for name in wanted if name.startswith(("libjs-", "fonts-"))} - found
        found |= new
        left += new
    return sorted(found)


def _unpacked():
    version = debian.version("prometheus")
    entry = CACHE / "prometheus" / f"{version.replace(':', '%3a')}-pages"
    with locked(CACHE / "prometheus" / "prometheus.lock"):
        if not entry.is_dir():
            say(f"downloading Debian's prometheus {version}")
            partial = entry.with_name("partial")
            shutil.rmtree(partial, ignore_errors=True)
            debian.unpack(["prometheus", *_pages_need()], partial)
            partial.rename(entry)
    return entry


def program(name):
    """The path of prometheus or promtool."""
    return _unpacked() / "usr" / "bin" / name


class Server:
    """A Prometheus on the loopback of this machine. `targets` are its static_configs."""

    def __init__(self, targets, rules, interval="3s"):
        self.folder = tempfile.TemporaryDirectory(prefix="lastref-prometheus-")
        config = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval,
                       "evaluation_interval": interval},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "lastref", "static_configs": targets}]}
        file = Path(self.folder.name) / "prometheus.yml"
        file.write_text(json.dumps(config))  # JSON is YAML
        self.log = open(Path(self.folder.name) / "log", "w+b")
        self.process = subprocess.Popen(
            [program("prometheus"), f"--config.file={file}", "--web.listen-address=127.0.0.1:0",
             f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.local-assets={_unpacked()}/usr/share/prometheus/web/"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.url = None

    def __enter__(self):
        until = time.monotonic() + 60
        while not self.url:
            found = re.search(r'msg="Listening on" address=(\S+)', self.said())
            if found:
                self.url = f"http://{found[1]}"
            elif time.monotonic() > until or self.process.poll() is not None:
                raise HarnessError(f"Prometheus does not start:\n{self.said()}")
            else:
                time.sleep(0.1)
        self.wait(self._is_ready, "Prometheus's being ready")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def _is_ready(self):
        """It listens before it has read what it has stored, and then answers with 503."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=30):
                return True
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            return False

    def said(self):
        self.log.flush()
        return Path(self.log.name).read_text(errors="replace")

    def api(self, path, **parameters):
        """The data of an answer; an error of Prometheus's is a HarnessError with its words."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise HarnessError(f"{path} {parameters}: {error.read().decode()}") from error

    def query(self, expression):
        """The vector that an expression gives now: [(labels, value), …]."""
        found = self.api("query", query=expression)
        assert found["resultType"] == "vector", found
        return [(one["metric"], float(one["value"][1])) for one in found["result"]]

    def wait(self, condition, what, timeout=60):
        """Waits until condition() is true; what happens in Prometheus tells nobody."""
        until = time.monotonic() + timeout
        while not (answer := condition()):
            if time.monotonic() > until:
                raise HarnessError(f"{what} did not come within {timeout} s\n{self.said()}")
            time.sleep(0.2)
        return answer
