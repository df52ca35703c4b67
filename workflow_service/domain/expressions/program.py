"""One expression as a libjq program: bound through its input, compiled once.

Binding variables with libjq's own `args` compiles the program again for every evaluation (about
1 ms); here they travel in the input document instead and the compiled program is kept.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast

import jq
import msgspec

from workflow_service.domain.expressions.tokens import Kind, Token, every_token
from workflow_service.domain.expressions.values import ExpressionFailed, JsonValue

_SHADOWS = (
    "def env: {}; def input: null; def inputs: empty; def debug: .; def debug(f): .;"
    " def stderr: .; def halt: null; def halt_error: null; def halt_error(f): null;"
    " def input_filename: null; def input_line_number: null; def modulemeta: null;"
    " def get_search_list: []; def get_prog_origin: null; def get_jq_origin: null; {} as $ENV | "
)
MAX_MESSAGE = 1_000
"""An error's message may quote its input; this much of it is kept."""
_POSITION = re.compile(r" at <top-level>, line (\d+), column (\d+):?")


class _Results(Protocol):
    def __iter__(self) -> "_Results": ...
    def __next__(self) -> JsonValue: ...


class _Fed(Protocol):
    def __iter__(self) -> _Results: ...


class Program(Protocol):
    """A compiled libjq program; libjq's binding makes it safe to share between threads."""

    def input_text(self, text: str) -> _Fed: ...


def program_text(source: str, variables: Iterable[str]) -> str:
    """The whole program for *source*, which tokenize() has freed of comments and balanced.

    The source starts on line two, so that error positions can be told in its own lines.
    """
    bindings = "".join(f"$__i.v.{name} as ${name} | " for name in sorted(variables))
    return f". as $__i | {_SHADOWS}{bindings}$__i.d | (\n{source}\n)"


def encode_input(
    document: JsonValue, arguments: Mapping[str, JsonValue], variables: Iterable[str]
) -> bytes:
    """The input document that carries *document* and the *variables* a program uses.

    Raises:
        ExpressionFailed: a value has no JSON form (lone surrogates, numbers out of range).
    """
    bound = {name: arguments.get(name) for name in variables}
    try:
        return msgspec.json.encode({"d": document, "v": bound})
    except (UnicodeEncodeError, OverflowError, ValueError, RecursionError) as exc:
        raise ExpressionFailed("the expression's input has no JSON form") from exc


def compile_program(source: str, variables: Sequence[str] | frozenset[str]) -> Program:
    """Compile *source*.

    Raises:
        ExpressionFailed: with jq's own message.
    """
    try:
        return cast(Program, jq.compile(program_text(source, variables)))
    except (ValueError, UnicodeEncodeError) as exc:
        raise ExpressionFailed(_readable(str(exc))) from exc


def run_program(program: Program, encoded: bytes) -> JsonValue:
    """The first output of *program*, or null when there is none.

    Raises:
        ExpressionFailed: with jq's own message.
    """
    try:
        return next(iter(program.input_text(encoded.decode())), None)
    except (ValueError, RecursionError) as exc:
        message = str(exc) or "the expression failed"
        raise ExpressionFailed(message[:MAX_MESSAGE]) from exc


def foldable(tokens: tuple[Token, ...], text: str) -> str:
    """The text to check *tokens* by: with the same errors, but nothing to compute at compile time.

    libjq folds constants while compiling, so that `"x" * 1e9` takes a gigabyte before it runs.
    Numbers are replaced by a name, which stands wherever a number may.
    """
    found = [token for token, _ in every_token(tokens)]
    if not any(token.text in ("*", "*=") and token.kind is Kind.SYMBOL for token in found):
        return text
    return ". as $__n | " + "".join(_without_numbers(tokens))


def _without_numbers(tokens: tuple[Token, ...]) -> Iterable[str]:
    for token in tokens:
        if token.kind is Kind.NUMBER:
            yield " $__n "
        elif token.kind is Kind.STRING:
            yield '"'
            for piece in token.pieces:
                yield piece if isinstance(piece, str) else "".join(_without_numbers(piece)) + ")"
            yield '"'
        else:
            yield f"{token.text} " if token.kind is not Kind.FORMAT else token.text


def _readable(message: str) -> str:
    """Jq's first complaint, with positions counted in the author's own text."""
    first = message.split("\n", 1)[0].removeprefix("jq: error: ")
    return _POSITION.sub(lambda found: f" at line {int(found[1]) - 1}, column {found[2]}", first)
