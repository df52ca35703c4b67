"""Which of a service's instances gets the next call."""

import hashlib
import itertools
import random
from collections.abc import Collection, Sequence
from enum import StrEnum

from chassis.rpc.instances import Instance


class Balance(StrEnum):
    """How calls are spread. A call with an affinity goes by that instead, to the same instance each time."""

    ROUND_ROBIN = "round_robin"
    LEAST_REQUESTS = "least_requests"


class Balancer:
    """Chooses among instances."""

    def __init__(self, balance: Balance = Balance.ROUND_ROBIN) -> None:
        self._balance = balance
        self._turns = itertools.count()

    def choose(
        self,
        instances: Sequence[Instance],
        *,
        affinity: str | None = None,
        avoid: Collection[Instance] = (),
    ) -> Instance:
        """The one of *instances* (there is at least one) whose turn it is.

        Where none takes calls, the one that is left out for the shortest time is better than nobody.

        Args:
            instances: all there are.
            affinity: calls with the same one go to the same instance for as long as it is well; few of them move
                when instances come and go (rendezvous hashing).
            avoid: those that failed already; taken only when there is no other.
        """
        if len(instances) == 1:
            return instances[0]
        able = [each for each in instances if each.takes_calls()]
        fresh = [each for each in able if each not in avoid] or able
        if not fresh:
            return min(instances, key=lambda each: each.left_out_until)
        if affinity is not None:
            return max(fresh, key=lambda each: _weight(affinity, each.address))
        if self._balance is Balance.LEAST_REQUESTS and len(fresh) > 1:
            # The less busy of two chosen by chance: nearly as even as the least busy of all, without everybody
            # running to the same one.
            return min(random.sample(fresh, 2), key=lambda each: each.in_flight)
        return fresh[next(self._turns) % len(fresh)]


def _weight(affinity: str, address: str) -> bytes:
    return hashlib.blake2b(f"{affinity}\0{address}".encode(), digest_size=8).digest()
