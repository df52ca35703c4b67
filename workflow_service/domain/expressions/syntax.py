"""The parser of the part of jq that we understand ourselves.

What parses here means exactly what jq makes of it (properties in the tests hold that), so its cost
can be reasoned about (cost.py) and most of it evaluated without libjq (direct.py). Everything
else is `None` here: not wrong, only for libjq to judge.
"""

import json

from workflow_service.domain.expressions.tokens import Kind, Token
from workflow_service.domain.expressions.tree import (
    EXACT_INTEGER,
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
    Step,
    Text,
    Walk,
)
from workflow_service.domain.expressions.values import JsonValue

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_CONSTANTS: dict[str, JsonValue] = {"null": None, "true": True, "false": False}
_KEYWORDS = frozenset(
    (
        "if",
        "then",
        "elif",
        "else",
        "end",
        "and",
        "or",
        "as",
        "def",
        "reduce",
        "foreach",
        "try",
        "catch",
        "label",
        "import",
        "include",
        "module",
        "break",
        "__loc__",
    )
)


class _NotUnderstood(Exception):
    """The text is not in our part of jq."""


def parse(tokens: tuple[Token, ...], variables: frozenset[str]) -> Node | None:
    """The tree of *tokens*, or None when they are not in the part of jq we understand.

    A variable that is none of *variables* is not understood either: libjq words the complaint.
    """
    try:
        parser = _Parser(tokens, variables)
        node = parser.pipe()
        parser.finish()
    except _NotUnderstood:
        return None
    return node


def number(text: str) -> int | float:
    """The value of a number literal, an int whenever it is integral, as libjq prints it."""
    value = float(text)
    if not abs(value) <= EXACT_INTEGER:
        raise _NotUnderstood
    return int(value) if value.is_integer() else value


def _plain_text(piece: str) -> str:
    try:
        text = json.loads(f'"{piece}"', strict=False)
    except ValueError:
        raise _NotUnderstood from None
    if not isinstance(text, str) or any("\ud800" <= char <= "\udfff" for char in text):
        raise _NotUnderstood
    return text


