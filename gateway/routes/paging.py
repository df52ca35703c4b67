"""The parameters that every list takes."""

from typing import Final

from gateway.routes.queries import DEFAULT_LIMIT, MAX_LIMIT
from gateway.routes.route import Parameter

PAGING: Final = (
    Parameter(
        "limit",
        "How many items at most",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    Parameter("cursor", "`next_cursor` of the page before", {"type": "string"}),
)
