"""Where a request came from, as the auth service is told."""

from typing import Final

from gateway.ports import Origin
from gateway.routes.route import Incoming

MAX_USER_AGENT: Final = 256


def origin_of(request: Incoming) -> Origin:
    """The client's address, and what it says of itself, in printable ASCII."""
    agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return Origin(request.address, agent.encode("ascii", "replace").decode())
