"""Protobuf's timestamps and Python's, without a rounding float between them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(stamp: Timestamp) -> datetime | None:
    """The moment in *stamp*; None when it was never set."""
    if not stamp.seconds and not stamp.nanos:
        return None
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def known_moment(stamp: Timestamp) -> datetime:
    """The moment in *stamp*, which whoever sends it always sets."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def stamp(moment: datetime | None) -> Timestamp | None:
    """*moment* for the wire; None leaves a field unset."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86400 + since.seconds, nanos=since.microseconds * 1000)
