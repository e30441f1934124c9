# SPDX-License-Identifier: GPL-2.0-only
"""What a soak run has done so far, in the file that makes it resumable."""

import json

from harness.paths import REPO


class Kept:
    """The boots done, in build/soak/NAME.json. `what` names kernel, program and modules: with others
    it begins anew."""

    def __init__(self, name, what):
        self.path = REPO / "build" / "soak" / f"{name}.json"
        self.data = {**what, "boots": []}
        if self.path.exists():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if {k: kept.get(k) for k in what} == what:
                self.data = kept
            else:
                print(f"soak: {self.path} is of another build: starting anew", flush=True)

    @property
    def boots(self):
        return self.data["boots"]

    def add(self, boot, total=None):
        """Keeps one boot's figures, and those of all together."""
        self.boots.append(boot)
        if total:
            self.data["total"] = total(self.boots)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        partial.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        partial.rename(self.path)
