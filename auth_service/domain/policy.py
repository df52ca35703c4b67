"""What a password must be like, and how it is compared."""

import unicodedata
from dataclasses import dataclass

from auth_service.domain.well_known_passwords import is_well_known
from chassis.errors import FieldProblem

MAX_GUESS = 1024
"""Characters of a password that is tried; what no policy allows need not be looked at."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The rules that new passwords must keep. Lengths are in characters after `tidy_password`.

    The defaults ask for composition; NIST SP 800-63B-4 is `min_length=15` and no composition rule.
    """

    min_length: int = 8
    max_length: int = 128
    upper: bool = True
    lower: bool = True
    digit: bool = True
    refuse_common: bool = True

    def problems(self, password: str, *, field: str = "password") -> tuple[FieldProblem, ...]:
        """Every rule that *password*, given as *field*, breaks, one detail each."""
        tidy = tidy_password(password[: MAX_GUESS + 1])
        rules = (
            (len(tidy) < self.min_length, f"Must be at least {self.min_length} characters long"),
            (len(tidy) > self.max_length, f"Must be at most {self.max_length} characters long"),
            (self.upper and not any(map(str.isupper, tidy)), "Must contain an upper-case letter"),
            (self.lower and not any(map(str.islower, tidy)), "Must contain a lower-case letter"),
            (self.digit and not any(map(str.isdecimal, tidy)), "Must contain a digit"),
            (self.refuse_common and is_well_known(tidy), "Must not be a commonly used password"),
        )
        return tuple(FieldProblem(field, message) for broken, message in rules if broken)


def tidy_password(password: str) -> str:
    """NFKC: the same keys pressed on another keyboard give the same password (SP 800-63B-4)."""
    return unicodedata.normalize("NFKC", password)
