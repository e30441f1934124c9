// SPDX-License-Identifier: GPL-2.0-only
// The unloads: one row each, and all that is known of the one that is chosen.

/** What is shown of an unload of the report, worked out once; times count from the recording's start. */
function unloadRows(data) {
    const report = data.report;
    const starts = report.unloads.flatMap((one) => one.phases.map((phase) => BigInt(phase.start_ns)));
    const zero = starts.reduce((a, b) => (b < a ? b : a), BigInt(data.start_ns ?? report.ts_ns));
    return report.unloads.map((unload, index) => {
        const phases = unload.phases.map((phase) => {
            const from = since(zero, phase.start_ns);
            return { ...phase, from, to: from + phase.duration_ns };
        });
        const at = (ns) => (ns === null ? null : since(zero, ns));
        const stairs = data.shown[index].stairs.map((stair) =>
            ({ refs: stair.refs, sure: at(stair.sure_ns), gone: at(stair.gone_ns) }));
        const texts = [unload.module, words(unload.outcome), unload.verdict, unload.requested_by?.comm,
            unload.requested_by?.pid, ...unload.incomplete,
            ...unload.puts.flatMap((put) => [put.call_site, put.comm, put.pid])];
        return {
            unload, phases, stairs, index, at, advice: data.shown[index].advice,
            name: visible(unload.module || "(unknown module)"),
            begin: phases.length ? phases[0].from : null,
            end: phases.length ? phases[phases.length - 1].to : null,
            requested: at(unload.requested_ns), returned: at(unload.returned_ns),
            exit: phases.find((phase) => phase.name === "exit_routine"),
            text: texts.filter((one) => one !== undefined).join("\n").toLowerCase(),
        };
    });
}

/** A length with what it is not: over yet, seen from its beginning, or alone. */
function phaseLength(phase) {
    const more = phase.ongoing || phase.extent === "begun_earlier";
    const less = phase.extent === "merged";
    return (more && less ? "about " : more ? "≥ " : less ? "≤ " : "") + duration(phase.duration_ns);
}

function references({ unload }) {
    const began = unload.outstanding_at_exit ?? unload.outstanding_at_return;
    if (unload.outstanding_now !== null) {
        return unload.outstanding_now + (began === null ? "" : " of " + began) + " left";
    }
    return began === null ? UNKNOWN : String(began);
}

function badge(outcome) {
    return element("span", { class: "badge " + outcome }, words(outcome));
}

function verdict(row) {
    return [row.unload.verdict, row.advice ? " " + row.advice : null,
        row.unload.complete ? null : element("strong", { class: "incomplete" }, " Incomplete.")];
}

function unloadColumns(choose) {
    return [
        { name: "Module", value: (row) => row.name, cell: (row) => {
            const button = element("button", { type: "button", class: "module" }, row.name);
            button.addEventListener("click", () => choose(row, true));
            return button;
        } },
        { name: "Outcome", value: (row) => words(row.unload.outcome), cell: (row) => badge(row.unload.outcome) },
        { name: "Requested", help: "After the beginning of the recording", number: true, value: (row) => row.requested ?? row.begin,
          cell: (row) => (row.requested === null ? UNKNOWN : signedDuration(row.requested)) },
        { name: "Requested by", value: (row) => (row.unload.requested_by ? task(row.unload.requested_by) : null),
          cell: (row) => task(row.unload.requested_by) },
        { name: "Exit routine", number: true, value: (row) => row.exit?.duration_ns,
          cell: (row) => (row.exit ? phaseLength(row.exit) : UNKNOWN) },
        { name: "Free delay", help: "From the return of rmmod to the free of the memory", number: true, value: (row) => row.unload.free_delay_ns,
          cell: (row) => (row.unload.free_delay_ns === null ? UNKNOWN
              : (row.unload.outcome === "waiting" ? "≥ " : "") + duration(row.unload.free_delay_ns)) },
        { name: "Soft refs", help: "Outstanding when the exit routine had ended", number: true, value: (row) => row.unload.outstanding_now ??
              row.unload.outstanding_at_exit ?? row.unload.outstanding_at_return, cell: references },
        { name: "What happened", wide: true, value: (row) => row.unload.verdict, cell: verdict },
    ];
}

function phaseTable(row) {
    return new SortedTable("Phases of " + row.name, [
        { name: "Phase", value: (one) => one.from, cell: (one) => words(one.name) + (one.ongoing ? " (so far)" : "") },
        { name: "Began", number: true, value: (one) => one.from, cell: (one) => signedDuration(one.from - row.begin) },
        { name: "Took", number: true, value: (one) => one.duration_ns, cell: phaseLength },
        { name: "Note", value: (one) => one.note ?? "", cell: (one) => visible(one.note ?? "") ||
            (one.name === "grace_period" ? "the kernel's own wait, nobody's fault" : "") },
    ], row.phases).element;
}

function putTable(row) {
    return new SortedTable("Soft references of " + row.name + " that were put after its exit routine", [
        { name: "Put by", value: putter },
        { name: "Call site", value: (one) => visible(one.call_site), cell: (one) => element("code", {}, visible(one.call_site)) },
        { name: "After return", number: true, value: (one) => one.after_return_ns,
          cell: (one) => (one.after_return_ns === null ? UNKNOWN : signedDuration(one.after_return_ns)) },
        { name: "Left", number: true, value: (one) => one.outstanding,
          cell: (one) => (one.outstanding === null ? UNKNOWN : (one.exact ? "" : "about ") + one.outstanding) },
    ], row.unload.puts).element;
}

function facts(pairs) {
    return element("dl", {}, pairs.filter(([, value]) => value !== null).map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, value))));
}

function showChosen(row, clockOffset) {
    const { unload } = row;
    const moment = (ns) => (ns === null ? null : wallClock(ns, clockOffset));
    fill("chosen-title", row.name + " ", badge(unload.outcome));
    const parts = [element("p", { class: "verdict" }, unload.verdict)];
    if (row.advice) {
        parts.push(element("p", {}, row.advice));
    }
    if (!unload.complete) {
        parts.push(element("p", { class: "warnings" }, "Incomplete: " + visible(unload.incomplete.join("; ")) + "."));
    }
    parts.push(facts([
        ["Requested at", moment(unload.requested_ns)], ["Returned at", moment(unload.returned_ns)],
        ["Freed at", moment(unload.freed_ns)],
        ["Instance", unload.instance_id && unload.instance_id + (unload.generation ? ", load " + unload.generation + " of this name" : "")],
    ]));
    if (row.phases.length) {
        parts.push(element("h3", {}, "Phases"), element("div", { class: "scroll" }, phaseTable(row)));
    }
    if (unload.puts.length) {
        parts.push(element("h3", {}, "References put after the exit routine"));
        if (unload.puts_omitted) {
            parts.push(element("p", { class: "note" }, unload.puts_omitted + " before these are not in the recording's report."));
        }
        parts.push(element("div", { class: "scroll" }, putTable(row)));
    }
    fill("chosen-body", parts);
}
