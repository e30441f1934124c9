// SPDX-License-Identifier: GPL-2.0-only
// The timeline: a lane an unload, its phases to scale, the soft references that it waits for as a
// staircase. uPlot has the scales, the axes, the cursor and the zoom; the lanes are drawn here.

const LANE = 30; // pixels
const MOST_LANES = 100; // a picture of more is no picture; Perfetto shows ten thousand
const AXIS = 44;
const hasPhase = (test) => (row) => row.phases.some(test);
// What is drawn, in words, and which unloads have it: the key tells no more than is there.
const KEY = [
    ["exit_routine", "exit routine", hasPhase((one) => one.name === "exit_routine")],
    ["waiting", "waiting; the stairs: soft references left", hasPhase((one) => one.name === "waiting")],
    ["kernel", "the kernel's own work", hasPhase((one) => colorOf(one.name) === "kernel")],
    ["grace_period", "grace period", hasPhase((one) => one.name === "grace_period")],
    ["hatched", "another phase is in it", hasPhase((one) => one.extent === "merged")],
    ["returned", "rmmod returned", (row) => row.returned !== null && row.unload.free_delay_ns !== null],
    ["arrow", "goes on, or had begun earlier", hasPhase((one) => one.ongoing || one.extent === "begun_earlier")],
    ["cross", "refused", (row) => row.unload.outcome === "refused"],
];

function colorOf(name) {
    return ["exit_routine", "waiting", "grace_period"].includes(name) ? name : "kernel";
}

/** A colour of the page's style, as it is now. */
function ink(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}

class Timeline {
    constructor(place, rows, choose) {
        this.place = place;
        this.choosePlace = choose;
        this.all = rows.filter((row) => row.begin !== null);
        this.timeless = rows.length - this.all.length;
        this.lanes = [];
        this.chosen = null;
        this.tip = element("div", { class: "tip", hidden: "", "aria-hidden": "true" });
        fill("key", KEY.filter(([, , has]) => this.all.some(has)).map(([name, text]) =>
            element("li", {}, element("span", { class: "swatch " + name }), text)));
        this.whole = this.wholeOf(this.all);
        this.view = [...this.whole];
        this.listen();
    }

    /** From the first beginning to the last end, with a margin. */
    wholeOf(rows) {
        const begin = Math.min(...rows.map((row) => row.begin), Infinity);
        const end = Math.max(...rows.map((row) => row.end), -Infinity);
        const margin = Math.max((end - begin) * 0.02, 1000);
        return begin <= end ? [begin - margin, end + margin] : [0, 1e9];
    }