class _Parser:
    """Recursive descent, one method per level of jq's precedence, loosest first."""

    def __init__(self, tokens: tuple[Token, ...], variables: frozenset[str]) -> None:
        self._tokens = tokens
        self._variables = variables
        self._at = 0

    # ------------------------------------------------------------ cursor
    def finish(self) -> None:
        if self._at != len(self._tokens):
            raise _NotUnderstood

    def _peek(self) -> str:
        """The text of the next symbol or name; empty for everything else."""
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind in (Kind.SYMBOL, Kind.NAME):
                return token.text
        return ""

    def _take(self) -> Token:
        if self._at >= len(self._tokens):
            raise _NotUnderstood
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, text: str) -> bool:
        if self._peek() == text:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise _NotUnderstood

    # ------------------------------------------------------------ operators
    def pipe(self) -> Node:
        stages = [self._several()]
        while self._accept("|"):
            stages.append(self._several())
        node = stages.pop()
        while stages:
            node = Pipe(stages.pop(), node)
        return node

    def _several(self) -> Node:
        node = self._alternative()
        while self._accept(","):
            node = Several(node, self._alternative())
        return node

    def _alternative(self) -> Node:
        choices = [self._either()]
        while self._accept("//"):
            choices.append(self._either())
        node = choices.pop()
        while choices:
            node = Binary("//", choices.pop(), node)
        return node

    def _either(self) -> Node:
        node = self._both()
        while self._accept("or"):
            node = Binary("or", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._comparison()
        while self._accept("and"):
            node = Binary("and", node, self._comparison())
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        operator = self._peek()
        if operator in _COMPARISONS:
            self._at += 1
            return Binary(operator, node, self._sum())
        return node

    def _sum(self) -> Node:
        node = self._product()
        while (operator := self._peek()) in ("+", "-"):
            self._at += 1
            node = Binary(operator, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._postfix()
        while (operator := self._peek()) in ("*", "/", "%"):
            self._at += 1
            node = Binary(operator, node, self._postfix())
        return node

    # ------------------------------------------------------------ terms
    def _postfix(self) -> Node:
        if self._accept("-"):
            token = self._take()
            if token.kind is not Kind.NUMBER or self._peek() in (".", "[", "?"):
                raise _NotUnderstood
            return Literal(-number(token.text))
        node = self._term()
        while True:
            if self._accept("?"):
                node = Attempt(node)
            elif self._accept("["):
                node = self._bracket(node)
            elif (step := self._field()) is not None:
                node = _stepped(node, step)
            else:
                return node

    def _field(self) -> str | None:
        """A `.name` or `."text"` that follows a term."""
        if self._at >= len(self._tokens):
            return None
        token = self._tokens[self._at]
        if token.kind is Kind.FIELD:
            self._at += 1
            return token.text[1:]
        if token.text != ".":
            return None
        self._at += 1
        if self._peek() == "[":
            return None
        return self._plain(self._take())

    def _bracket(self, node: Node) -> Node:
        if self._accept("]"):
            return Iterate(node)
        negative = self._accept("-")
        token = self._take()
        step: Step
        if token.kind is Kind.STRING and not negative:
            step = self._plain(token)
        elif token.kind is Kind.NUMBER and token.text.isdigit() and len(token.text) <= 9:
            step = -int(token.text) if negative else int(token.text)
        else:
            raise _NotUnderstood
        self._expect("]")
        return _stepped(node, step)

    def _plain(self, token: Token) -> str:
        if token.kind is not Kind.STRING or len(token.pieces) != 1:
            raise _NotUnderstood
        piece = token.pieces[0]
        assert isinstance(piece, str)  # noqa: S101 - the first piece always is
        return _plain_text(piece)

    def _term(self) -> Node:
        token = self._take()
        match token.kind:
            case Kind.FIELD:
                return Path(None, (token.text[1:],))
            case Kind.BINDING:
                return self._variable(token)
            case Kind.NUMBER:
                return Literal(number(token.text))
            case Kind.STRING:
                return self._text(token)
            case Kind.FORMAT:
                if self._at < len(self._tokens) and self._tokens[self._at].kind is Kind.STRING:
                    raise _NotUnderstood
                return Apply(token.text, ())
            case Kind.NAME:
                return self._named(token.text)
            case Kind.SYMBOL:
                return self._symbol(token.text)

    def _variable(self, token: Token) -> Node:
        if token.text[1:] not in self._variables:
            raise _NotUnderstood
        return Path(token.text[1:], ())

    def _symbol(self, text: str) -> Node:
        if text == ".":
            return self._dot()
        if text == "(":
            node = self.pipe()
            self._expect(")")
            return node
        if text == "[":
            if self._accept("]"):
                return Array(None)
            content = self.pipe()
            self._expect("]")
            return Array(content)
        if text == "{":
            return self._object()
        raise _NotUnderstood

    def _dot(self) -> Node:
        if self._at < len(self._tokens) and self._tokens[self._at].kind is Kind.STRING:
            return Path(None, (self._plain(self._take()),))
        return Path(None, ())

    def _text(self, token: Token) -> Node:
        parts: list[str | Node] = []
        for piece in token.pieces:
            if isinstance(piece, str):
                parts.append(_plain_text(piece))
                continue
            inner = _Parser(piece, self._variables)
            parts.append(inner.pipe())
            inner.finish()
        if len(parts) == 1 and isinstance(parts[0], str):
            return Literal(parts[0])
        return Text(tuple(parts))

    def _named(self, name: str) -> Node:
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        if name == "if":
            return self._condition()
        if name in _KEYWORDS:
            raise _NotUnderstood
        arguments: list[Node] = []
        if self._accept("("):
            arguments.append(self.pipe())
            while self._accept(";"):
                arguments.append(self.pipe())
            self._expect(")")
        return Apply(name, tuple(arguments))

    def _condition(self) -> Node:
        test = self.pipe()
        self._expect("then")
        then = self.pipe()
        if self._accept("elif"):
            return Condition(test, then, self._condition())
        otherwise: Node = Path(None, ())
        if self._accept("else"):
            otherwise = self.pipe()
        self._expect("end")
        return Condition(test, then, otherwise)

    def _object(self) -> Node:
        entries: list[tuple[str, Node]] = []
        if self._accept("}"):
            return Object(())
        while True:
            entries.append(self._entry())
            if self._accept("}"):
                return Object(tuple(entries))
            self._expect(",")

    def _entry(self) -> tuple[str, Node]:
        token = self._take()
        if token.kind is Kind.BINDING:
            return token.text[1:], self._variable(token)
        key = token.text if token.kind is Kind.NAME else self._plain(token)
        if "::" in key and token.kind is Kind.NAME:
            raise _NotUnderstood
        if not self._accept(":"):
            return key, Path(None, (key,))
        value = self._postfix()
        while self._accept("|"):
            value = Pipe(value, self._postfix())
        return key, value


def _stepped(node: Node, step: Step) -> Node:
    match node:
        case Path(variable, steps):
            return Path(variable, (*steps, step))
        case Walk(source, steps):
            return Walk(source, (*steps, step))
        case _:
            return Walk(node, (step,))
