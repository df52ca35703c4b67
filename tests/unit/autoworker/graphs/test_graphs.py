"""Pictures of workflows: what leads where, as Mermaid and as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from typer.testing import CliRunner

from autoworker.cli.app import app
from autoworker.graphs import graph_of, mermaid, svg
from autoworker.graphs.layout import Placed, placed
from autoworker.graphs.model import Box, Line, walk
from tests.conformance.scenario import scenarios
from tests.unit.workflow_service.definition.support import HEAD, read
from workflow_service.domain.expressions import JsonValue

EXAMPLE = Path(__file__).parents[4] / "examples" / "order.yaml"


def picture(body: str) -> Box:
    """The picture of a document of *body*."""
    document = read(HEAD + body)
    assert isinstance(document, dict)
    return graph_of(document)


def ways(group: Box) -> list[tuple[str, str, str, Line]]:
    """The edges of a group: between which titles, with which label, of which meaning."""
    titles = {child.id: child.title or child.kind for child in group.children}
    return [(titles[e.source], titles[e.target], e.label, e.line) for e in group.edges]


def group(whole: Box, title: str) -> Box:
    """The box with that title."""
    return next(box for box in walk(whole) if box.title == title)


def test_tasks_follow_one_another_from_the_start_to_the_end() -> None:
    found = picture("do: [{a: {set: {x: 1}}}, {b: {wait: PT1S}}]")

    assert ways(found) == [
        ("start", "a", "", Line.NEXT), ("a", "b", "", Line.NEXT), ("b", "end", "", Line.NEXT),
    ]  # fmt: skip


def test_then_leads_to_a_task_or_out() -> None:
    found = picture(
        "do: [{a: {set: {x: 1}, then: c}}, {b: {set: {x: 1}, then: end}}, {c: {set: {x: 1}, then: a}}]"
    )

    assert ways(found)[1:] == [
        ("a", "c", "", Line.JUMP), ("b", "end", "", Line.JUMP), ("c", "a", "", Line.JUMP),
    ]  # fmt: skip


def test_a_switch_leads_where_its_cases_do_and_on_when_none_holds() -> None:
    found = picture(
        "do: [{a: {switch: [{big: {when: .n > 1, then: c}}]}}, {b: {set: {x: 1}}}, {c: {set: {x: 1}}}]"
    )

    assert ways(found)[1:3] == [("a", "c", "big: .n > 1", Line.JUMP), ("a", "b", "else", Line.NEXT)]


def test_a_raise_leads_nowhere() -> None:
    found = picture(
        "do: [{a: {raise: {error: {type: 'https://example.com/e', status: 400}}}}, {b: {set: {x: 1}}}]"
    )

    assert [way[0] for way in ways(found)] == ["start", "b"]
    assert group(found, "a").note == "raise e 400"


def test_leaving_a_list_inside_is_shown_beside_its_task() -> None:
    found = picture(
        "do: [{outer: {do: [{a: {set: {x: 1}, then: exit}}, {b: {set: {x: 1}, then: end}}]}}]"
    )

    assert ways(group(found, "outer")) == [
        ("a", "exit", "", Line.JUMP),
        ("b", "end", "", Line.JUMP),
    ]


def test_a_try_leads_to_its_catch_and_back() -> None:
    retry = "retry: {delay: {seconds: 3}, backoff: {linear: {}}, limit: {attempt: {count: 2}}}"
    found = picture(
        f"do: [{{a: {{try: [{{b: {{set: {{x: 1}}}}}}], catch: {{{retry}, then: end}}}}}}]"
    )

    assert ways(group(found, "a")) == [
        ("try", "catch", "error", Line.ERROR),
        ("catch", "try", "retry after 3 s, linear, up to 2 times", Line.RETRY),
    ]
    assert ways(found)[1:] == [
        ("a", "end", "", Line.NEXT),
        ("a", "end", "after an error", Line.ERROR),
    ]


def test_the_branches_of_a_fork_lie_side_by_side() -> None:
    found = placed(
        picture("do: [{f: {fork: {branches: [{a: {set: {x: 1}}}, {b: {set: {x: 1}}}]}}}]")
    )
    fork = next(each for each in every(found) if each.box.title == "f")

    assert [child.box.title for child in fork.children] == ["a", "b"]
    assert fork.children[0].right < fork.children[1].x
    assert fork.children[0].y == fork.children[1].y


def test_what_is_done_with_each_event_is_inside_its_listener() -> None:
    listener = "listen: {to: {any: []}}, foreach: {do: [{note: {set: {x: 1}}}]}"
    found = group(picture(f"do: [{{a: {{{listener}}}}}]"), "a")

    assert [child.title for child in found.children] == ["note"]
    assert found.note == "listen to any"


def test_mermaid_escapes_what_would_end_a_label() -> None:
    text = mermaid(picture("do: [{a: {switch: [{x: {when: '.a == \"b\" | <c>', then: end}}]}}]"))

    assert "x: .a == #quot;b#quot; | #lt;c#gt;" in text


def test_the_example_is_drawn_as_mermaid_and_as_svg(tmp_path: Path) -> None:
    text = CliRunner().invoke(app, ["graph", str(EXAMPLE)])
    drawn = CliRunner().invoke(
        app, ["graph", str(EXAMPLE), "-f", "svg", "-o", str(tmp_path / "a.svg")]
    )
    root = Xml.parse(tmp_path / "a.svg").getroot()  # noqa: S314 - our own

    assert (text.exit_code, drawn.exit_code) == (0, 0)
    assert text.output.startswith("flowchart TD\n")
    assert {"pay", "quoteShipping", "large: .total >= 100", "Handle an order"} <= set(
        root.itertext()
    )


def test_the_picture_in_the_documentation_is_that_of_the_example() -> None:
    document = read(EXAMPLE.read_text("utf-8"))
    assert isinstance(document, dict)
    shown = EXAMPLE.parents[1] / "docs" / "order.svg"

    assert shown.read_text("utf-8") == svg(graph_of(document)), (
        "autoworker graph … -o docs/order.svg"
    )


def test_what_is_no_workflow_is_not_drawn(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(HEAD + "do: [{a: {sett: {}}}]")

    ended = CliRunner().invoke(app, ["graph", str(file)])

    assert ended.exit_code == 1
    assert "/do/0/a" in ended.output


DRAWN = [each.document() for each in scenarios() if not each.refused]


@pytest.mark.parametrize("document", DRAWN, ids=range(len(DRAWN)))
def test_every_scenario_is_drawn_with_boxes_inside_their_group_and_apart_from_one_another(
    document: dict[str, JsonValue],
) -> None:
    graph = graph_of(document)

    Xml.fromstring(svg(graph))  # noqa: S314 - our own
    assert "\n\n" not in mermaid(graph)
    for each in every(placed(graph)):
        for child in each.children:
            assert each.x <= child.x
            assert child.right <= each.right
            assert each.y <= child.y
            assert child.bottom <= each.bottom
        assert not any(
            overlap(one, other)
            for one in each.children
            for other in each.children
            if one is not other
        )


def every(whole: Placed) -> Iterator[Placed]:
    """The box and all inside."""
    yield whole
    for child in whole.children:
        yield from every(child)


def overlap(one: Placed, other: Placed) -> bool:
    """Whether two boxes cover each other."""
    apart = (
        one.right <= other.x
        or other.right <= one.x
        or one.bottom <= other.y
        or other.bottom <= one.y
    )
    return not apart
