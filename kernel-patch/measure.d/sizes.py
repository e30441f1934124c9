# SPDX-License-Identifier: GPL-2.0-only
"""What can be measured without booting: read from the symbols and the BTF of a built vmlinux."""

import re
import subprocess
from collections import Counter

# kernel/module/ is linked in one piece, which these enclose: its first functions are those that its
# tracepoints make in main.o, and kernel/stacktrace.o, whose first function is local, follows it.
FIRST, AFTER = "__traceiter_module_load", "stack_trace_consume_entry"
# If one of these lies outside, or one of those inside, the link order is not what we believe.
INSIDE = ("load_module", "free_module", "mod_tree_insert", "module_kallsyms_on_each_symbol",
          "mod_sysfs_setup", "__x64_sys_delete_module", "try_module_get")
OUTSIDE = ("stack_trace_save", "syscall_exit_to_user_mode", "param_set_int", "__bpf_prog_run32")
# Of Tasks RCU proper; the rude and the trace kind are not what a module unload needs.
TASKS_RCU = re.compile(r"rcu_tasks(?!_(rude|trace))|tasks_rcu(?!_(rude|trace))|exit_tasks_rcu")
OTHERS = re.compile(r"rude|trace|bpf")


class SizeError(Exception):
    """The build is not as expected; the text says what to look at."""


def output(*command):
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if result.returncode:
        raise SizeError(f"this failed: {' '.join(map(str, command))}\n{result.stderr[-2000:]}")
    return result.stdout


def symbols(vmlinux):
    """[(address, size, type, name)] by address; symbols without a size are left out."""
    found = []
    for line in output("nm", "--numeric-sort", "--print-size", vmlinux).splitlines():
        words = line.split()
        if len(words) == 4:
            found.append((int(words[0], 16), int(words[1], 16), words[2], words[3]))
    return found


def functions(table):
    """{name: bytes} of all functions; clones of one are added up, as bloat-o-meter does."""
    sizes = Counter()
    for _, size, kind, name in table:
        if kind in "tTwW" and not name.startswith(("__pfx_", "__cfi_")):
            sizes[re.sub(r"\.(constprop|isra|part|cold|llvm)\b.*|\.\d+$", "", name)] += size
    return sizes


def module_text(table, vmlinux):
    """Bytes of the functions of kernel/module/ in .text."""
    where = {name: address for address, _, kind, name in table if kind in "tTwW"}
    if missing := [n for n in (FIRST, AFTER, *INSIDE) if n not in where]:
        raise SizeError(f"{vmlinux} has no function {', '.join(missing)}: adapt measure.d/sizes.py")
    first, after = where[FIRST], where[AFTER]
    wrong = [n for n in INSIDE if not first <= where[n] < after]
    wrong += [n for n in OUTSIDE if n in where and first <= where[n] < after]
    if wrong:
        raise SizeError(f"in {vmlinux} kernel/module/ is not linked between {FIRST} and {AFTER} "
                        f"({', '.join(wrong)}): adapt measure.d/sizes.py")
    return sum(size for address, size, kind, name in table
               if first <= address < after and kind in "tTwW" and not name.startswith("__pfx_"))


def struct(vmlinux, name):
    """(bytes of a struct, its members' lines), from BTF."""
    text = output("pahole", "-C", name, vmlinux)
    if not (size := re.search(r"/\* size: (\d+)", text)):
        raise SizeError(f"pahole finds no struct {name} in {vmlinux}")
    return int(size.group(1)), text.splitlines()


def task_fields(vmlinux):
    """Bytes of struct task_struct that Tasks RCU alone uses."""
    _, lines = struct(vmlinux, "task_struct")
    found = [re.search(r"\s(rcu_tasks_\w+);\s*/\*\s*\d+\s+(\d+)", line) for line in lines]
    return sum(int(m.group(2)) for m in found if m)


def holdout_instructions(vmlinux):
    """How many instructions of the hook in the context switch touch the task's own flag."""
    _, lines = struct(vmlinux, "task_struct")
    offset = next((int(m.group(1)) for line in lines if
                   (m := re.search(r"\srcu_tasks_holdout;\s*/\*\s*(\d+)", line))), None)
    if offset is None:
        raise SizeError(f"{vmlinux} is built without Tasks RCU")
    code = output("objdump", "--no-show-raw-insn", "--disassemble=rcu_note_context_switch", vmlinux)
    return len(re.findall(rf"\b0x{offset:x}\(%r\w+\)", code))


def tasks_rcu(table, vmlinux):
    """What having Tasks RCU costs in memory. The hook in the context switch is inlined there."""
    own = [(size, kind, name) for _, size, kind, name in table
           if TASKS_RCU.search(name) and not OTHERS.search(name)]
    return {
        "text": sum(size for size, kind, _ in own if kind in "tTwW"),
        "per_cpu": sum(size for size, kind, name in own if name == "rcu_tasks__percpu"),
        "data": sum(size for size, kind, name in own
                    if kind in "bBdD" and name != "rcu_tasks__percpu"),
        "task_struct": task_fields(vmlinux),
        "switch_hook_instructions": holdout_instructions(vmlinux),
    }


def measure(kernel):
    """The sizes of one kernel; "functions" is for growth() and is not kept."""
    vmlinux = kernel.build / "vmlinux"
    table = symbols(vmlinux)
    return {"module_text": module_text(table, vmlinux),
            "struct_module": struct(vmlinux, "module")[0],
            "functions": functions(table)}


def growth(base, other):
    """What bloat-o-meter would say of the functions of two whole kernels."""
    changes = {name: other[name] - base[name] for name in base.keys() | other.keys()
               if other[name] != base[name]}
    return {"bytes": sum(changes.values()), "functions": len(changes),
            "largest": dict(sorted(changes.items(), key=lambda c: -abs(c[1]))[:12])}
