"""Calls of described services, against real ones."""
