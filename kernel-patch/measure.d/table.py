# SPDX-License-Identifier: GPL-2.0-only
"""The table: what was measured, kernels side by side, as plain text that fits a mail."""

LABEL, COLUMN = 31, 8
MODES = (("never", "A module that never uses soft references"),
         ("none_left", "One that used one, and has none left when its exit returns"),
         ("outstanding", "One that has one outstanding when its exit returns"))
SPANS = (("load", "load"), ("unload", "rmmod"), ("free", "worker"))
# Columns: what they are called, and the rows of configs/kernels they show, by series.
COLUMNS = (("6.12-unpatched", "6.12", "stock"), ("6.12-rfc", "6.12", "RFC"),
           ("6.12", "6.12", "ours"), ("6.1-unpatched", "6.1", "stock"), ("6.1", "6.1", "ours"))
NOTHING = "-"


def row(label, cells):
    return (label.ljust(LABEL) + "".join(str(c).rjust(COLUMN) for c in cells)).rstrip()


def header(columns, releases):
    """Two lines: the kernels' versions, each over its columns, and what the columns are."""
    first = " " * LABEL
    for series in dict.fromkeys(series for _, series, _ in columns):
        width = COLUMN * sum(s == series for _, s, _ in columns)
        first += releases[series].rjust(width - (width - COLUMN) // 2).ljust(width)
    return [first.rstrip(), row("", [title for *_, title in columns])]


def cell(kernel, *path):
    for key in path:
        if not isinstance(kernel, dict) or key not in kernel:
            return NOTHING
        kernel = kernel[key]
    return kernel


def number(value, decimals=0):
    if value == NOTHING:
        return value
    return f"{value:.{decimals}f}"


def sizes(kernels):
    grown = [cell(k, "growth", "bytes") for k in kernels]
    yield row("text of kernel/module/, bytes", [cell(k, "module_text") for k in kernels])
    yield row("functions of the whole kernel", [g if g == NOTHING else f"{g:+d}" for g in grown])
    yield row("sizeof(struct module)", [cell(k, "struct_module") for k in kernels])
    for name, label in (("hard_get", "try_module_get()"), ("hard_put", "module_put()"),
                        ("soft_get", "try_module_get_soft()"), ("soft_put", "module_put_soft()")):
        yield row(f"{label}, instr.", [number(cell(k, "bench", name)) for k in kernels])


def mode(kernels, name):
    """Of each span three rows; none where no kernel has such a span or no grace period in it."""
    for span, label in SPANS:
        here = [cell(k, "modes", name, span) for k in kernels]
        if all(h == NOTHING for h in here):
            continue
        waits = [number(cell(h, "grace_periods")) for h in here]
        yield row(f"  {label.ljust(8)} grace periods", waits)
        if any(w not in (NOTHING, "0") for w in waits):
            waited = [cell(h, "waited_ns", "median") for h in here]
            yield row(f"  {'':8} ms in them",
                      [w if w == NOTHING else number(w / 1e6, 1) for w in waited])
        yield row(f"  {'':8} instr. outside",
                  [number(cell(h, "instructions", "median")) for h in here])


def milliseconds(figure):
    return (f"median {figure['median'] / 1e6:.1f}, longest {figure['extremes'][1] / 1e6:.1f} ms "
            f"of {figure['rounds']}")


def tasks_rcu(measured):
    cost, waits = measured["tasks_rcu"], measured["grace_periods"]
    yield "Tasks RCU where nothing else selects it:"
    yield (f"  at most {cost['text']} bytes of text, {cost['data']} of data, {cost['per_cpu']} for "
           "each processor,")
    yield f"  {cost['task_struct']} in each task_struct, one kernel thread;"
    yield (f"  {cost['switch_hook_instructions']} instructions in each context switch touch a "
           "flag of the task.")
    yield "Grace periods, 2 processors, by the clock:"
    for name, label in (("rcu", "synchronize_rcu(), idle"),
                        ("tasks", "synchronize_rcu_tasks(), idle"),
                        ("busy_rcu", "the same two while a thread"),
                        ("busy_tasks", "  loops for 2 s in the kernel")):
        yield f"  {label.ljust(30)} {milliseconds(waits[name])}"


def text(measured):
    """The whole table."""
    known = measured["kernels"]
    columns = [c for c in COLUMNS if c[0] in known]
    kernels = [known[name] for name, *_ in columns]
    releases = {series: known[name]["release"] for name, series, _ in columns}
    lines = [*header(columns, releases), *sizes(kernels)]
    for name, title in MODES:
        if rows := list(mode(kernels, name)):
            lines += ["", title, *rows]
    if "grace_periods" in measured:
        lines += ["", *tasks_rcu(measured)]
    return "\n".join(lines) + "\n"
