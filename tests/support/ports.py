"""Ports that stay free between a test's choosing one and its using it."""

import os
import random
import socket
from typing import Final

_FIRST: Final = 15_000
_EACH: Final = 2_000
_SHARES: Final = 8
_given: set[int] = set()


def free_port() -> int:
    """A port that nobody listens on, that the system gives nobody by itself, and that no other test has.

    It lies below the range that outgoing connections and port 0 are served from, so that no other
    process comes to have it while whoever is to listen there starts, or starts again. Each worker of
    the test runner chooses from a share of its own, and never the same one twice.
    """
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    first = _FIRST + share * _EACH
    while True:
        port = random.randrange(first, first + _EACH)
        if port in _given:
            continue
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
