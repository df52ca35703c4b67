"""Text from outside, made safe to show in one line or in a few."""

import unicodedata

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories that end a line, control a terminal, or cannot be encoded."""


def one_line(text: str, longest: int) -> str:
    """*text* without line breaks or control characters, at most *longest* characters."""
    calm = text
    if not text.isprintable():  # what breaks a line is not; what is not need not break one
        calm = "".join(" " if unicodedata.category(mark) in _BREAKING else mark for mark in text)
    return clipped(" ".join(calm.split()), longest)


def some_lines(text: str, longest: int) -> str:
    """As `one_line`, but plain line feeds stay."""
    lines = text.replace("\r\n", "\n").split("\n")
    calm = "\n".join(one_line(line, longest) for line in lines)
    return clipped(calm, longest)


def clipped(text: str, longest: int) -> str:
    """*text*, its end replaced by an ellipsis if it is longer than *longest* characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"
