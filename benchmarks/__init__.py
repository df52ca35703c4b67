"""Measurements, always as a ratio to something measured in the same run. See docs/benchmarks.md."""
