"""The single shapes of a picture, as SVG elements."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, TypeAlias

from autoworker.graphs.layout import Placed

Point: TypeAlias = tuple[float, float]
_BEND = 6.0
_COLOURS: Final = {"": "#5b6775", "jump": "#b9821b", "error": "#c0392b", "retry": "#7d55c7"}


def markers() -> str:
    """The points of arrows, one for each style of a line."""
    return "".join(
        f'<marker id="arrow{style}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0,0L8,4L0,8z" fill="{colour}"/></marker>'
        for style, colour in _COLOURS.items()
    )


def outline(placed: Placed) -> str:
    """The outline of a box, in the form of its kind."""
    x, y, width, height, kind = placed.x, placed.y, placed.width, placed.height, placed.box.kind
    told = f"<title>{escape(' '.join(filter(None, [kind, placed.box.title, placed.box.note])))}</title>"
    if kind in {"start", "end"}:
        radius = height / 2 - (3 if kind == "end" else 4)
        return f'<circle class="{kind}" cx="{placed.middle:.1f}" cy="{y + height / 2:.1f}" r="{radius:.1f}"/>'
    if kind == "switch":
        slant, middle = 14.0, y + height / 2
        points = [
            (x, middle), (x + slant, y), (x + width - slant, y), (x + width, middle),
            (x + width - slant, y + height), (x + slant, y + height),
        ]  # fmt: skip
        written = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        return f'<polygon class="box switch" points="{written}">{told}</polygon>'
    style = f"group {kind}" if placed.box.is_group or kind == "catch" else f"box {kind}"
    corner = height / 2 if kind in {"wait", "listen", "leave"} else 7.0
    return (
        f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{corner:.1f}">{told}</rect>'
    )


def arrow(points: Sequence[Point], style: str = "") -> str:
    """A line along *points* with a point at its end."""
    name = f"arrow{style if style in _COLOURS else ''}"
    return _line(points, style, f' marker-end="url(#{name})"')


def path(points: Sequence[Point], style: str = "") -> str:
    """A line along *points*."""
    return _line(points, style, "")


def label(text: str, x: float, y: float) -> str:
    """The words beside an edge, which begin at *x*."""
    return f'<text class="label" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>' if text else ""


def _line(points: Sequence[Point], style: str, marker: str) -> str:
    classes = f"line {style}".strip()
    return f'<path class="{classes}" d="{_rounded(points)}"{marker}/>'


def _rounded(points: Sequence[Point]) -> str:
    """A path whose corners are round."""
    parts = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        begin, end = _towards(corner, before), _towards(corner, after)
        parts.append(
            f"L{begin[0]:.1f},{begin[1]:.1f}Q{corner[0]:.1f},{corner[1]:.1f} {end[0]:.1f},{end[1]:.1f}"
        )
    parts.append(f"L{points[-1][0]:.1f},{points[-1][1]:.1f}")
    return "".join(parts)


def _towards(corner: Point, other: Point) -> Point:
    """The point near *corner* on the way to *other*."""
    across, down = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(across), abs(down)) or 1.0
    share = min(_BEND, length / 2) / length
    return corner[0] + across * share, corner[1] + down * share
