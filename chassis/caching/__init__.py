"""Limits, cached values, locks and channels that processes share. Import an adapter from its own module."""

from chassis.caching.port import (
    Cache,
    Channels,
    LimitDecision,
    LimitPolicy,
    Limits,
    Listener,
    Lock,
    LockLost,
    Locks,
    Moment,
)

__all__ = [
    "Cache",
    "Channels",
    "LimitDecision",
    "LimitPolicy",
    "Limits",
    "Listener",
    "Lock",
    "LockLost",
    "Locks",
    "Moment",
]
