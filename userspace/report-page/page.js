// SPDX-License-Identifier: GPL-2.0-only
// Puts the data into the page, and connects search, tables, timeline and the unload that is chosen.

/** The unload that somebody would look at first: what hangs, else what was kept or took longest. */
function firstChoice(rows) {
    const urgency = { crashed: 4, exit_running: 3, waiting: 2, freed: 1 };
    const weights = (row) => [urgency[row.unload.outcome] ?? 0, row.unload.free_delay_ns ?? 0, row.end - row.begin];
    return [...rows].sort((a, b) => {
        const others = weights(a);
        return weights(b).map((one, index) => one - others[index]).find((one) => one !== 0) ?? 0;
    })[0] ?? null;
}

function showHead(data) {
    const { report } = data;
    const about = [report.host && "on " + visible(report.host), report.kernel && "Linux " + visible(report.kernel),
        "until " + wallClock(report.ts_ns, report.clock_offset_ns),
        report.attach && "by " + visible(report.attach)];
    fill("about", about.filter(Boolean).join(" · "));
    if (report.command !== null) {
        const state = report.command_running ? " (still running)"
            : report.command_status ? " (ended with status " + report.command_status + ")" : "";
        document.getElementById("about").append(element("br"), "Command: ",
            element("code", {}, visible(report.command)), state);
    }
    fill("summary", data.summary);
    fill("warnings", data.warnings.map((line) => element("li", {}, visible(line))));
    document.getElementById("warnings").hidden = !data.warnings.length;
    fill("footer", "Made by lastref " + data.version + ". The chart is drawn by uPlot. This file needs no network.");
    const modules = [...new Set(report.unloads.map((one) => visible(one.module)))];
    document.title = "lastref report: " + (modules.length > 3 ? modules.length + " modules" : modules.join(", ") || "no unload");
}

function main() {
    const data = JSON.parse(document.getElementById("data").textContent);
    showHead(data);
    const rows = unloadRows(data);
    const sites = siteRows(data.refs);
    let chosen = firstChoice(rows);

    const choose = (row, scroll) => {
        chosen = row;
        document.getElementById("chosen").hidden = !row;
        if (row) {
            showChosen(row, data.report.clock_offset_ns);
        }
        unloads.draw();
        timeline.choose(row);
        if (scroll) {
            // The rows are new elements; the focus belongs to the button that was pressed.
            unloads.element.querySelector("tr.chosen button")?.focus({ preventScroll: true });
        }
    };
    const unloads = new SortedTable("Unloads", unloadColumns(choose), rows, (tr, row) => {
        tr.classList.toggle("chosen", row === chosen);
        tr.querySelector("button").setAttribute("aria-pressed", String(row === chosen));
    });
    const refs = siteTable(sites);
    const timeline = new Timeline(document.getElementById("timeline"), rows, choose);
    fill("unload-table", unloads.element);
    fill("refs-summary", [...data.refs_summary, ...counterLines(data.refs)].map((line) => element("p", {}, line)));
    fill("refs-table", sites.length ? refs.element : null);

    const query = document.getElementById("query");
    const search = () => {
        const wanted = query.value.toLowerCase().split(/\s+/).filter(Boolean);
        const matches = (row) => wanted.every((word) => row.text.includes(word));
        const found = unloads.filter(matches);
        const places = refs.filter(matches);
        timeline.show(rows.filter(matches));
        fill("found", wanted.length ? found + " of " + rows.length + " unloads, " + places + " of " +
            sites.length + " call sites" : "");
    };
    query.addEventListener("input", search);
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && document.activeElement !== query && !event.ctrlKey && !event.metaKey && !event.altKey) {
            event.preventDefault();
            query.focus();
        } else if (event.key === "Escape" && document.activeElement === query) {
            query.value = "";
            search();
        }
    });
    search();
    choose(chosen, false);
}

main();
