"""Devices that wait for their users."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.oauth import Ending, Opened, Replayed, Unknown
from auth_service.domain.oauth.device import DeviceGrant
from auth_service.domain.oauth.grants import Granted


@dataclass(frozen=True, slots=True)
class Waiting:
    """The user has not answered yet."""


@dataclass(frozen=True, slots=True)
class TooFast:
    """The device asked again before its interval was over; the interval is longer now."""


@dataclass(frozen=True, slots=True)
class Denied:
    """The user said no."""


@dataclass(frozen=True, slots=True)
class Expired:
    """The codes came of age before the user answered."""


@dataclass(frozen=True, slots=True)
class Approved:
    """The user said yes; the code is spent now, and the session is open."""

    granted: Granted


Poll = Waiting | TooFast | Denied | Expired | Approved | Replayed | Unknown


class DeviceGrants(Protocol):
    """Devices that wait for their users."""

    async def add(self, grant: DeviceGrant) -> bool:
        """Keep the new grant unless its user code is taken; whether it was kept."""
        ...

    async def find(self, user_code: bytes, now: datetime) -> DeviceGrant | None:
        """The one that still waits and has this user code."""
        ...

    async def poll(self, digest: bytes, client_id: str, opening: "Opening", ending: Ending) -> Poll:
        """What the device learns at *opening*; `Approved` once, ever, with the session opened."""
        ...


class Opening(Protocol):
    """Makes what is opened, once it is known what was granted."""

    def __call__(self, granted: Granted) -> Opened:
        """What is opened for *granted*."""
        ...
