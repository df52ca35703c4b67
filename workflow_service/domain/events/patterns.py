"""Regular expressions that take time in proportion to the text, whatever they are.

They come from authors and meet texts of strangers: an engine that backtracks could be kept busy for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import jsonschema_rs

_SPECIAL: Final = frozenset("^$*+?()[]{}|\\")
_LINEAR: Final = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)
LONGEST: Final = 1_000
"""Characters of a pattern."""


class PatternUnusable(ValueError):
    """A text looks like a regular expression and is none that can be used."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression, in the syntax of Rust's ``regex``; the whole text must fit."""

    validator: jsonschema_rs.Validator

    def fits(self, text: str) -> bool:
        """Whether *text* fits."""
        return self.validator.is_valid(text)


def is_pattern(text: str) -> bool:
    """Whether *text* has characters that mean something in a regular expression.

    A dot alone does not count: it is in every type and host there is.
    """
    return not _SPECIAL.isdisjoint(text)


def compile_pattern(text: str) -> Pattern:
    """Compile *text*.

    Raises:
        PatternUnusable: it is no regular expression, too large, or one that could take for ever.
    """
    if len(text) > LONGEST:
        raise PatternUnusable(f"a regular expression may have at most {LONGEST} characters")
    try:
        # By itself first: what is put around it must not make it whole.
        _ = _compiled(text)
        return Pattern(_compiled(f"^(?:{text})$"))
    except ValueError as exc:
        raise PatternUnusable(
            "is no regular expression that can be used: it must be well-formed, without look-around and"
            " back-references; write a backslash before characters that stand for themselves"
        ) from exc


def _compiled(text: str) -> jsonschema_rs.Validator:
    schema = {"type": "string", "pattern": text}
    try:
        return jsonschema_rs.validator_for(schema, pattern_options=_LINEAR)
    except jsonschema_rs.ValidationError as exc:
        raise ValueError("not a regular expression") from exc
