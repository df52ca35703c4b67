"""Performs ``call: grpc``; see runner.py."""
