"""Limits and cached values. Import an adapter from its own module."""

from chassis.caching.port import Cache, LimitDecision, LimitPolicy, Limits

__all__ = ["Cache", "LimitDecision", "LimitPolicy", "Limits"]
