"""The environment, read once, checked as a whole, reported together.

A service's `config.py` asks an `Environment` for each of its settings and calls `check()` at the
end. A wrong value costs the operator one start, not one start per mistake.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chassis.errors import CannotStart

ORIGIN: Final = re.compile(r"https?://[^/?#@\s]+")
"""Scheme, host and port of an address (RFC 6454)."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class SettingsInvalid(CannotStart):
    """Some settings cannot be used; *problems* has one sentence each, naming the variable."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("invalid settings: " + "; ".join(problems))
        self.problems = tuple(problems)


class Environment:
    """Typed access to environment variables that collects problems instead of raising.

    A variable that is unset or empty has its default. A wrong value also yields the default, so
    that reading goes on and every problem is found; `check()` then refuses them together.

    Args:
        values: the variables; None takes those of the process.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(os.environ if values is None else values)
        self._problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        """The value as it stands."""
        return self.optional(name) or default

    def optional(self, name: str) -> str | None:
        """The value, or None when it is unset or empty."""
        value = self._values.get(name, "").strip()
        return value or None

    def secret(self, name: str) -> str | None:
        """The value, or the content of the file that `NAME_FILE` points to; never reported."""
        value, file = self.optional(name), self.optional(f"{name}_FILE")
        if value is not None and file is not None:
            self.problem(f"{name}_FILE", f"set it or {name}, not both")
        if file is None:
            return value
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as exc:
            self.problem(f"{name}_FILE", f"cannot read {file}: {_reason(exc)}")
            return None

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number within limits (both included)."""
        value = self.optional(name)
        if value is None:
            return default
        try:
            number = int(value)
        except ValueError:
            self.problem(name, f"{value!r} is not a whole number")
            return default
        return number if self._within(name, number, minimum, maximum) else default

    def port(self, name: str, default: int) -> int:
        """A TCP port; 0 takes a free one."""
        return self.integer(name, default, minimum=0, maximum=65_535)

    def number(self, name: str, default: float, *, minimum: float, maximum: float) -> float:
        """A number within limits (both included)."""
        value = self.optional(name)
        if value is None:
            return default
        try:
            number = float(value)
        except ValueError:
            self.problem(name, f"{value!r} is not a number")
            return default
        return number if self._within(name, number, minimum, maximum) else default

    def flag(self, name: str, default: bool) -> bool:
        """Yes or no: 1/0, true/false, yes/no, on/off in any case."""
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() not in _TRUE | _FALSE:
            self.problem(name, f"{value!r} is neither true nor false")
            return default
        return value.lower() in _TRUE

    def path(self, name: str, default: Path) -> Path:
        """A path of the file system; `~` stands for the home directory."""
        value = self.optional(name)
        return default if value is None else Path(value).expanduser()

    def choice(self, name: str, default: str, options: Sequence[str]) -> str:
        """One of *options*, exactly."""
        value = self.text(name, default)
        if value not in options:
            self.problem(name, f"{value!r} is not one of {', '.join(options)}")
            return default
        return value

    def origin(self, name: str) -> str:
        """Such as `https://api.example.com`, without a slash at the end; "" when it is unset."""
        origin = self.text(name, "").rstrip("/")
        if origin and not ORIGIN.fullmatch(origin):
            self.problem(name, f"{origin!r} is not an address such as https://api.example.com")
        return origin

    def url(self, name: str, default: str, schemes: Sequence[str]) -> str:
        """A URL with one of *schemes*, or the content of the file that `NAME_FILE` points to.

        Its text is not reported, since it may hold a password.
        """
        value = self.secret(name) or default
        try:
            scheme = urlsplit(value).scheme
        except ValueError:
            scheme = ""
        if scheme not in schemes or "://" not in value:
            self.problem(name, f"is not a URL that starts with {_either(schemes)}")
            return default
        return value

    def items(self, name: str) -> tuple[str, ...]:
        """A list separated by commas, without its blanks and empty items."""
        value = self.optional(name) or ""
        return tuple(item.strip() for item in value.split(",") if item.strip())

    def problem(self, name: str, message: str) -> None:
        """Add a finding of one's own about the variable *name*; the same one counts once."""
        if (found := f"{name}: {message}") not in self._problems:
            self._problems.append(found)

    def check(self) -> None:
        """Refuse what was found so far.

        Raises:
            SettingsInvalid: with every problem, in the order of reading.
        """
        if self._problems:
            raise SettingsInvalid(self._problems)

    def _within(self, name: str, number: float, minimum: float, maximum: float) -> bool:
        # Written so that "nan", which compares with nothing, is outside.
        if minimum <= number <= maximum:
            return True
        self.problem(name, f"{number} is not between {minimum} and {maximum}")
        return False


def _either(schemes: Sequence[str]) -> str:
    return " or ".join(f"{scheme}://" for scheme in schemes)


def _reason(exc: OSError | UnicodeDecodeError) -> str:
    return exc.strerror or "unreadable" if isinstance(exc, OSError) else "not UTF-8 text"
