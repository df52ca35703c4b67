"""How a call to the outside fails.

    EgressError
     |- RequestInvalid     the request itself cannot be sent (method, URL, header)
     |- EgressRefused      the target is not one that may be called
     |- EgressFailed       the target could not be reached, or spoke nonsense
     |- EgressTimedOut     not finished in time
     |- HostUnavailable    not sent, because of what is known about the host
     |   |- HostFailing    it failed too often: the circuit breaker is open
     |   |- HostResting    it asked for more time than one waits
     |   `- HostBusy       too many calls wait for it
     `- ResponseTooLarge   the response is larger than allowed

No text tells what stands at a refused address, or whether anything does.
"""

import math
from enum import Enum


class EgressError(Exception):
    """A call to the outside gave no response."""


class RequestInvalid(EgressError):
    """The request cannot be sent as it is; the message says why."""


class EgressRefused(EgressError):
    """The target is not one that may be called."""

    def __init__(self) -> None:
        super().__init__("the target address is not allowed")


class Failure(Enum):
    """Where communication broke."""

    DNS = "the host name could not be resolved"
    CONNECT = "no connection could be made"
    TLS = "no trusted TLS connection could be made"
    CERTIFICATE = "the service does not accept the client's certificate, or wants one"
    RESET = "the connection was closed before the response was complete"
    PROTOCOL = "the response is not valid HTTP"
    REDIRECTS = "there were too many redirects"


class EgressFailed(EgressError):
    """The target could not be reached, or spoke nonsense."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class EgressTimedOut(EgressError):
    """Not finished in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no complete response within {seconds:g} s")


class ResponseTooLarge(EgressError):
    """The response, unpacked, is larger than allowed."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the response is larger than {limit} bytes")


class HostUnavailable(EgressError):
    """Nothing was sent: the host is to be left alone."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which it is tried again, when that is known."""


class HostFailing(HostUnavailable):
    """The host failed too often lately; its circuit breaker is open."""

    def __init__(self, host: str, seconds: float) -> None:
        again = f"it will be tried again in {math.ceil(seconds)} s"
        super().__init__(f"the host {host} fails too often and is left alone: {again}", seconds)


class HostResting(HostUnavailable):
    """The host asked, by Retry-After, for more time than a call may wait."""

    def __init__(self, host: str, seconds: float) -> None:
        again = f"it will be tried again in {math.ceil(seconds)} s"
        super().__init__(f"the host {host} asked to be left alone: {again}", seconds)


class HostBusy(HostUnavailable):
    """Too many calls wait for the host already, or this one has waited too long."""

    def __init__(self, host: str) -> None:
        super().__init__(f"too many calls wait for the host {host}")
