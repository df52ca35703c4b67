"""The parser of the part of jq that we understand ourselves.

What parses here means exactly what jq makes of it (properties in the tests hold that), so its cost
can be reasoned about (cost.py) and most of it evaluated without libjq (direct.py). Everything
else is `None` here: not wrong, only for libjq to judge.
"""

from workflow_service.domain.expressions.cursor import Cursor, NotUnderstood, number, plain_text
from workflow_service.domain.expressions.tokens import Kind, Token
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
    Step,
    Text,
    stepped,
)
from workflow_service.domain.expressions.values import JsonValue

_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_CONSTANTS: dict[str, JsonValue] = {"null": None, "true": True, "false": False}
_KEYWORDS = frozenset(
    """
    if then elif else end and or as def reduce foreach try catch label import include module
    break __loc__
    """.split()  # noqa: SIM905 - words read better as words
)


def parse(tokens: tuple[Token, ...], variables: frozenset[str]) -> Node | None:
    """The tree of *tokens*, or None when they are not in the part of jq we understand.

    A variable that is none of *variables* is not understood either: libjq words the complaint.
    """
    try:
        parser = _Parser(tokens, variables)
        node = parser.pipe()
        parser.finish()
    except NotUnderstood:
        return None
    return node


class _Parser(Cursor):
    """Recursive descent, one method per level of jq's precedence, loosest first."""

    # ------------------------------------------------------------ operators
    def pipe(self) -> Node:
        stages = [self._several()]
        while self.accept("|"):
            stages.append(self._several())
        node = stages.pop()
        while stages:
            node = Pipe(stages.pop(), node)
        return node

    def _several(self) -> Node:
        node = self._alternative()
        while self.accept(","):
            node = Several(node, self._alternative())
        return node

    def _alternative(self) -> Node:
        choices = [self._either()]
        while self.accept("//"):
            choices.append(self._either())
        node = choices.pop()
        while choices:
            node = Binary("//", choices.pop(), node)
        return node

    def _either(self) -> Node:
        node = self._both()
        while self.accept("or"):
            node = Binary("or", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._comparison()
        while self.accept("and"):
            node = Binary("and", node, self._comparison())
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        operator = self.peek()
        if operator in _COMPARISONS:
            self.at += 1
            return Binary(operator, node, self._sum())
        return node

    def _sum(self) -> Node:
        node = self._product()
        while (operator := self.peek()) in ("+", "-"):
            self.at += 1
            node = Binary(operator, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._postfix()
        while (operator := self.peek()) in ("*", "/", "%"):
            self.at += 1
            node = Binary(operator, node, self._postfix())
        return node

    # ------------------------------------------------------------ terms
    def _postfix(self) -> Node:
        if self.accept("-"):
            token = self.take()
            if token.kind is not Kind.NUMBER or self.peek() in (".", "[", "?"):
                raise NotUnderstood
            return Literal(-number(token.text))
        node = self._term()
        while True:
            if self.accept("?"):
                node = Attempt(node)
            elif self.accept("["):
                node = self._bracket(node)
            elif (step := self._field()) is not None:
                node = stepped(node, step)
            else:
                return node

    def _field(self) -> str | None:
        """A `.name` or `."text"` that follows a term."""
        if self.at >= len(self.tokens):
            return None
        token = self.tokens[self.at]
        if token.kind is Kind.FIELD:
            self.at += 1
            return token.text[1:]
        if token.text != ".":
            return None
        self.at += 1
        if self.peek() == "[":
            return None
        return self._plain(self.take())

    def _bracket(self, node: Node) -> Node:
        if self.accept("]"):
            return Iterate(node)
        negative = self.accept("-")
        token = self.take()
        step: Step
        if token.kind is Kind.STRING and not negative:
            step = self._plain(token)
        elif token.kind is Kind.NUMBER and token.text.isdigit() and len(token.text) <= 9:
            step = -int(token.text) if negative else int(token.text)
        else:
            raise NotUnderstood
        self.expect("]")
        return stepped(node, step)

    def _plain(self, token: Token) -> str:
        if token.kind is not Kind.STRING or len(token.pieces) != 1:
            raise NotUnderstood
        piece = token.pieces[0]
        assert isinstance(piece, str)  # noqa: S101 - the first piece always is
        return plain_text(piece)

    def _term(self) -> Node:
        token = self.take()
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
                if self.at < len(self.tokens) and self.tokens[self.at].kind is Kind.STRING:
                    raise NotUnderstood
                return Apply(token.text, ())
            case Kind.NAME:
                return self._named(token.text)
            case Kind.SYMBOL:
                return self._symbol(token.text)

    def _variable(self, token: Token) -> Node:
        if token.text[1:] not in self.variables:
            raise NotUnderstood
        return Path(token.text[1:], ())

    def _symbol(self, text: str) -> Node:
        if text == ".":
            return self._dot()
        if text == "(":
            node = self.pipe()
            self.expect(")")
            return node
        if text == "[":
            if self.accept("]"):
                return Array(None)
            content = self.pipe()
            self.expect("]")
            return Array(content)
        if text == "{":
            return self._object()
        raise NotUnderstood

    def _dot(self) -> Node:
        if self.at < len(self.tokens) and self.tokens[self.at].kind is Kind.STRING:
            return Path(None, (self._plain(self.take()),))
        return Path(None, ())

    def _text(self, token: Token) -> Node:
        parts: list[str | Node] = []
        for piece in token.pieces:
            if isinstance(piece, str):
                parts.append(plain_text(piece))
                continue
            inner = _Parser(piece, self.variables)
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
            raise NotUnderstood
        arguments: list[Node] = []
        if self.accept("("):
            arguments.append(self.pipe())
            while self.accept(";"):
                arguments.append(self.pipe())
            self.expect(")")
        return Apply(name, tuple(arguments))

    def _condition(self) -> Node:
        test = self.pipe()
        self.expect("then")
        then = self.pipe()
        if self.accept("elif"):
            return Condition(test, then, self._condition())
        otherwise: Node = Path(None, ())
        if self.accept("else"):
            otherwise = self.pipe()
        self.expect("end")
        return Condition(test, then, otherwise)

    def _object(self) -> Node:
        entries: list[tuple[str, Node]] = []
        if self.accept("}"):
            return Object(())
        while True:
            entries.append(self._entry())
            if self.accept("}"):
                return Object(tuple(entries))
            self.expect(",")

    def _entry(self) -> tuple[str, Node]:
        token = self.take()
        if token.kind is Kind.BINDING:
            return token.text[1:], self._variable(token)
        key = token.text if token.kind is Kind.NAME else self._plain(token)
        if "::" in key and token.kind is Kind.NAME:
            raise NotUnderstood
        if not self.accept(":"):
            return key, Path(None, (key,))
        value = self._postfix()
        while self.accept("|"):
            value = Pipe(value, self._postfix())
        return key, value
