"""Randomness from the operating system."""

from random import SystemRandom

_random = SystemRandom()


class SystemChance:
    """Implements `Chance`."""

    def fraction(self) -> float:
        """See `Chance.fraction`."""
        return _random.random()
