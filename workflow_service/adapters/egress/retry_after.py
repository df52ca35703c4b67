"""What `Retry-After` says (RFC 9110, 10.2.3)."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST: Final = 24 * 3600.0
_MEANT: Final = (429, 503)


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait; a date counts from the answer's own `Date`."""
    if status not in _MEANT:
        return None
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            until = parsedate_to_datetime(text)
            seconds = (until - parsedate_to_datetime(headers["Date"])).total_seconds()
        except (ValueError, KeyError, TypeError):
            return None
    return min(seconds, _LONGEST) if math.isfinite(seconds) and seconds >= 0 else None
