# SPDX-License-Identifier: GPL-2.0-only
"""Lines, dots and words as SVG: what the plots of docs/ are drawn with."""

from xml.sax.saxutils import escape

INK, FAINT, GRID, PAPER = "#1f2933", "#627282", "#e4e8ec", "#ffffff"


class Drawing:
    """Lines of SVG; coordinates are pixels, y downwards."""

    def __init__(self, width, height, title):
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-label="{escape(title)}" '
            'font-family="Helvetica Neue, Helvetica, Arial, sans-serif" font-size="13">',
            "<!-- SPDX-License-Identifier: GPL-2.0-only -->",
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="{PAPER}"/>']

    def text(self, x, y, text, color=INK, anchor="start", size=13, weight="normal"):
        self.lines.append(f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}" '
                          f'font-size="{size}" font-weight="{weight}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, color=GRID, width=1.0):
        self.lines.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'stroke="{color}" stroke-width="{width}" stroke-linecap="round"/>')

    def dot(self, x, y, color, radius):
        self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{color}"/>')

    def path(self, points, color):
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.lines.append(f'<polyline points="{joined}" fill="none" stroke="{color}" '
                          'stroke-width="2" stroke-linejoin="round"/>')

    def done(self):
        return "\n".join([*self.lines, "</svg>"]) + "\n"
