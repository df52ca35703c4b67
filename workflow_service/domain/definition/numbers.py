"""Which whole numbers a document may have: those that every store and every language keeps as they are."""

_LOWEST = -(2**63)
_HIGHEST = 2**64 - 1
_LONGEST = 24


class NumberOutOfRange(ValueError):
    """A whole number does not fit into 64 bits."""


def whole_number(digits: str, base: int = 10) -> int:
    """Read a whole number.

    Raises:
        NumberOutOfRange: it does not fit into 64 bits.
    """
    # The length is looked at first: turning many digits into a number takes quadratic time.
    significant = digits.lstrip("+-").lstrip("0")
    if len(significant) <= _LONGEST:
        value = int(digits, base)
        if _LOWEST <= value <= _HIGHEST:
            return value
    raise NumberOutOfRange(
        f"the number {digits[:_LONGEST]}{'…' * (len(digits) > _LONGEST)} is too large"
    )
