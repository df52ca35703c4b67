"""What an expression does with `$secrets`: which it reads, and whether it computes with them.

Expressions see markers in place of secrets. Passing one on or joining it into a text is fine, since markers are replaced when the
effect is performed; what is computed from one (its length, its base64) would be computed from the marker.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from workflow_service.domain.expressions.tree import (
    Apply,
    Array,
    Attempt,
    Binary,
    Condition,
    Iterate,
    Literal,
    Node,
    Object,
    Path,
    Pipe,
    Several,
    Text,
    Walk,
)

SECRETS: Final = "secrets"
_PASSING_ON: Final = frozenset(
    """
    add empty first from_entries join last map to_entries tostring values @text @uri
    """.split()  # noqa: SIM905 - words read better as words
)
_ABOUT_STRUCTURE: Final = frozenset(("has", "keys", "type"))
"""The structure of a secret is no secret."""
_NULL: Final = Literal(None)


@dataclass(frozen=True, slots=True)
class Lending:
    """What an expression needs to be lent."""

    names: frozenset[str] | None
    """The secrets that it reads; None: any."""
    computed_by: str | None = None
    """What computes with one; None: as far as one can see, nothing does."""

    def joined(self, other: "Lending") -> "Lending":
        """What both need together."""
        names = None
        if self.names is not None and other.names is not None:
            names = self.names | other.names
        return Lending(names, self.computed_by or other.computed_by)


def lending_of(node: Node | None) -> Lending:
    """What an expression with the variable `$secrets` needs; *node* is None when we do not understand it."""
    if node is None:
        return Lending(None)
    reader = _Reader()
    _ = reader.secret(node, False)
    return Lending(None if reader.anything else frozenset(reader.names), reader.computed_by)


class _Reader:
    def __init__(self) -> None:
        self.names: set[str] = set()
        self.anything = False
        self.computed_by: str | None = None

    def secret(self, node: Node, dot: bool) -> bool:
        """Whether secrets are in what *node* comes to; *dot*: whether they are in its input."""
        match node:
            case Literal():
                return False
            case Path():
                return self._path(node, dot)
            case Pipe(first, then):
                return self.secret(then, self.secret(first, dot))
            case Binary():
                return self._binary(node, dot)
            case Condition(test, then, otherwise):
                if self.secret(test, dot):
                    self.computed_by = "if"
                return self._any((then, otherwise), dot)
            case Apply(function, arguments):
                found = self._any(arguments, dot) or dot
                if function in _ABOUT_STRUCTURE:
                    return False
                if found and function not in _PASSING_ON:
                    self.computed_by = function
                return found
            case _:
                return self._any(_parts(node), dot)

    def _any(self, nodes: tuple[Node, ...], dot: bool) -> bool:
        # Every one is looked at, for the names in it.
        found = [self.secret(node, dot) for node in nodes]
        return any(found)

    def _path(self, path: Path, dot: bool) -> bool:
        if path.variable is None:
            return dot
        if path.variable != SECRETS:
            return False
        name = path.steps[0] if path.steps else None
        if isinstance(name, str):
            self.names.add(name)
        else:
            self.anything = True
        return True

    def _binary(self, node: Binary, dot: bool) -> bool:
        found = self._any((node.left, node.right), dot)
        if node.operator in ("//", "+"):
            return found
        asks_for_one = node.operator in ("==", "!=") and _NULL in (node.left, node.right)
        if found and not asks_for_one:
            self.computed_by = node.operator
        return False


def _parts(node: Node) -> tuple[Node, ...]:
    return tuple(_each_part(node))


def _each_part(node: Node) -> Iterator[Node]:
    match node:
        case Walk(source, _) | Iterate(source) | Attempt(source):
            yield source
        case Several(first, then):
            yield from (first, then)
        case Array(content):
            if content is not None:
                yield content
        case Object(entries):
            yield from (value for _, value in entries)
        case Text(parts):
            yield from (part for part in parts if not isinstance(part, str))
        case _:
            return
