"""A workflow's picture as SVG: one file, no script, nothing to fetch."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from autoworker.graphs.layout import LABEL, LANE, NOTE, PAD, TITLE, Placed, placed, width_of
from autoworker.graphs.model import Arrangement, Box, Edge, Line
from autoworker.graphs.shapes import arrow, label, markers, outline, path

_STYLE: Final = """
text{font-family:"DejaVu Sans",Verdana,sans-serif;fill:#1d2733}
.title{font-size:13px;font-weight:600}.note{font-size:11px;fill:#55606e}.label{font-size:11px;fill:#3c4754}
.box{fill:#fff;stroke:#8793a1;stroke-width:1.2}
.group{fill:#f6f8fa;stroke:#c3cbd5;stroke-width:1.2}
.call,.run{fill:#e3effd;stroke:#3b78c3}.switch{fill:#fdf1d8;stroke:#b9821b}.raise{fill:#fde4e1;stroke:#c0392b}
.wait,.listen{fill:#efe7fb;stroke:#7d55c7}.emit{fill:#dcf3ec;stroke:#2b8a6b}
.attempt{fill:#fff}.catch{fill:#fdf4f3;stroke:#d99a93;stroke-dasharray:4 3}.leave{fill:#e8ecf0}
.start{fill:#1d2733;stroke:#1d2733}.end{fill:#fff;stroke:#1d2733;stroke-width:4}
.line{fill:none;stroke:#5b6775;stroke-width:1.4}.jump{stroke:#b9821b}.error{stroke:#c0392b;stroke-dasharray:5 3}
.retry{stroke:#7d55c7;stroke-dasharray:5 3}.bar{stroke:#5b6775;stroke-width:4;stroke-linecap:round}
"""
_MARGIN: Final = 12.0


def svg(graph: Box) -> str:
    """The whole file."""
    whole = placed(graph).moved(_MARGIN, _MARGIN)
    width, height = whole.width + 2 * _MARGIN, whole.height + 2 * _MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(graph.title)}</title>",
        f"<style>{_STYLE}</style>",
        f"<defs>{markers()}</defs>",
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>',
        *_drawn(whole),
    ]
    return "\n".join([*lines, "</svg>", ""])


def _drawn(group: Placed) -> Iterator[str]:
    if group.box.kind != "workflow":
        yield outline(group)
    yield from _header(group)
    if group.box.arrangement is Arrangement.ROW:
        yield from _bars(group)
    for child in group.children:
        if child.box.is_group:
            yield from _drawn(child)
        else:
            yield outline(child)
            yield from _texts(child)
    places = {child.box.id: child for child in group.children}
    jumping = {jump.edge for jump in group.jumps}
    for edge in group.box.edges:
        if edge not in jumping:
            yield from _edge(edge, places, group)
    yield from _jumps(group, places)


def _header(group: Placed) -> Iterator[str]:
    y = group.y + TITLE + 4
    if group.box.title:
        yield f'<text class="title" x="{group.x + PAD:.1f}" y="{y:.1f}">{escape(group.box.title)}</text>'
    if group.box.note:
        below = y + NOTE + 5 if group.box.title else y
        yield f'<text class="note" x="{group.x + PAD:.1f}" y="{below:.1f}">{escape(group.box.note)}</text>'


def _texts(leaf: Placed) -> Iterator[str]:
    middle = leaf.y + leaf.height / 2
    title = middle - 3 if leaf.box.note else middle + 4.5
    attributes = f'text-anchor="middle" x="{leaf.middle:.1f}"'
    if leaf.box.title:
        yield f'<text class="title" {attributes} y="{title:.1f}">{escape(leaf.box.title)}</text>'
    if leaf.box.note:
        yield f'<text class="note" {attributes} y="{middle + 13:.1f}">{escape(leaf.box.note)}</text>'


def _bars(fork: Placed) -> Iterator[str]:
    """Where the branches of a fork begin and end together."""
    first, last = fork.children[0], fork.children[-1]
    top = first.y - 14
    bottom = max(child.bottom for child in fork.children) + 14
    for y in (top, bottom):
        yield f'<line class="bar" x1="{first.x:.1f}" y1="{y:.1f}" x2="{last.right:.1f}" y2="{y:.1f}"/>'
    for child in fork.children:
        yield arrow([(child.middle, top), (child.middle, child.y)])
        yield path([(child.middle, child.bottom), (child.middle, bottom)])


def _edge(edge: Edge, places: dict[str, Placed], group: Placed) -> Iterator[str]:
    source, target = places[edge.source], places[edge.target]
    if group.box.arrangement is Arrangement.PAIR:
        yield from _across(edge, source, target)
    elif target.box.beside:
        y = target.y + target.height / 2
        start = (
            source.right
            if abs(y - source.y - source.height / 2) < source.height / 2
            else source.middle
        )
        yield arrow([(start, y), (target.x, y)], "jump")
        yield label(edge.label, source.right + 6, y - 4)
    else:
        yield arrow([(source.middle, source.bottom), (target.middle, target.y)])
        yield label(edge.label, source.middle + 7, (source.bottom + target.y) / 2 + 4)


def _across(edge: Edge, source: Placed, target: Placed) -> Iterator[str]:
    """Between what is tried and what is done about errors: there above, back below."""
    low, high = max(source.y, target.y), min(source.bottom, target.bottom)
    above = edge.line is Line.ERROR
    y = low + (high - low) * (0.35 if above else 0.75)
    ends = [(source.right, y), (target.x, y)] if above else [(source.x, y), (target.right, y)]
    yield arrow(ends, edge.line.value)
    middle = (ends[0][0] + ends[1][0]) / 2
    yield label(edge.label, middle - width_of(edge.label, LABEL) / 2 + 2, y - 5)


def _jumps(group: Placed, places: dict[str, Placed]) -> Iterator[str]:
    leaving: dict[str, int] = {}
    arriving: dict[str, int] = {}
    for jump in group.jumps:
        source, target = places[jump.edge.source], places[jump.edge.target]
        sign = -1 if jump.back else 1
        lane = group.middle + sign * jump.lane
        begin = source.y + LANE * (1 + _counted(leaving, source.box.id))
        end = target.y + target.height / 2 - 8 + 8 * _counted(arriving, target.box.id)
        out, into = (source.x, target.x) if jump.back else (source.right, target.right)
        points = [
            (out, min(begin, source.bottom - 6)),
            (lane, min(begin, source.bottom - 6)),
            (lane, end),
            (into, end),
        ]
        yield arrow(points, jump.edge.line.value)
        text = width_of(jump.edge.label, LABEL)
        yield label(jump.edge.label, out - text - 2 if jump.back else out + 6, points[0][1] - 4)


def _counted(counts: dict[str, int], name: str) -> int:
    counts[name] = counts.get(name, 0) + 1
    return counts[name] - 1
