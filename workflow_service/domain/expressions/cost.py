"""How much an expression can cost at most: the proof that lets it run in our own process.

Let S be the bytes of the document, of the variables used and of the text, eight times. For every understood
expression three bounds are computed from those of its parts: its outputs together are at most
`factor * S + constant` bytes, and computing them touches at most `work * S` bytes. Only constructs
that take at most n log n time are known here, and nothing that works once per element may look at
anything but that element. What has no entry (recursion, ranges, regular expressions, …) has no
bound.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import msgspec

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
from workflow_service.domain.expressions.values import JsonValue

MAX_FACTOR = 8_192
"""Above this multiple of its input an expression counts as unbounded."""

SORTING = 64
"""Touches per byte when sorting, measured on the worst inputs."""

MAX_CONSTANT = 65_536
"""Above this many bytes of its own, too."""

LEAST_SIZE = 64
"""S is at least this many bytes, by definition."""

ESCAPING = 6
"""A character grows at most this much as JSON text (`\\u0000`)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Upper bounds, see the module."""

    factor: int = 0
    constant: int = 8
    work: int = 1
    many: bool = False
    """More than one output is possible."""
    reads_variables: bool = False
    light: bool = True
    """Evaluated directly, it touches only what it names, however large the rest is."""
    direct_only: bool = False
    """The bounds hold for direct.py, which knows numbers only, and not for libjq."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SCALARS = _names(
    """
    length type not isempty any all empty now floor ceil round sqrt abs fabs tonumber isnan
    isinfinite isnormal utf8bytelength trunc
    """
)
_SAME_SIZE = _names(
    """
    values nulls booleans numbers strings arrays objects iterables scalars min max add first
    last reverse from_entries ascii_downcase ascii_upcase trim ltrim rtrim error
    """
)
_LARGER = {
    "keys": 4,
    "keys_unsorted": 4,
    "to_entries": 16,
    "tostring": ESCAPING,
    "tojson": ESCAPING,
    "todate": 4,
}
_FORMATS = _names(
    """
    @base64 @uri @html @json @text @sh @csv @tsv @base64d
    """
)
_PER_ELEMENT = _names(
    """
    map map_values select sort_by group_by unique_by min_by max_by any all with_entries
    """
)
_SORTING = _names("sort_by group_by unique_by")
_TESTS = _names("has startswith endswith")
_TRIMS = _names("ltrimstr rtrimstr")


def cost_of(node: Node) -> Cost | None:
    """The bounds of *node*, or None when it has none that we can prove."""
    cost = _cost(node)
    if cost is None or max(cost.factor, cost.work) > MAX_FACTOR or cost.constant > MAX_CONSTANT:
        return None
    return cost


def _cost(node: Node) -> Cost | None:  # noqa: C901 - one line per kind of node
    match node:
        case Literal(value):
            return Cost(constant=_encoded(value))
        case Path(variable, _):
            return Cost(factor=1, reads_variables=variable is not None)
        case Walk(source, _) | Attempt(source):
            return cost_of(source)
        case Iterate(source):
            cost = cost_of(source)
            return cost and replace(cost, many=True, work=cost.work + 1)
        case Pipe(first, then):
            return _piped(cost_of(first), cost_of(then))
        case Several(first, then):
            cost = _together([first, then], many_allowed=True)
            return cost and replace(cost, many=True)
        case Binary():
            return _operator(node)
        case Array(content):
            cost = Cost() if content is None else cost_of(content)
            return cost and replace(cost, many=False, constant=cost.constant + 2)
        case Object(entries):
            cost = _together(value for _, value in entries)
            keys = sum(_encoded(key) for key, _ in entries)
            return cost and replace(cost, constant=cost.constant + keys)
        case Text(parts):
            return _text(parts)
        case Condition(test, then, otherwise):
            return _together([test, then, otherwise])
        case Apply():
            return _applied(node)


def _encoded(value: JsonValue) -> int:
    """Bytes that a constant adds to an output, with its punctuation."""
    return len(msgspec.json.encode(value)) + 6


def _together(nodes: Iterable[Node], *, many_allowed: bool = False) -> Cost | None:
    """The sum of several bounds; each must have one output unless *many_allowed*."""
    total = Cost()
    for node in nodes:
        cost = cost_of(node)
        if cost is None or (cost.many and not many_allowed):
            return None
        total = Cost(
            total.factor + cost.factor,
            total.constant + cost.constant,
            total.work + cost.work,
            total.many or cost.many,
            total.reads_variables or cost.reads_variables,
            total.light and cost.light,
            total.direct_only or cost.direct_only,
        )
    return total


