"""The tokens of a jq program.

A tokenizer of our own, because what an expression may name is decided before libjq sees it, and
a search for substrings would take the field `.env` for the function `env`. Comments are cut out
here and never reach libjq, so that the two cannot disagree about where a comment ends.
Token shapes follow jq 1.8's lexer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from workflow_service.domain.expressions.values import ExpressionFailed

MAX_SOURCE = 16_384
"""Characters of one expression."""
MAX_TOKENS = 2_000
"""libjq's compiler is quadratic in the length of some chains; this keeps it under 0.2 s."""
MAX_NESTING = 100


class Kind(Enum):
    FIELD = auto()  # .name
    NAME = auto()  # a function or a keyword
    BINDING = auto()  # $name
    FORMAT = auto()  # @name
    NUMBER = auto()
    STRING = auto()
    SYMBOL = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token; a string keeps its raw pieces and, between them, interpolated tokens."""

    kind: Kind
    text: str
    pieces: tuple["str | tuple[Token, ...]", ...] = field(default=())


_PLAIN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<comment>\#(?:[^\\\n]|\\[^\n]|\\\n)*)
    | (?P<FIELD>\.[A-Za-z_]\w*)
    | (?P<NUMBER>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<NAME>(?:[A-Za-z_]\w*::)*[A-Za-z_]\w*)
    | (?P<BINDING>\$(?:[A-Za-z_]\w*::)*[A-Za-z_]\w*)
    | (?P<FORMAT>@\w+)
    | (?P<SYMBOL>\?//=?|//=|[|+\-*/%=!<>]=|//|\.\.|[.?=;,:|+\-*/%$<>()\[\]{}])
    """,
    re.VERBOSE | re.ASCII,
)
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class _Reader:
    def __init__(self, source: str, at: int = 0) -> None:
        self._source = source
        self._at = at
        self._count = 0
        self._depth = 0
        self.kept: list[str] = []

    @property
    def position(self) -> int:
        return self._at

    def read(self, *, until: str = "") -> tuple[Token, ...]:
        """The tokens up to the end, or up to the bracket *until* that was opened before."""
        found: list[Token] = []
        open_brackets: list[str] = []
        self._deeper()
        while self._at < len(self._source):
            token = self._next()
            if token is None:
                continue
            if until and token.text == until and not open_brackets:
                self._depth -= 1
                return tuple(found)
            self._balance(token, open_brackets)
            found.append(token)
        if until:
            raise ExpressionFailed(f"syntax error: expected '{until}' before the end")
        if open_brackets:
            raise ExpressionFailed(f"syntax error: expected '{open_brackets[-1]}' before the end")
        self._depth -= 1
        return tuple(found)

    def _next(self) -> Token | None:
        if self._source[self._at] == '"':
            return self._counted(self._string())
        match = _PLAIN.match(self._source, self._at)
        if match is None or match.lastgroup is None:
            raise ExpressionFailed(
                f"syntax error: unexpected character {self._source[self._at]!r}"
                f" at offset {self._at}"
            )
        self._at = match.end()
        if match.lastgroup == "comment":
            self.kept.append("\n" * match.group().count("\n"))
            return None
        self.kept.append(match.group())
        if match.lastgroup == "space":
            return None
        return self._counted(Token(Kind[match.lastgroup], match.group()))

    def _string(self) -> Token:
        start = self._at
        self._at += 1
        self.kept.append('"')
        pieces: list[str | tuple[Token, ...]] = []
        piece = self._at
        while self._at < len(self._source):
            char = self._source[self._at]
            if char == '"':
                pieces.append(self._source[piece : self._at])
                self._at += 1
                self.kept.append(self._source[piece : self._at])
                return Token(Kind.STRING, self._source[start : self._at], tuple(pieces))
            if self._source.startswith("\\(", self._at):
                pieces.append(self._source[piece : self._at])
                self._at += 2
                self.kept.append(self._source[piece : self._at])
                pieces.append(self.read(until=")"))
                piece = self._at
                continue
            self._at += 2 if char == "\\" else 1
        raise ExpressionFailed("syntax error: unterminated string")

    def _balance(self, token: Token, open_brackets: list[str]) -> None:
        if token.kind is not Kind.SYMBOL:
            return
        if token.text in _CLOSING:
            open_brackets.append(_CLOSING[token.text])
            self._deeper()
        elif token.text in ")]}":
            if not open_brackets or open_brackets.pop() != token.text:
                raise ExpressionFailed(f"syntax error: unexpected '{token.text}'")
            self._depth -= 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise ExpressionFailed(f"the expression is nested deeper than {MAX_NESTING} levels")

    def _counted(self, token: Token) -> Token:
        self._count += 1
        if self._count > MAX_TOKENS:
            raise ExpressionFailed(f"the expression is longer than {MAX_TOKENS} tokens")
        return token


def tokenize(source: str) -> tuple[tuple[Token, ...], str]:
    """Read *source*; return its tokens and its text without comments.

    Brackets are balanced in what is returned, so the text may be put between parentheses and
    stays there.

    Raises:
        ExpressionFailed: too long, too deep, not balanced, or not made of jq tokens.
    """
    if len(source) > MAX_SOURCE:
        raise ExpressionFailed(f"the expression is longer than {MAX_SOURCE} characters")
    if "\0" in source:
        raise ExpressionFailed("syntax error: unexpected character '\\x00'")
    reader = _Reader(source)
    tokens = reader.read()
    return tokens, "".join(reader.kept)


def closing_brace(text: str, start: int) -> int | None:
    """Where the `}` is that ends the expression beginning at *start*; None when there is none."""
    reader = _Reader(text, start)
    try:
        reader.read(until="}")
    except ExpressionFailed:
        return None
    return reader.position - 1


def every_token(tokens: tuple[Token, ...]) -> Iterator[tuple[Token, bool]]:
    """Each token, also those inside strings, with whether it stands as a key of an object."""
    brackets: list[str] = []
    before = ""
    for token in tokens:
        is_symbol = token.kind is Kind.SYMBOL
        yield token, bool(brackets) and brackets[-1] == "{" and before in ("{", ",")
        for piece in token.pieces:
            if not isinstance(piece, str):
                yield from every_token(piece)
        if is_symbol and token.text in _CLOSING:
            brackets.append(token.text)
        elif is_symbol and token.text in (")", "]", "}"):
            brackets.pop()
        before = token.text if is_symbol else ""
