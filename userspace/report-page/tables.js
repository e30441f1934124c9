// SPDX-License-Identifier: GPL-2.0-only
// Tables that are sorted by a click, or a key, on a heading.

/** Numbers by size, texts as a person would; what is not known comes last either way. */
function compare(a, b, descending) {
    const unknown = (value) => value === null || value === undefined || value === "";
    if (unknown(a) || unknown(b)) {
        return Number(unknown(a)) - Number(unknown(b));
    }
    const order = typeof a === "number" && typeof b === "number"
        ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
    return descending ? -order : order;
}

/**
 * A table of `rows`, which `columns` describe: {name, help, value(row), cell(row), number, wide}.
 * `value` is what is sorted by, `cell` what is shown: text or elements. `mark(tr, row)` may add to a
 * row. The roles are those that the elements have by themselves, until a style displays them as cards.
 */
class SortedTable {
    constructor(caption, columns, rows, mark) {
        this.columns = columns;
        this.rows = rows;
        this.mark = mark || (() => {});
        this.sorted = null;
        this.descending = false;
        this.shown = () => true;
        this.body = element("tbody", { role: "rowgroup" });
        this.headings = columns.map((column, index) => {
            const button = element("button", { type: "button", title: column.help }, column.name);
            button.addEventListener("click", () => this.sort(index));
            return element("th", { scope: "col", role: "columnheader", class: column.number ? "number" : null }, button);
        });
        this.element = element("table", { role: "table" }, element("caption", { class: "unseen" }, caption),
            element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, this.headings)), this.body);
        this.draw();
    }

    sort(index) {
        const again = this.sorted === index;
        // Of numbers the largest are what one looks for.
        this.descending = again ? !this.descending : Boolean(this.columns[index].number);
        this.sorted = index;
        this.draw();
    }

    /** Shows only the rows for which shown(row) is true; returns how many. */
    filter(shown) {
        this.shown = shown;
        this.draw();
        return this.visibleRows().length;
    }

    visibleRows() {
        const rows = this.rows.filter(this.shown);
        if (this.sorted !== null) {
            const column = this.columns[this.sorted];
            rows.sort((a, b) => compare(column.value(a), column.value(b), this.descending));
        }
        return rows;
    }

    draw() {
        this.headings.forEach((heading, index) => {
            const order = this.descending ? "descending" : "ascending";
            heading.setAttribute("aria-sort", index === this.sorted ? order : "none");
        });
        this.body.replaceChildren(...this.visibleRows().map((row) => this.rowOf(row)));
    }

    rowOf(row) {
        const cells = this.columns.map((column, index) => {
            const content = (column.cell ? column.cell(row) : column.value(row)) ?? UNKNOWN;
            const kinds = [column.number && "number", column.wide && "wide",
                (content === UNKNOWN || content === "") && "unknown"].filter(Boolean).join(" ");
            return element(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null,
                role: index === 0 ? "rowheader" : "cell", class: kinds || null, "data-name": column.name }, content);
        });
        const out = element("tr", { role: "row" }, cells);
        this.mark(out, row);
        return out;
    }
}
