"""JSON values of a definition whose strings may hold expressions.

Strict mode: a string that is one `${ … }` is replaced by the expression's value of whatever type. A
string with `${ … }` inside other text, as the DSL reference shows for message bodies and shell
commands, becomes a string: values that are strings are inserted as they are, all others as
JSON text. A `${` that is never closed is text. Loose mode: besides that, every string is tried as
an expression, and stays as it is when it does not compile or fails.

Keys are never evaluated, and neither is anything that an expression produced.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Literal, TypeAlias

import msgspec

from workflow_service.domain.expressions.expression import Expression
from workflow_service.domain.expressions.secrecy import Lending
from workflow_service.domain.expressions.tokens import closing_brace
from workflow_service.domain.expressions.values import ExpressionFailed, JsonValue

Mode: TypeAlias = Literal["strict", "loose"]

_Compile: TypeAlias = Callable[[str, frozenset[str]], Expression]
_Evaluate: TypeAlias = Callable[[Expression], JsonValue]
_Render: TypeAlias = Callable[[_Evaluate], JsonValue]


def is_expression(text: str) -> bool:
    """Whether *text*, trimmed, is exactly one `${ … }`."""
    trimmed = text.strip()
    if not trimmed.startswith("${") or not trimmed.endswith("}"):
        return False
    end = closing_brace(trimmed, 2)
    return end is None or end == len(trimmed) - 1


def expression_source(text: str) -> str:
    """The jq text of a field that takes an expression with or without `${ }` (`if`, `when`, …)."""
    return text.strip()[2:-1].strip() if is_expression(text) else text.strip()


class Template:
    """The compiled form of a JSON value; immutable and safe to share between threads."""

    def __init__(
        self, value: JsonValue, render: _Render | None, expressions: tuple[Expression, ...]
    ) -> None:
        self.constant = render is None
        """There is no expression inside: `render` gives the value as it was written."""
        self.cheap = all(expression.cheap for expression in expressions)
        """On a small input no part needs the costly evaluator."""
        self.lending = _lending_of(expressions)
        """What its expressions do with secrets; None: nothing."""
        self._value = value
        self._render = render

    def render(self, document: JsonValue, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """The value with every expression evaluated. May block on the costly evaluator.

        Raises:
            ExpressionFailed: one of the expressions failed.
            ExpressionsUnavailable: the costly evaluator has no capacity now.
        """
        if self._render is None:
            return self._value
        return self._render(lambda expression: expression.evaluate(document, arguments))

    def render_here(self, document: JsonValue, arguments: Mapping[str, JsonValue]) -> JsonValue:
        """As `render`, but quick for sure: fit for the event loop.

        Raises:
            ExpressionFailed: one of the expressions failed.
            NeedsWorker: one is not provably cheap on this input; call `render` from a thread.
        """
        if self._render is None:
            return self._value
        return self._render(lambda expression: expression.evaluate_here(document, arguments))


def _lending_of(expressions: tuple[Expression, ...]) -> Lending | None:
    lendings = [each.lending for each in expressions if each.lending is not None]
    return reduce(Lending.joined, lendings) if lendings else None


def compile_template(
    compile_one: _Compile, value: JsonValue, variables: Iterable[str], mode: Mode
) -> Template:
    """Compile every expression in *value*, which may read *variables*.

    Raises:
        ExpressionFailed: one of them does not compile.
    """
    compiler = _Compiler(compile_one, frozenset(variables), mode)
    render = compiler.compile(value)
    return Template(value, render, tuple(compiler.found))


class _Compiler:
    def __init__(self, compile_one: _Compile, variables: frozenset[str], mode: Mode) -> None:
        self._compile_one = compile_one
        self._variables = variables
        self._mode = mode
        self.found: list[Expression] = []

    def compile(self, value: JsonValue) -> _Render | None:
        """How to render *value*; None when it is constant."""
        match value:
            case str():
                return self._string(value)
            case list():
                return self._array(value)
            case dict():
                return self._object(value)
            case _:
                return None

    def _array(self, value: list[JsonValue]) -> _Render | None:
        items = [(item, self.compile(item)) for item in value]
        if all(render is None for _, render in items):
            return None
        return lambda evaluate: [
            item if render is None else render(evaluate) for item, render in items
        ]

    def _object(self, value: dict[str, JsonValue]) -> _Render | None:
        members = [(key, item, self.compile(item)) for key, item in value.items()]
        if all(render is None for _, _, render in members):
            return None
        return lambda evaluate: {
            key: item if render is None else render(evaluate) for key, item, render in members
        }

    def _string(self, text: str) -> _Render | None:
        if is_expression(text):
            return self._one(expression_source(text))
        if "${" in text and (embedded := self._embedded(text)) is not None:
            return embedded
        return self._tried(text) if self._mode == "loose" else None

    def _one(self, source: str) -> _Render:
        expression = self._compile_one(source, self._variables)
        self.found.append(expression)
        return lambda evaluate: evaluate(expression)

    def _embedded(self, text: str) -> _Render | None:
        parts: list[str | _Render] = []
        at = 0
        while (start := text.find("${", at)) >= 0:
            end = closing_brace(text, start + 2)
            if end is None:
                break
            parts += [text[at:start], self._one(text[start + 2 : end].strip())]
            at = end + 1
        if not parts:
            return None
        parts.append(text[at:])
        return lambda evaluate: "".join(
            part if isinstance(part, str) else _as_text(part(evaluate)) for part in parts
        )

    def _tried(self, text: str) -> _Render | None:
        try:
            expression = self._compile_one(text, self._variables)
        except ExpressionFailed:
            return None
        self.found.append(expression)

        def render(evaluate: _Evaluate) -> JsonValue:
            try:
                return evaluate(expression)
            except ExpressionFailed:
                return text

        return render


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
