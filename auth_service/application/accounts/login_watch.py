"""Logins that their owner should hear of: from a new device or network, or after many failures.

There is no map of where addresses are: a jump is another network within minutes of the last one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from auth_service.application.accounts.desk import Desk
from auth_service.application.ports.accounts import KnownPlaces, LoginPlaces, Place
from auth_service.domain.device import device_of
from auth_service.domain.events import FactKind
from auth_service.domain.session import UNKNOWN_NETWORK, Origin
from auth_service.domain.user import User

MANY_FAILURES: Final = 5
"""Failed logins of the last minutes after which a success is told."""

JUMP: Final = timedelta(minutes=10)
"""Nobody is in one network and, so soon after, in another that they never were in before."""

REFRESHED: Final = timedelta(hours=12)
"""How old what is known of a place may be before a login there is written down again."""


@dataclass(frozen=True, slots=True)
class LoginWatch:
    """Looks at each login that succeeded."""

    places: LoginPlaces
    desk: Desk

    async def saw(self, user: User, origin: Origin, *, failures: int = 0) -> None:
        """*user* has logged in from *origin*, after so many *failures*.

        What is unusual is mailed and announced; it refuses nobody. One read for a login like the
        last; a write only for what is new.
        """
        places = _places(origin)
        known = await self.places.known(user.id, places)
        now = self.desk.clock.now()
        reasons = self._reasons(known, places, failures)
        if not reasons:
            stale = known.latest_at is None or now - known.latest_at > REFRESHED
            if stale or not known.known.issuperset(places):
                await self.places.remember(user.id, places, now)
            return
        device, why = device_of(origin.user_agent), ", ".join(reasons)
        event = self.desk.fact(FactKind.LOGIN_SUSPICIOUS, user, device=device, reasons=why)
        mail = self.desk.note(
            user,
            "new-device",
            device=device,
            address=origin.address or "unknown",
            reason=why,
        )
        await self.places.remember(user.id, places, now, (event,), (mail,))
        self.desk.audit.record(
            "login_suspicious",
            tenant=user.tenant,
            actor=user.id,
            reason=why,
            network=origin.network,
        )

    def _reasons(self, known: KnownPlaces, places: Sequence[Place], failures: int) -> Sequence[str]:
        reasons = [f"{failures} failed logins before"] if failures >= MANY_FAILURES else []
        if not known.any:
            # Whoever has never been seen is new everywhere.
            return reasons
        new = [place.kind for place in places if place not in known.known]
        reasons += [f"a new {kind}" for kind in new]
        if "network" in new and self._was_elsewhere(known):
            reasons.append("another network a moment ago")
        return reasons

    def _was_elsewhere(self, known: KnownPlaces) -> bool:
        return known.latest_at is not None and self.desk.clock.now() - known.latest_at < JUMP


def _places(origin: Origin) -> tuple[Place, ...]:
    device = Place("device", device_of(origin.user_agent))
    if origin.network == UNKNOWN_NETWORK:
        return (device,)
    return (device, Place("network", origin.neighbourhood))
