"""Times as stores keep them: whole microseconds since 1970, UTC, without rounding."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """A time as stores have it."""
    return (moment - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The time that *value* stands for."""
    return _EPOCH + timedelta(microseconds=value)


def maybe_micros(at: datetime | None) -> int | None:
    """As `micros`; what never happened is None."""
    return None if at is None else micros(at)


def maybe_moment(value: int | None) -> datetime | None:
    """As `moment`; None never happened."""
    return None if value is None else moment(value)
