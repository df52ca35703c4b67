"""The ground a parser stands on: tokens, a place among them, and literals."""

import json

from workflow_service.domain.expressions.tokens import Kind, Token
from workflow_service.domain.expressions.tree import EXACT_INTEGER


class NotUnderstood(Exception):
    """The text is not in our part of jq."""


def number(text: str) -> int:
    """The value of a literal of digits alone.

    libjq keeps how other literals were written (`"\\(1e2)"` is `1E+2`, `"\\(1.50)"` is `1.50`), so they are
    left to it.

    Raises:
        NotUnderstood: it is another one, or too large to be exact.
    """
    if not text.isdecimal() or int(text) > EXACT_INTEGER:
        raise NotUnderstood
    return int(text)


def plain_text(piece: str) -> str:
    try:
        text = json.loads(f'"{piece}"', strict=False)
    except ValueError:
        raise NotUnderstood from None
    if not isinstance(text, str) or any("\ud800" <= char <= "\udfff" for char in text):
        raise NotUnderstood
    return text


class Cursor:
    """A place among tokens."""

    def __init__(self, tokens: tuple[Token, ...], variables: frozenset[str]) -> None:
        self.tokens = tokens
        self.variables = variables
        self.at = 0

    def finish(self) -> None:
        if self.at != len(self.tokens):
            raise NotUnderstood

    def peek(self) -> str:
        """The text of the next symbol or name; empty for everything else."""
        if self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind in (Kind.SYMBOL, Kind.NAME):
                return token.text
        return ""

    def take(self) -> Token:
        if self.at >= len(self.tokens):
            raise NotUnderstood
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, text: str) -> bool:
        if self.peek() == text:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise NotUnderstood
