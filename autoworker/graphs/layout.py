"""Where the boxes of a picture lie.

A list of tasks is a column, so that most edges are short and straight. What leads further runs in lanes beside the column:
forwards on its right, backwards on its left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from autoworker.graphs.model import Arrangement, Box, Edge

TITLE: Final = 13.0
NOTE: Final = 11.0
LABEL: Final = 11.0
_WIDE: Final = 0.62
"""Width of a character, as a share of the size of the font: what DejaVu Sans needs on average, and a little more."""
PAD: Final = 14.0
GAP: Final = 34.0
SIDE: Final = 28.0
LANE: Final = 16.0
ROUND: Final = 24.0


@dataclass(frozen=True, slots=True)
class Jump:
    """An edge that runs in a lane."""

    edge: Edge
    lane: float
    """How far from the middle of the column; backwards ones run on the left."""
    back: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """A box with its place: the upper left corner, from that of the picture, and its size."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    children: tuple[Placed, ...] = ()
    jumps: tuple[Jump, ...] = ()

    @property
    def middle(self) -> float:
        """The middle of the column in it, or of the box."""
        return self.x + self.width / 2

    @property
    def bottom(self) -> float:
        """Where it ends."""
        return self.y + self.height

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.x + self.width

    def moved(self, x: float, y: float) -> Placed:
        """The same, with all that is inside, elsewhere."""
        children = tuple(child.moved(x, y) for child in self.children)
        return replace(self, x=self.x + x, y=self.y + y, children=children)


def width_of(text: str, size: float) -> float:
    """How wide a line of text is."""
    return len(text) * size * _WIDE


def placed(box: Box) -> Placed:
    """*box* and all inside, with its upper left corner at 0, 0."""
    if not box.is_group:
        return _leaf(box)
    if box.arrangement is Arrangement.COLUMN:
        return _column(box)
    return _row(box)


def header(box: Box) -> float:
    """How much room the title and note of a group take."""
    return (TITLE + 12 if box.title else 6.0) + (NOTE + 6 if box.note else 0.0)


def _leaf(box: Box) -> Placed:
    if box.kind in {"start", "end"}:
        return Placed(box, 0, 0, ROUND, ROUND)
    text = max(width_of(box.title, TITLE), width_of(box.note, NOTE))
    slant = 16.0 if box.kind == "switch" else 0.0
    height = 26.0 if box.kind == "leave" else 46.0 if box.note else 34.0
    return Placed(box, 0, 0, text + 2 * (PAD + slant), height)


def _own_width(box: Box) -> float:
    return max(width_of(box.title, TITLE), width_of(box.note, NOTE)) + 2 * PAD


# ---------------------------------------------------------------- columns


def _column(box: Box) -> Placed:
    order = {child.id: index for index, child in enumerate(box.listed)}
    inner = [_with_room(placed(child), box, order) for child in box.listed]
    half = max(each.width for each in inner) / 2
    leaves = {child.beside: child for child in box.children if child.beside}
    beside = half + _leave_room(box, inner, leaves, half)
    jumps = _jumps(box, order, inner, beside, half)
    left = max([half, *(each.lane + 8 for each in jumps if each.back)])
    right = max([beside, *(each.lane + 8 for each in jumps if not each.back)])
    # Both sides alike: then the middle of the box is that of its column.
    side = max(left, right, _own_width(box) / 2 - PAD)
    middle, y = side + PAD, header(box)
    children: list[Placed] = []
    for index, each in enumerate(inner):
        children.append(each.moved(middle - each.width / 2, y))
        children += _leaves_of(box, children[-1], half + middle)
        y += each.height + _gap(box, order, index)
    last = children[-1] if not children[-1].box.beside else children[-2]
    return Placed(box, 0, 0, 2 * middle, last.bottom + PAD, tuple(children), tuple(jumps))


def _with_room(child: Placed, box: Box, order: dict[str, int]) -> Placed:
    """A box high enough for every line that leaves it sideways to have its own height."""
    index = order[child.box.id]
    leaving = sum(e.source == child.box.id and order.get(e.target) != index + 1 for e in box.edges)
    return (
        child
        if child.box.is_group
        else replace(child, height=max(child.height, LANE * (leaving + 1)))
    )


def _gap(box: Box, order: dict[str, int], index: int) -> float:
    labelled = any(
        order.get(e.source) == index and order.get(e.target) == index + 1 and e.label
        for e in box.edges
    )
    return GAP + (12 if labelled else 0)


def _leave_room(box: Box, inner: list[Placed], leaves: dict[str, Box], half: float) -> float:
    """How far the ways out of the list reach beyond its boxes."""
    rooms = [0.0]
    for leave in (child for child in box.children if child.beside):
        label = next((edge.label for edge in box.edges if edge.target == leave.id), "")
        rooms.append(SIDE + width_of(label, LABEL) + _leaf(leave).width)
    return max(rooms)


def _leaves_of(box: Box, source: Placed, right: float) -> list[Placed]:
    found: list[Placed] = []
    beside = [child for child in box.children if child.beside == source.box.id]
    for number, leave in enumerate(beside):
        label = next((edge.label for edge in box.edges if edge.target == leave.id), "")
        each = _leaf(leave)
        y = source.y + source.height / 2 - each.height / 2 + number * (each.height + 6)
        found.append(each.moved(right + SIDE + width_of(label, LABEL), y))
    return found


def _jumps(
    box: Box, order: dict[str, int], inner: list[Placed], beside: float, half: float
) -> list[Jump]:
    """Give every edge that leads further a lane; those that overlap get different ones."""
    found: list[Jump] = []
    taken: dict[bool, list[list[tuple[int, int]]]] = {False: [], True: []}
    for edge in box.edges:
        source, target = order.get(edge.source), order.get(edge.target)
        if source is None or target is None or target == source + 1:
            continue
        back = target <= source
        span = (min(source, target), max(source, target))
        number = _free_lane(taken[back], span)
        room = inner[source].width / 2 + width_of(edge.label, LABEL) + 12
        lane = max((half if back else beside) + LANE, room) + number * LANE
        found.append(Jump(edge, lane, back))
    return found


def _free_lane(lanes: list[list[tuple[int, int]]], span: tuple[int, int]) -> int:
    for number, lane in enumerate(lanes):
        if all(span[1] < other[0] or other[1] < span[0] for other in lane):
            lane.append(span)
            return number
    lanes.append([span])
    return len(lanes) - 1


# ---------------------------------------------------------------- rows


def _row(box: Box) -> Placed:
    inner = [placed(child) for child in box.listed]
    between = SIDE
    if box.arrangement is Arrangement.PAIR:
        between = max([60.0, *(width_of(edge.label, LABEL) + 24 for edge in box.edges)])
    top = header(box) + (GAP / 2 if box.arrangement is Arrangement.ROW else 0)
    whole = sum(each.width for each in inner) + between * (len(inner) - 1)
    width = max(whole + 2 * PAD, _own_width(box))
    x, tallest = (width - whole) / 2, max(each.height for each in inner)
    children: list[Placed] = []
    for each in inner:
        drop = (tallest - each.height) / 2 if box.arrangement is Arrangement.PAIR else 0
        children.append(each.moved(x, top + drop))
        x += each.width + between
    foot = PAD + (GAP / 2 if box.arrangement is Arrangement.ROW else 0)
    return Placed(box, 0, 0, width, top + tallest + foot, tuple(children))