def _piped(first: Cost | None, then: Cost | None) -> Cost | None:
    """*then* on every output of *first*: their sizes add up to at most first's bound.

    The variables are all there still, whatever *first* has left of the document.
    """
    if first is None or then is None or (first.many and then.reads_variables):
        return None
    # Every output is at least a byte long, so a constant per output is a factor of their size.
    each = then.factor + then.constant if first.many else then.factor
    own = 0 if first.many else then.constant
    seen = first.factor + (1 if then.reads_variables else 0)
    return Cost(
        factor=seen * each,
        constant=first.constant * each + own,
        work=first.work + then.work * (seen + first.constant // LEAST_SIZE + 1),
        many=first.many or then.many,
        reads_variables=first.reads_variables or then.reads_variables,
        light=first.light and then.light,
        direct_only=first.direct_only or then.direct_only,
    )


def _operator(node: Binary) -> Cost | None:
    literal = next((side for side in (node.left, node.right) if isinstance(side, Literal)), None)
    cost = _together([node.left, node.right], many_allowed=node.operator == "//")
    if cost is None:
        return None
    match node.operator:
        case "//":
            return cost
        case "+":
            return replace(cost, light=False)
        case "-" | "/" | "*":
            # Subtracting arrays takes n * m steps, a product repeats strings.
            numeric = literal is not None and isinstance(literal.value, int | float)
            sure = numeric and node.operator != "*"
            return replace(cost, factor=0, constant=24, direct_only=cost.direct_only or not sure)
        case "%":
            return replace(cost, factor=0, constant=24)
        case _:
            logical = node.operator in ("and", "or") or literal is not None
            return replace(cost, factor=0, constant=8, light=cost.light and logical)


def _text(parts: tuple[str | Node, ...]) -> Cost | None:
    cost = _together(part for part in parts if not isinstance(part, str))
    fixed = sum(_encoded(part) for part in parts if isinstance(part, str))
    return cost and replace(
        cost,
        factor=cost.factor * ESCAPING,
        constant=cost.constant * ESCAPING + fixed,
        work=cost.work * ESCAPING,
        light=False,
    )


def _applied(node: Apply) -> Cost | None:
    match node:
        case Apply("not" | "length", ()):
            return Cost()
        case Apply(function, ()) if function in _SCALARS:
            return Cost(constant=24, light=False)
        case Apply("sort" | "unique", ()):
            return Cost(factor=2, constant=32, work=SORTING, light=False)
        case Apply(function, ()) if function in _SAME_SIZE:
            return Cost(factor=2, constant=32, work=4, light=False)
        case Apply(function, ()) if function in _LARGER:
            return Cost(factor=_LARGER[function], constant=32, work=8, light=False)
        case Apply(function, ()) if function in _FORMATS:
            return Cost(factor=ESCAPING, constant=32, work=8, light=False)
        case Apply(function, (body,)) if function in _PER_ELEMENT:
            return _per_element(function, cost_of(body))
        case Apply(function, (argument,)):
            return _with_argument(function, argument, cost_of(argument))
        case _:
            return None


def _per_element(function: str, body: Cost | None) -> Cost | None:
    if body is None or body.reads_variables or body.direct_only:
        return None
    work = 4 * body.work + (SORTING if function in _SORTING else 4)
    if function in ("map", "map_values"):
        return Cost(factor=body.factor + body.constant, work=work, light=False)
    if function == "with_entries":
        return Cost(factor=16 * (body.factor + body.constant), work=16 * work, light=False)
    if body.many:
        return None
    return Cost(factor=2, work=work, light=False)


def _with_argument(function: str, argument: Node, cost: Cost | None) -> Cost | None:
    if cost is None or cost.many or cost.direct_only:
        return None
    if function in _TESTS:
        return replace(cost, factor=0, constant=8, work=cost.work + 1, light=False)
    if function in _TRIMS:
        return replace(cost, factor=1, constant=8, work=cost.work + 1, light=False)
    if isinstance(argument, Literal) and isinstance(argument.value, str):
        if function == "split":
            return Cost(factor=4, work=4, light=False)
        if function == "join":
            return Cost(factor=ESCAPING + _encoded(argument.value), work=8, light=False)
    return None
