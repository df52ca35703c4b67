"""The factory of expressions and templates, and what it keeps."""

from collections.abc import Iterable

from workflow_service.domain.expressions.cost import cost_of
from workflow_service.domain.expressions.direct import direct
from workflow_service.domain.expressions.expression import (
    CostlyEvaluator,
    Expression,
    ExpressionLimits,
    Shelf,
    Workshop,
)
from workflow_service.domain.expressions.policy import used_variables
from workflow_service.domain.expressions.program import compile_program, foldable
from workflow_service.domain.expressions.secrecy import SECRETS, lending_of
from workflow_service.domain.expressions.syntax import parse
from workflow_service.domain.expressions.template import Mode, Template, compile_template
from workflow_service.domain.expressions.tokens import tokenize
from workflow_service.domain.expressions.values import JsonValue


class Expressions:
    """Compiles expressions and keeps them; bounded and thread-safe.

    Without an *evaluator* costly expressions run in this process, unbounded: for tests and for
    checking definitions only.
    """

    def __init__(
        self,
        evaluator: CostlyEvaluator | None = None,
        *,
        limits: ExpressionLimits | None = None,
    ) -> None:
        self._workshop = Workshop(evaluator, limits or ExpressionLimits())
        self._kept: Shelf[tuple[str, frozenset[str]], Expression] = Shelf(
            self._workshop.limits.kept_expressions
        )

    def compile(self, source: str, variables: Iterable[str]) -> Expression:
        """The compiled form of *source* (without `${ }`), which may read *variables* (no `$`).

        Takes about a millisecond when libjq has to look at it, microseconds when it is kept.

        Raises:
            ExpressionFailed: it does not compile (jq's own message) or uses what is forbidden.
        """
        allowed = frozenset(variables)
        return self._kept.get((source, allowed), lambda: self._compiled(source, allowed))

    def _compiled(self, source: str, allowed: frozenset[str]) -> Expression:
        tokens, text = tokenize(source)
        used = used_variables(tokens, allowed)
        node = parse(tokens, used)
        cost = None if node is None else cost_of(node)
        directly = None if node is None or cost is None else direct(node)
        if directly is None and cost is not None:
            self._workshop.program(text, used)
        elif directly is None:
            compile_program(foldable(tokens, text), used)
        lending = lending_of(node) if SECRETS in used else None
        return Expression(source.strip(), text, used, cost, directly, self._workshop, lending)

    def template(
        self, value: JsonValue, variables: Iterable[str], *, mode: Mode = "strict"
    ) -> Template:
        """The compiled form of *value*, whose strings may be or hold `${ … }`; see template.py.

        Raises:
            ExpressionFailed: an expression in it does not compile.
        """
        return compile_template(self.compile, value, variables, mode)
