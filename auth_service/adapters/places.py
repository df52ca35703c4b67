"""What is made of the places somebody was seen at."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from auth_service.application.ports.accounts import KnownPlaces, Place, SeenPlace

MOST: Final = 100
"""Places of one kind that are remembered of a user."""
PLACES_KEPT: Final = timedelta(days=180)
"""How long after the last time."""


def known_among(seen: Sequence[SeenPlace], places: Sequence[Place]) -> KnownPlaces:
    """Which of *places* are among *seen*, which are in the order of the last time."""
    networks = [each for each in seen if each.place.kind == "network"]
    return KnownPlaces(
        any=bool(seen),
        known=frozenset(each.place for each in seen).intersection(places),
        latest_at=networks[-1].last_at if networks else None,
    )
