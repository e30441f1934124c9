# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own selftests for modules, kmod, livepatch and the tracing of modules, in a guest.

Scripts and test modules are those that were released with the kernel, built out of tree.
"""

import re
import shutil
from collections import Counter

from harness import modules, source
from harness.guest import Guest
from harness.paths import VM, run

OURS = VM / "patch" / "kselftests"
SELFTESTS = "tools/testing/selftests"
_SCRIPTS = ("kmod", "livepatch", "static_keys", "lib", "kselftest", "ftrace")
_MODULES = ("lib/test_kmod.c", "lib/test_module.c", "lib/test_static_keys.c",
            "lib/test_static_key_base.c", "lib/test_bitmap.c", "lib/test_printf.c",
            "lib/test_scanf.c", "lib/math/prime_numbers.c", "samples/trace_printk/trace-printk.c")
_HEADER = f"{SELFTESTS}/kselftest_module.h"
# Where a series differs: where its livepatch modules are, and what else it has.
_LIVEPATCH = {"6.1": "lib/livepatch"}
_MORE_MODULES = {"6.1": ("lib/test_strscpy.c",)}
# Those tests of ftrace that load and unload a module.
_TRACE_TESTS = ("kprobe/kprobe_module.tc", "event/trace_printk.tc", "ftrace/func_mod_trace.tc")
# The scripts need more of these than busybox has.
PROGRAMS = ("awk", "capsh", "cat", "comm", "date", "diff", "dmesg", "getconf", "grep", "head",
            "mktemp", "sed", "seq", "sleep", "sort", "stat", "sysctl", "tr", "wc")
KMOD_REPEATS = 5  # at most: kmod.sh recommends up to 150, which takes an hour under emulation
# These ask for more modprobes at once than the kernel lets run, and each may wait 5 s for its turn:
# an emulated machine is too slow for that now and then. One run in so many must succeed.
_HURRIED = ("0008", "0009")
HURRIED_TRIES = 10
# A livepatch test that expects what is not said.
CONTROL = """cd /root/selftests/livepatch
KDIR=/root
. ./functions.sh
setup_config
start_test control
log "livepatch: this"
check_result "livepatch: that"
"""
# How the scripts report a result, one line for each.
_VERDICTS = re.compile("|".join((
    r"^TEST: (.*) \.\.\. (ok|not ok)$",               # livepatch
    r"^(kmod_\w+): (OK|FAIL)",                        # kmod
    r"^\[\d+\] *(.*?)\s*\[([A-Z]+)\]$",               # ftrace
    r"^([\w *]+): +(ok|.*\[(?:FAIL|SKIP)\])$")), re.M)  # static keys, lib


class Suite:
    """The selftests of one series: the same for all of its kernels."""

    def __init__(self, series, work):
        livepatch = _LIVEPATCH.get(series, f"{SELFTESTS}/livepatch/test_modules")
        sources = [*_MODULES, *_MORE_MODULES.get(series, ())]
        self.work = work
        self.tree = source.extracted(series, [
            *(f"{SELFTESTS}/{part}" for part in _SCRIPTS), *sources, _HEADER, livepatch])
        self.scripts = self.tree / SELFTESTS
        self.sources = [*sources, *(str(path.relative_to(self.tree)) for path in
                                    sorted((self.tree / livepatch).glob("*.c")))]

    def modules(self, kernel):
        """The .ko files for a kernel: the selftests' own, and lr_fs for kmod's."""
        folder = self.work / "kselftests"
        if not folder.is_dir():
            for name in (*self.sources, _HEADER):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.tree / name, folder / name)
            shutil.copy(OURS / "lr_fs.c", folder)
            # The mark of a module from outside the tree would be the last field of /proc/modules,
            # where kmod.sh looks for the address of this one.
            with (folder / "lib/test_module.c").open("a") as file:
                file.write('MODULE_INFO(intree, "Y");\n')
            objects = " ".join(name.replace(".c", ".o") for name in ("lr_fs.c", *self.sources))
            (folder / "Kbuild").write_text(f"obj-m := {objects}\n")
        return modules.built(kernel, folder)

    def copies(self):
        """The scripts, under /root/selftests in the guest."""
        files = {f"selftests/{path.relative_to(self.scripts)}": path
                 for part in _SCRIPTS for path in sorted((self.scripts / part).rglob("*"))
                 if path.is_file() and "test_modules" not in path.parts}
        functions = self.work / "functions.sh"
        functions.write_text((self.scripts / "livepatch/functions.sh").read_text() +
                             (OURS / "livepatch_end.sh").read_text())
        files["selftests/livepatch/functions.sh"] = functions
        for program in (self.scripts / "livepatch").glob("*.c"):
            binary = self.work / program.stem
            run("gcc", "-O2", "-static", "-o", binary, program)
            files[f"selftests/livepatch/{program.stem}"] = binary
        return files

    def commands(self):
        """(name, shell command) of everything that is run, in /root/selftests."""
        for script in sorted((self.scripts / "livepatch").glob("test-*.sh")):
            yield f"livepatch/{script.name}", f"cd livepatch && KDIR=/root bash {script.name}"
        kmod = "DEFAULT_KMOD_DRIVER=test_module DEFAULT_KMOD_FS=lr_fs bash kmod/kmod.sh"
        text = (self.scripts / "kmod/kmod.sh").read_text()
        for number, repeats in re.findall(r"\b(\d{4}):(\d+):1\b", text):
            yield f"kmod/{number}", (
                f"for i in $(seq {HURRIED_TRIES}); do {kmod} -s {number} > said 2>&1 && break; "
                "done; status=$?; cat said; exit $status" if number in _HURRIED else
                f"{kmod} -c {number} {min(int(repeats), KMOD_REPEATS)}")
        yield "static_keys", "sh static_keys/test_static_keys.sh"
        for script in sorted((self.scripts / "lib").glob("*.sh")):
            yield f"lib/{script.name}", f"sh lib/{script.name}"
        for case in _TRACE_TESTS:
            yield f"ftrace/{case}", f"sh ftrace/ftracetest ftrace/test.d/{case}"

    def results(self, kernel):
        """{(script, case): verdict} of a boot of that kernel; each script's end is a case too."""
        found = {}
        # Livepatch and ftrace patch text all the time, which kernels do not survive otherwise (int3).
        with Guest(kernel, lastref=None, in_turn=True, programs=PROGRAMS, copies=self.copies(),
                   extra_modules=self.modules(kernel)) as guest:
            guest.check("""set -e
                rm /bin/stat
                cp /usr/local/bin/stat /bin/stat
                ln -s /proc/self/fd /dev/fd
                ln -sf /usr/sbin/modprobe /sbin/modprobe
                mkdir -p /lib/modules/$(uname -r)/extra
                cp /root/modules/*.ko /lib/modules/$(uname -r)/extra/
                depmod
                ln -s /root/modules /root/selftests/livepatch/test_modules""")
            control = guest.run(["bash", "-c", CONTROL])
            assert (control.status, verdicts(control.stdout)) == (1, {"control": "not ok"})
            for script, command in self.commands():
                ended = guest.run(f"cd /root/selftests && {command}", timeout=1200)
                for case, verdict in verdicts(ended.stdout + ended.stderr).items():
                    found[script, case] = verdict
                found[script, "(its end)"] = f"exit {ended.status}"
                if ended.status:
                    print(f"--- {kernel.name} {script} ---\n{ended.stdout}{ended.stderr}")
        return found


def verdicts(output):
    """{case: what its lines say, and how often}."""
    said = {}
    for match in _VERDICTS.finditer(output):
        case, verdict = (group for group in match.groups() if group)
        said.setdefault(case, Counter())[verdict] += 1
    return {case: ", ".join(verdict if times == 1 else f"{times} {verdict}"
                            for verdict, times in counts.items())
            for case, counts in said.items()}
