"""The tree of an expression that we understand ourselves, node by node."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from workflow_service.domain.expressions.values import JsonValue

Step: TypeAlias = str | int


@dataclass(frozen=True, slots=True)
class Literal:
    value: JsonValue


@dataclass(frozen=True, slots=True)
class Path:
    """`.a.b[0]` or `$variable.a`; no variable means the document itself."""

    variable: str | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Walk:
    """A path that starts at the outputs of another expression."""

    source: "Node"
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Iterate:
    source: "Node"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`source?`"""

    source: "Node"


@dataclass(frozen=True, slots=True)
class Pipe:
    first: "Node"
    then: "Node"


@dataclass(frozen=True, slots=True)
class Several:
    """`first, then`"""

    first: "Node"
    then: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison, `and`, `or` and `//`."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Array:
    content: "Node | None"


@dataclass(frozen=True, slots=True)
class Object:
    entries: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A string with interpolations."""

    parts: tuple["str | Node", ...]


@dataclass(frozen=True, slots=True)
class Condition:
    test: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Apply:
    """A call of one of jq's functions; formats (`@base64`) count as functions."""

    function: str
    arguments: tuple["Node", ...]


Node: TypeAlias = (
    Literal
    | Path
    | Walk
    | Iterate
    | Attempt
    | Pipe
    | Several
    | Binary
    | Array
    | Object
    | Text
    | Condition
    | Apply
)

EXACT_INTEGER: Final = 2**53
"""Up to here a double holds every integer; libjq computes in doubles."""


def stepped(node: Node, step: Step) -> Node:
    """The tree of *node* followed by one more step."""
    match node:
        case Path(variable, steps):
            return Path(variable, (*steps, step))
        case Walk(source, steps):
            return Walk(source, (*steps, step))
        case _:
            return Walk(node, (step,))
