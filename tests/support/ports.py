"""Ports that stay free between a test's choosing one and its using it."""

import random
import socket


def free_port() -> int:
    """A port that nobody listens on, and that the system gives nobody by itself.

    It lies below the range that outgoing connections and port 0 are served from, so that no other
    process comes to have it while whoever is to listen there starts, or starts again.
    """
    while True:
        port = random.randrange(15_000, 30_000)
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
