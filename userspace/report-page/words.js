// SPDX-License-Identifier: GPL-2.0-only
// Values of lastref's JSON as words, as the text output writes them; and elements made of them.
// Whatever a recording says gets into the page as text, never as markup.

const UNKNOWN = "–";

/** "1.39 s", "9.11 ms", "2 min 5 s": as format_duration() of userspace/base/time.cpp. */
function duration(ns) {
    // Each limit is where rounding to three figures would show 1000 of the unit.
    const figures = (size, unit) => {
        const value = ns / size;
        return value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + " " + unit;
    };
    if (ns < 1000) {
        return Math.round(ns) + " ns";
    }
    if (ns < 999500) {
        return figures(1e3, "µs");
    }
    if (ns < 999500000) {
        return figures(1e6, "ms");
    }
    if (ns < 99950000000) {
        return figures(1e9, "s");
    }
    const two = (value, per, big, little) =>
        Math.floor(value / per) + " " + big + " " + (value % per) + " " + little;
    const seconds = Math.round(ns / 1e9);
    if (seconds < 3600) {
        return two(seconds, 60, "min", "s");
    }
    if (seconds < 86400) {
        return two(Math.floor(seconds / 60), 60, "h", "min");
    }
    return two(Math.floor(seconds / 3600), 24, "d", "h");
}

function signedDuration(ns) {
    return ns < 0 ? "-" + duration(-ns) : duration(ns);
}

/** Characters that cannot be seen, or turn the direction of writing, by their number. */
function visible(text) {
    return text.replace(/[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
        (one) => "\\u{" + one.codePointAt(0).toString(16).padStart(4, "0") + "}");
}

function words(name) {
    return name.replaceAll("_", " ");
}

function task(value) {
    if (!value) {
        return UNKNOWN;
    }
    return value.comm ? visible(value.comm) + "[" + value.pid + "]" : "pid " + value.pid;
}

/** A task in interrupt context is only the one that was interrupted. */
function putter(put) {
    const interrupt = put.context === "softirq" || put.context === "hardirq";
    return (interrupt ? put.context + " in " : "") + task(put);
}

function range(min, max) {
    return min === max ? String(min) : min + "–" + max;
}

/** Nanoseconds of one clock since another moment of it: exact, though neither may fit a number. */
function since(zero, ns) {
    return Number(BigInt(ns) - zero);
}

/** "2026-11-22 12:15:10.200 UTC" */
function wallClock(ns, offset) {
    const ms = Number((BigInt(ns) + BigInt(offset)) / 1000000n);
    return new Date(ms).toISOString().replace("T", " ").replace("Z", " UTC");
}

/** An element with attributes, and children that are elements or text. */
function element(name, attributes, ...children) {
    const out = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
        if (value !== undefined && value !== null && value !== false) {
            out.setAttribute(key, value);
        }
    }
    for (const child of children.flat()) {
        if (child !== null && child !== undefined) {
            out.append(child);
        }
    }
    return out;
}

/** Sets a place's children in place of those it had. */
function fill(id, ...children) {
    document.getElementById(id).replaceChildren(...children.flat().filter((one) => one !== null));
}
