"""What stands behind the question mark: parameters, paging, times."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import parse_qsl

import msgspec

from chassis.errors import FieldProblem, Invalid, Malformed
from gateway.ports import PageRequest

MAX_PARAMETERS: Final = 64
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
MAX_TEXT: Final = 512
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
# Somebody forgot to write the "+" of a time zone as %2B: what arrives is a blank.
_LOST_PLUS: Final = re.compile(r" (?=\d\d:\d\d$)")
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Query:
    """The parameters of a request; problems gather until `check()` tells all of them.

    Args:
        text: the query string, still percent-encoded.

    Raises:
        Malformed: it cannot be decoded.
    """

    def __init__(self, text: str) -> None:
        self._problems: list[FieldProblem] = []
        self._values: dict[str, list[str]] = {}
        if not text:
            return
        try:
            pairs = parse_qsl(
                text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
            )
        except ValueError:
            raise Malformed("The query string cannot be decoded") from None
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str, *, maximum: int = MAX_TEXT) -> str:
        """One text, empty when it is not there."""
        values = self._values.get(name)
        if values is None:
            return ""
        if len(values) > 1:
            self._refuse(name, "must be given once")
        elif len(values[0]) > maximum:
            self._refuse(name, f"must be at most {maximum} characters long")
        elif "\x00" in values[0]:
            self._refuse(name, "must not have a NUL character")
        return values[0]

    def choices(self, name: str, options: Sequence[str]) -> tuple[str, ...]:
        """Any of *options*, repeated or separated by commas."""
        chosen = tuple(
            item for value in self._values.get(name, ()) for item in value.split(",") if item
        )
        if any(item not in options for item in chosen):
            self._refuse(name, f"must be one of {', '.join(options)}")
        return chosen

    def time(self, name: str) -> datetime | None:
        """A moment with its time zone, RFC 3339."""
        text = self.text(name)
        if not text:
            return None
        try:
            return msgspec.convert(_LOST_PLUS.sub("+", text), _Time)
        except msgspec.ValidationError:
            self._refuse(name, "must be a time with its zone, such as 2026-01-15T10:30:00Z")
            return None

    def flag(self, name: str) -> bool:
        """True or false; a bare name is true."""
        if name not in self._values:
            return False
        text = self.text(name).lower()
        if text not in {"", "true", "false", "1", "0"}:
            self._refuse(name, "must be true or false")
        return text in {"", "true", "1"}

    def whole(self, name: str, default: int, minimum: int, maximum: int) -> int:
        """A whole number within limits (both included)."""
        text = self.text(name)
        if name not in self._values:
            return default
        if not _WHOLE.fullmatch(text) or not minimum <= int(text) <= maximum:
            self._refuse(name, f"must be a whole number from {minimum} to {maximum}")
            return default
        return int(text)

    def seconds(self, name: str, maximum: float) -> float:
        """A duration in seconds, 0 when it is not there."""
        text = self.text(name)
        if name not in self._values:
            return 0.0
        if not _DECIMAL.fullmatch(text) or float(text) > maximum:
            self._refuse(name, f"must be a number of seconds from 0 to {maximum:g}")
            return 0.0
        return float(text)

    def page(self) -> PageRequest:
        """``limit`` and ``cursor`` of a list."""
        limit = self.whole("limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
        return PageRequest(limit, self.text("cursor", maximum=2048))

    def check(self) -> None:
        """Refuse what was found so far.

        Raises:
            Invalid: with every problem.
        """
        if self._problems:
            raise Invalid("Invalid query parameters", details=self._problems)

    def _refuse(self, name: str, message: str) -> None:
        self._problems.append(FieldProblem(name, message))