    listen() {
        this.place.addEventListener("keydown", (event) => this.key(event));
        for (const button of document.querySelectorAll("[data-zoom]")) {
            button.addEventListener("click", () => this.zoom(button.dataset.zoom));
        }
        new ResizeObserver(() => this.plot?.setSize(this.size())).observe(this.place);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.build());
        // Paper is white, whatever the screen is.
        for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
            addEventListener(event, () => {
                document.documentElement.classList.toggle("printing", printing);
                this.build();
            });
        }
    }

    show(rows) {
        const timed = rows.filter((row) => row.begin !== null);
        this.lanes = timed.slice(0, MOST_LANES);
        const notes = [];
        if (timed.length > MOST_LANES) {
            notes.push("The first " + MOST_LANES + " of " + timed.length + " unloads are drawn; a search narrows them. --format=chrome-trace has all.");
        }
        if (this.timeless) {
            notes.push("An unload that was not attempted has no time and is not drawn: " + this.timeless + ".");
        }
        fill("timeline-note", notes.join(" "));
        document.getElementById("timeline-note").hidden = !notes.length;
        this.build();
    }

    choose(row) {
        this.chosen = row;
        this.plot?.redraw(false);
    }

    size() {
        return { width: Math.max(this.place.clientWidth, 200), height: this.lanes.length * LANE + AXIS };
    }

    build() {
        this.plot?.destroy();
        this.place.replaceChildren(this.tip);
        this.plot = null;
        document.getElementById("timeline-section").hidden = !this.all.length;
        if (!this.lanes.length) {
            return;
        }
        this.plot = new uPlot(this.options(), [this.whole, [null, null]], this.place);
        this.plot.setScale("x", { min: this.view[0], max: this.view[1] });
        this.plot.root.querySelector("canvas").setAttribute("aria-hidden", "true");
    }

    options() {
        const count = this.lanes.length;
        const names = this.lanes.map((row) => row.name);
        const narrow = this.place.clientWidth < 600;
        const axis = { stroke: ink("muted"), font: "12px system-ui, sans-serif", ticks: { stroke: ink("line"), width: 1 },
            grid: { stroke: ink("line"), width: 1 } };
        return {
            ...this.size(),
            padding: [4, 12, 0, 0],
            legend: { show: false },
            cursor: { drag: { x: true, y: false, dist: 4 }, points: { show: false }, y: false },
            scales: { x: { time: false }, y: { range: [0, count], dir: -1 } },
            series: [{}, { paths: () => null, points: { show: false } }],
            axes: [
                { ...axis, space: narrow ? 70 : 90, size: AXIS - 8, incrs: [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13].flatMap((one) => [one, 2 * one, 5 * one]),
                  values: (plot, splits, index, space, step) => splits.map((one) => this.tick(one, step)) },
                { ...axis, size: narrow ? 84 : 130, stroke: ink("text"), grid: { show: false }, ticks: { show: false },
                  splits: () => names.map((_, lane) => lane + 0.5),
                  values: () => names.map((name) => this.short(name, narrow ? 10 : 17)) },
            ],
            hooks: {
                draw: [(plot) => this.draw(plot)],
                setCursor: [(plot) => this.hover(plot)],
                setScale: [(plot, key) => (key === "x" ? this.viewed(plot) : null)],
                ready: [(plot) => plot.over.addEventListener("click", () => this.click(plot))],
            },
        };
    }

    viewed(plot) {
        this.view = [plot.scales.x.min, plot.scales.x.max];
        const [from, to] = this.view.map((ns) => signedDuration(Math.max(0, Math.round(ns))));
        fill("view", "from " + from + " to " + to + " of the recording");
    }

    short(name, most) {
        const letters = [...name];
        return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : name;
    }

    /** As exactly as the step between two needs it. */
    tick(ns, step) {
        if (ns < 0) {
            return "";
        }
        const [size, unit] = step >= 1e7 ? [1e9, "s"] : step >= 1e4 ? [1e6, "ms"] : [1e3, "µs"];
        const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
        return (ns / size).toFixed(digits) + " " + unit;
    }

    draw(plot) {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        this.lanes.forEach((row, lane) => {
            const top = plot.valToPos(lane, "y", true);
            const height = plot.valToPos(lane + 1, "y", true) - top;
            if (row === this.chosen) {
                ctx.fillStyle = ink("chosen");
                ctx.fillRect(bbox.left, top, bbox.width, height);
            }
            this.drawLane(plot, row, Math.round(top + height * 0.17), Math.round(height * 0.66));
        });
        ctx.restore();
    }

    drawLane(plot, row, top, height) {
        const { ctx } = plot;
        const x = (ns) => plot.valToPos(ns, "x", true);
        const bar = (from, to, color) => {
            ctx.fillStyle = color;
            // A hairline where it was: nothing disappears.
            ctx.fillRect(x(from), top, Math.max(x(to) - x(from), devicePixelRatio), height);
        };
        for (const phase of row.phases) {
            bar(phase.from, phase.to, ink(colorOf(phase.name)));
            if (phase.extent === "merged") {
                this.hatch(ctx, x(phase.from), x(phase.to), top, height);
            }
            if (phase.extent === "begun_earlier") {
                this.arrow(ctx, x(phase.from), top, height, -1);
            }
            if (phase.ongoing) {
                this.arrow(ctx, x(phase.to), top, height, 1);
            }
        }
        this.drawStairs(ctx, x, row, top, height);
        if (row.returned !== null && row.unload.free_delay_ns !== null) {
            ctx.fillStyle = ink("text");
            ctx.fillRect(x(row.returned) - devicePixelRatio, top - 3 * devicePixelRatio, 2 * devicePixelRatio, height + 6 * devicePixelRatio);
        }
        if (row.unload.outcome === "refused") {
            this.cross(ctx, x(row.begin), top, height);
        }
    }

    /** At least so many were left: dark as long as it is certain, half dark while it may have been. */
    drawStairs(ctx, x, row, top, height) {
        const wait = row.phases.find((phase) => phase.name === "waiting");
        const most = row.stairs[0]?.refs;
        if (!wait || !most) {
            return;
        }
        // Whole pixels, or seams would show between the stairs.
        const level = (refs) => Math.round(top + height * (1 - refs / most));
        for (const [alpha, end] of [[0.45, "gone"], [1, "sure"]]) {
            ctx.globalAlpha = alpha;
            ctx.fillStyle = ink("staircase");
            row.stairs.forEach((stair, index) => {
                const above = level(stair.refs);
                const below = level(row.stairs[index + 1]?.refs ?? 0);
                ctx.fillRect(x(wait.from), above, x(stair[end]) - x(wait.from), below - above);
            });
        }
        ctx.globalAlpha = 1;
    }

    hatch(ctx, from, to, top, height) {
        ctx.save();
        ctx.beginPath();
        ctx.rect(from, top, to - from, height);
        ctx.clip();
        ctx.strokeStyle = ink("page");
        ctx.lineWidth = devicePixelRatio;
        // Only what is on the canvas: zoomed in, a bar is longer than any screen.
        const begin = Math.max(from, -height);
        for (let left = begin - height; left < Math.min(to, ctx.canvas.width); left += 6 * devicePixelRatio) {
            ctx.beginPath();
            ctx.moveTo(left, top + height);
            ctx.lineTo(left + height, top);
            ctx.stroke();
        }
        ctx.restore();
    }

    arrow(ctx, at, top, height, direction) {
        const length = 7 * devicePixelRatio * direction;
        ctx.fillStyle = ink("text");
        ctx.beginPath();
        ctx.moveTo(at, top);
        ctx.lineTo(at + length, top + height / 2);
        ctx.lineTo(at, top + height);
        ctx.fill();
    }

    cross(ctx, at, top, height) {
        const arm = height * 0.3;
        const middle = top + height / 2;
        ctx.strokeStyle = ink("bad");
        ctx.lineWidth = 2 * devicePixelRatio;
        ctx.beginPath();
        ctx.moveTo(at - arm, middle - arm);
        ctx.lineTo(at + arm, middle + arm);
        ctx.moveTo(at - arm, middle + arm);
        ctx.lineTo(at + arm, middle - arm);
        ctx.stroke();
    }

    laneAt(plot) {
        const top = plot.cursor.top;
        return top === null || top < 0 ? null : this.lanes[Math.floor(plot.posToVal(top, "y"))] ?? null;
    }

    click(plot) {
        const row = this.laneAt(plot);
        if (row && !plot.select.width) {
            this.choosePlace(row, false);
        }
    }

    hover(plot) {
        const row = this.laneAt(plot);
        const left = plot.cursor.left;
        this.tip.hidden = !row || left < 0;
        if (this.tip.hidden) {
            return;
        }
        const now = plot.posToVal(left, "x");
        const near = plot.posToVal(left + 4, "x") - now;
        const phases = row.phases.filter((phase) => phase.from <= now + near && phase.to >= now - near);
        const lines = phases.map((phase) => element("div", {}, words(phase.name) + " " + phaseLength(phase)));
        this.tip.replaceChildren(element("strong", {}, row.name), " " + words(row.unload.outcome), ...lines,
            element("div", {}, row.unload.verdict), element("div", { class: "note" }, "at " + signedDuration(Math.round(now)) + " of the recording"));
        const place = this.place.getBoundingClientRect();
        const over = plot.over.getBoundingClientRect();
        const x = over.left - place.left + left + 14;
        this.tip.style.left = Math.max(0, Math.min(x, place.width - this.tip.offsetWidth - 4)) + "px";
        this.tip.style.top = over.top - place.top + plot.cursor.top + 18 + "px";
    }

    key(event) {
        const zooms = { "+": "in", "=": "in", "-": "out", ArrowLeft: "earlier", ArrowRight: "later", "0": "all", Home: "all", Enter: "chosen" };
        const steps = { ArrowUp: -1, ArrowDown: 1 };
        if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in zooms || event.key in steps)) {
            return;
        }
        event.preventDefault();
        if (event.key in steps) {
            const at = this.lanes.indexOf(this.chosen) + steps[event.key];
            if (this.lanes[at]) {
                this.choosePlace(this.lanes[at], false);
            }
            return;
        }
        this.zoom(zooms[event.key]);
    }

    zoom(how) {
        const [min, max] = this.view;
        const span = max - min;
        const around = (factor) => [min + span * (1 - factor) / 2, max - span * (1 - factor) / 2];
        const views = {
            in: () => (span > 2000 ? around(0.5) : this.view), // not below two microseconds
            out: () => around(2),
            earlier: () => [min - span / 4, max - span / 4],
            later: () => [min + span / 4, max + span / 4],
            all: () => this.whole,
            chosen: () => (this.chosen?.begin != null ? this.wholeOf([this.chosen]) : this.view),
        };
        const [from, to] = views[how]();
        // Not past what there is.
        const length = Math.min(to - from, this.whole[1] - this.whole[0]);
        const begin = Math.max(this.whole[0], Math.min(from, this.whole[1] - length));
        this.plot?.setScale("x", { min: begin, max: begin + length });
    }
}
