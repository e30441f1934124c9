// SPDX-License-Identifier: GPL-2.0-only
// References by call site: who may hold what, within the bounds that are certain.

/** One row a call site, and one for what the kernel counts and no call site explains. */
function siteRows(refs) {
    return refs.modules.flatMap((module) => {
        const name = visible(module.module || "(unknown module)");
        const rows = module.call_sites.map((site) => ({ module: name, site, counter: site.counter,
            kind: site.kind, place: visible(site.call_site), min: site.outstanding_min ?? null,
            max: site.outstanding_max ?? null }));
        for (const counter of ["soft", "hard"]) {
            const counted = module[counter];
            if (counted?.unexplained_max > 0) {
                rows.push({ module: name, site: null, counter, kind: "unexplained",
                    place: "(explained by no call site)", min: counted.unexplained_min,
                    max: counted.unexplained_max });
            }
        }
        for (const row of rows) {
            row.text = [row.module, row.counter, row.kind, row.place, row.site?.first?.comm,
                row.site?.last?.comm, ...(row.site?.stack ?? [])].join("\n").toLowerCase();
        }
        return rows;
    });
}

function held(row) {
    if (row.max === null) {
        return "";
    }
    // Bounds that meet are still no certainty where operations may have been missed.
    const sure = !row.site || row.site.attribution === "exact" || row.min !== row.max;
    return (sure ? "" : "about ") + range(row.min, row.max);
}

function age(row) {
    const site = row.site;
    const least = site?.age_min_ns ?? null;
    const most = site?.age_max_ns ?? null;
    const parts = [];
    if (least !== null && (least !== 0 || most === null)) {
        parts.push("≥ " + duration(least));
    }
    if (most !== null) {
        parts.push("≤ " + duration(most));
    }
    return parts.join(" ");
}

function place(row) {
    const code = element("code", {}, row.place);
    const stack = row.site?.stack.slice(1) ?? [];
    if (!stack.length) {
        return code;
    }
    return element("details", {}, element("summary", {}, code),
        element("ol", {}, stack.map((frame) => element("li", {}, element("code", {}, visible(frame))))));
}

function siteTable(rows) {
    return new SortedTable("References by call site", [
        { name: "Module", value: (row) => row.module },
        { name: "Counter", value: (row) => row.counter },
        { name: "Kind", value: (row) => row.kind },
        { name: "Count", number: true, value: (row) => row.site?.count,
          cell: (row) => (row.site ? (row.site.pseudo === "before_tracing" && row.site.count ? "≥ " : "") + row.site.count : "") },
        { name: "Outstanding", number: true, value: (row) => row.max, cell: held },
        { name: "Age of the oldest", number: true, value: (row) => row.site?.age_max_ns ?? row.site?.age_min_ns, cell: age },
        { name: "First by", value: (row) => (row.site?.first ? task(row.site.first) : null) },
        { name: "Last by", value: (row) => (row.site?.last ? task(row.site.last) : null) },
        { name: "Call site", wide: true, value: (row) => row.place, cell: place },
    ], rows, (tr, row) => tr.classList.toggle("holds", row.max > 0));
}

/** "soft refs 3: explained 3, unexplained 0" of each module that has any. */
function counterLines(refs) {
    const lines = [];
    for (const module of refs.modules) {
        for (const counter of ["soft", "hard"]) {
            const counted = module[counter];
            if (counted?.explained_min !== undefined && counted.refs > 0) {
                lines.push(visible(module.module) + ": " + counter + " refs " + counted.refs + ": explained " +
                    range(counted.explained_min, counted.explained_max) + ", unexplained " +
                    range(counted.unexplained_min, counted.unexplained_max));
            }
        }
    }
    return lines;
}
