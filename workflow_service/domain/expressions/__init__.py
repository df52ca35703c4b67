"""Runtime expressions: jq, compiled once, bounded, and blind to everything but its input.

What came from input is data: only text from definitions is ever compiled.
"""

from workflow_service.domain.expressions.expression import (
    CostlyEvaluator,
    Expression,
    ExpressionLimits,
)
from workflow_service.domain.expressions.factory import Expressions
from workflow_service.domain.expressions.secrecy import Lending
from workflow_service.domain.expressions.template import (
    Template,
    expression_source,
    is_expression,
)
from workflow_service.domain.expressions.uri_template import expand_uri
from workflow_service.domain.expressions.values import (
    ExpressionFailed,
    ExpressionsUnavailable,
    JsonValue,
    NeedsWorker,
)

__all__ = [
    "CostlyEvaluator",
    "Expression",
    "ExpressionFailed",
    "ExpressionLimits",
    "Expressions",
    "ExpressionsUnavailable",
    "JsonValue",
    "Lending",
    "NeedsWorker",
    "Template",
    "expand_uri",
    "expression_source",
    "is_expression",
]
