"""Failures of functions as the DSL's errors: what strangers say, held to what an error may be."""

from __future__ import annotations

import re
from typing import Final

from workflow_service.domain.execution.problem import ERRORS, Problem

_WORD: Final = re.compile(r"[a-z][a-z-]{0,63}", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,500}", re.ASCII)
_TITLE, _DETAIL = 200, 2000


def problem_of(kind: str, status: int, title: str, detail: str) -> Problem:
    """Return the error that a function fails with.

    Args:
        kind: a URI, or the last part of one of the standard's types; anything else counts as "runtime".
        status: as in HTTP; anything that is none counts as 500.
        title: cut when it is long; empty: that of a failed function.
        detail: cut when it is long.
    """
    if _WORD.fullmatch(kind):
        type_ = ERRORS + kind
    else:
        type_ = kind if _URI.fullmatch(kind) else ERRORS + "runtime"
    return Problem(
        type_,
        status if 400 <= status <= 599 else 500,
        title[:_TITLE] or "Function Failed",
        detail[:_DETAIL] or None,
    )
