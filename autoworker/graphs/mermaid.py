"""A workflow's picture as Mermaid's flowchart text, which many places draw (GitHub and GitLab among them)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from autoworker.graphs.model import Arrangement, Box, Edge, Line, walk

_SHAPES: Final = {
    "start": ("((", "))"),
    "end": ("(((", ")))"),
    "leave": ("([", "])"),
    "switch": ("{", "}"),
    "wait": ("([", "])"),
    "listen": ("([", "])"),
    "emit": (">", "]"),
    "call": ("[[", "]]"),
    "run": ("[[", "]]"),
}
_ARROWS: Final = {Line.NEXT: "-->", Line.JUMP: "-->", Line.ERROR: "-.->", Line.RETRY: "-.->"}
_SPECIAL: Final = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "`": "#96;"}
_CLASSES: Final = (
    "classDef call fill:#e3effd,stroke:#3b78c3,color:#12304f",
    "classDef switch fill:#fdf1d8,stroke:#b9821b,color:#4a3406",
    "classDef raise fill:#fde4e1,stroke:#c0392b,color:#571710",
    "classDef wait fill:#efe7fb,stroke:#7d55c7,color:#2f1c57",
)
_CLASS_OF: Final = {
    "call": "call", "run": "call", "switch": "switch", "raise": "raise", "wait": "wait", "listen": "wait",
}  # fmt: skip


def mermaid(graph: Box) -> str:
    """The text of a flowchart from top to bottom."""
    lines = ["flowchart TD", *_inside(graph, "  ")]
    used = sorted({_CLASS_OF[box.kind] for box in walk(graph) if box.kind in _CLASS_OF})
    lines += [f"  {text}" for text in _CLASSES if text.split()[1] in used]
    for name in used:
        ids = ",".join(box.id for box in walk(graph) if _CLASS_OF.get(box.kind) == name)
        lines.append(f"  class {ids} {name}")
    return "\n".join([*lines, ""])


def _inside(group: Box, indent: str) -> Iterator[str]:
    for child in group.children:
        yield from _group(child, indent) if child.is_group else [indent + _leaf(child)]
    for edge in group.edges:
        yield indent + _edge(edge)


def _group(group: Box, indent: str) -> Iterator[str]:
    yield f"{indent}subgraph {group.id} [{_label(group)}]"
    direction = "TB" if group.arrangement is Arrangement.COLUMN else "LR"
    yield f"{indent}  direction {direction}"
    yield from _inside(group, indent + "  ")
    yield f"{indent}end"


def _leaf(box: Box) -> str:
    opens, closes = _SHAPES.get(box.kind, ("[", "]"))
    return f"{box.id}{opens}{_label(box)}{closes}"


def _edge(edge: Edge) -> str:
    label = f'|"{_escaped(edge.label)}"|' if edge.label else ""
    return f"{edge.source} {_ARROWS[edge.line]}{label} {edge.target}"


def _label(box: Box) -> str:
    text = _escaped(box.title or {"start": "start", "end": "end"}.get(box.kind, " "))
    return f'"{text}<br/><small>{_escaped(box.note)}</small>"' if box.note else f'"{text}"'


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(each, each) for each in text)
