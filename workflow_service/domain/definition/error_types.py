"""The standard's error types and their several spellings (DSL reference, "Standard Error Types")."""

import re
from typing import Final

STANDARD_ERRORS: Final = frozenset(
    {
        "configuration",
        "validation",
        "expression",
        "authentication",
        "authorization",
        "timeout",
        "communication",
        "runtime",
    }
)
_ROOT: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/"
_SPELLINGS = re.compile(
    r"(?:https?://(?:www\.)?(?:serverlessworkflow\.io|open-workflow-specification\.org))?"
    r"(?:/spec/1\.0\.\d+/errors|/dsl/errors/types)/([a-z]+)",
    re.ASCII,
)


def normalise_error_type(text: str) -> str:
    """Return the one form in which a standard error type is compared and shown; others stay as they are.

    The specification was renamed, and its texts write the types as ``…/spec/1.0.0/errors/<name>`` of either host or
    as ``…/dsl/errors/types/<name>``, also without a host.
    """
    found = _SPELLINGS.fullmatch(text.strip())
    if found is None or found[1] not in STANDARD_ERRORS:
        return text
    return _ROOT + found[1]
