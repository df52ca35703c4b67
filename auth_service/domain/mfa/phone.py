"""Telephone numbers (ITU-T E.164)."""

import re

from chassis.errors import FieldProblem

_E164 = re.compile(r"\+[1-9][0-9]{7,14}", re.ASCII)
_PADDING = re.compile(r"[ ().\-/]")


def tidy_phone(written: str) -> str:
    """The number without what people put between its digits."""
    return _PADDING.sub("", written[:64])


def phone_problems(tidy: str) -> tuple[FieldProblem, ...]:
    """Why *tidy* is no telephone number; nothing when it is one."""
    if _E164.fullmatch(tidy):
        return ()
    message = "Must be a number in international form, such as +41441234567 (E.164)"
    return (FieldProblem("phone", message),)
