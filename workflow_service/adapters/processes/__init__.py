"""Performs `run` of shell commands, scripts and containers."""
