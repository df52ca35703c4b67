"""Performs ``call: a2a`` and ``call: mcp``: JSON-RPC 2.0, over HTTP or the pipes of a command."""
