"""From a document to its picture. The document is one that the rules of registration have accepted in form."""

from __future__ import annotations

from collections.abc import Mapping

from autoworker.graphs.model import Arrangement, Box, Edge, Line, Names
from autoworker.graphs.words import catch_note, member, note, plain, retry_note, short
from workflow_service.domain.definition.model import CONTINUE, END, EXIT
from workflow_service.domain.definition.vocabulary import entries, kinds_of, task_lists
from workflow_service.domain.expressions import JsonValue

_CASE = 30


def graph_of(document: Mapping[str, JsonValue]) -> Box:
    """The picture of a whole workflow: a column from its start to its end."""
    names = Names()
    head = member(dict(document), "document")
    start, end = Box(names.new(), "", "start"), Box(names.new(), "", "end")
    column = _Column(names, document.get("do"), bottom=end.id)
    boxes, edges = column.read()
    first = Edge(start.id, boxes[0].id if boxes else end.id)
    title = str(head.get("title") or head.get("name") or "")
    told = " ".join(str(head.get(name, "")) for name in ("namespace", "name", "version"))
    return Box(names.new(), title, "workflow", told, (start, *boxes, end), (first, *edges))


class _Column:
    """One list of tasks.

    Args:
        names: gives ids.
        tasks: the list, as the document has it.
        bottom: id of the box behind the last task; empty where the list simply ends.
    """

    def __init__(self, names: Names, tasks: JsonValue, bottom: str = "") -> None:
        self._names = names
        self._bottom = bottom
        self._tasks = [(name, task) for _, name, task in entries(tasks)]
        self._boxes = [_box(names, name, task) for name, task in self._tasks]
        self._positions = {name: index for index, (name, _) in enumerate(self._tasks)}
        self._leaves: list[Box] = []
        self._edges: list[Edge] = []

    def read(self) -> tuple[tuple[Box, ...], tuple[Edge, ...]]:
        """Its boxes and the edges between them."""
        for index, (_, task) in enumerate(self._tasks):
            if "switch" in task:
                self._switch(index, task)
            elif "raise" not in task:
                self._lead(index, str(task.get("then", CONTINUE)))
            caught = member(task, "catch").get("then")
            if caught is not None:
                self._lead(index, str(caught), "after an error", Line.ERROR)
        return (*self._boxes, *self._leaves), tuple(_merged(self._edges))

    def _switch(self, index: int, task: Mapping[str, JsonValue]) -> None:
        default = False
        for _, name, case in entries(task["switch"]):
            condition = f": {plain(case['when'])}" if "when" in case else ""
            default = default or not condition
            self._lead(index, str(case.get("then", CONTINUE)), short(name + condition, _CASE))
        if not default:
            self._lead(index, str(task.get("then", CONTINUE)), "else")

    def _lead(self, index: int, directive: str, label: str = "", line: Line = Line.JUMP) -> None:
        source = self._boxes[index].id
        follows = index + 1 if directive == CONTINUE else self._positions.get(directive)
        target = self._bottom if follows == len(self._boxes) else ""
        if follows is not None and follows < len(self._boxes):
            target = self._boxes[follows].id
        elif directive in {EXIT, END}:
            target = self._bottom or self._leave(source, directive)
        if target:
            near = follows == index + 1 and line is Line.JUMP
            self._edges.append(Edge(source, target, label, Line.NEXT if near else line))

    def _leave(self, source: str, directive: str) -> str:
        leave = Box(self._names.new(), directive, "leave", beside=source)
        self._leaves.append(leave)
        return leave.id


def _merged(edges: list[Edge]) -> list[Edge]:
    """The edges, those between the same two boxes as one."""
    found: dict[tuple[str, str, Line], list[str]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.target, edge.line), []).append(edge.label)
    return [
        Edge(s, t, ", ".join(filter(None, labels)), line) for (s, t, line), labels in found.items()
    ]


def _box(names: Names, name: str, task: Mapping[str, JsonValue]) -> Box:
    kind = next(iter(kinds_of(task)), "task")
    told = note(kind, task)
    match kind:
        case "do" | "for":
            boxes, edges = _Column(names, task["do"]).read()
            return Box(names.new(), name, kind, told, boxes, edges)
        case "fork":
            branches = entries(member(dict(task), "fork").get("branches"))
            boxes = tuple(_box(names, branch, inner) for _, branch, inner in branches)
            return Box(names.new(), name, kind, told, boxes, arrangement=Arrangement.ROW)
        case "try":
            return _try(names, name, task, told)
        case _:
            # What a listener, or a subscription, does with each of what it hears.
            inner = next((tasks for _, tasks in task_lists(kind, task)), None)
            boxes, edges = _Column(names, inner).read()
            return Box(names.new(), name, kind, told, boxes, edges)


def _try(names: Names, name: str, task: Mapping[str, JsonValue], told: str) -> Box:
    catch = member(dict(task), "catch")
    attempt = Box(names.new(), "try", "attempt", "", *_Column(names, task["try"]).read())
    handler = _Column(names, catch.get("do")).read()
    caught = Box(names.new(), "catch", "catch", catch_note(catch), *handler)
    edges = [Edge(attempt.id, caught.id, "error", Line.ERROR)]
    if "retry" in catch:
        edges.append(Edge(caught.id, attempt.id, retry_note(catch["retry"]), Line.RETRY))
    return Box(names.new(), name, "try", told, (attempt, caught), tuple(edges), Arrangement.PAIR)
