"""A client as its users write it: it asks again, at the next gateway, for as long as somebody would wait."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from autoworker.errors import AutoworkerError
from autoworker.sessions import Session
from autoworker.transport import Transport
from tests.chaos.load import AWAY
from tests.support.gateway_client import Person

ATTEMPT: Final = 6.0
"""Seconds that one attempt may take."""
PATIENCE: Final = 60.0
"""Seconds for which an operation is tried again after an answer that says that this may help."""
_PAUSE: Final = 0.1


@dataclass(slots=True)
class Tally:
    """How operations went; an operation is a request with all its repetitions."""

    done: Counter[str] = field(default_factory=Counter)
    """By method and resource."""
    at_once: int = 0
    """Those of them whose first attempt was answered."""
    failed: Counter[str] = field(default_factory=Counter)
    """By method, resource and the last attempt's failure."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Attempts that were answered in vain, by the same."""
    slowest: float = 0.0
    """Seconds."""
    first: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    """Whether first attempts were answered, by gateway, in order."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.done.total() + self.failed.total()

    @property
    def share(self) -> float:
        """Of those that succeeded."""
        return self.done.total() / max(1, self.total)

    def by_gateway(self) -> str:
        """The share of first attempts that each gateway has answered."""
        return ", ".join(
            f"{gateway.rpartition(':')[2]}: {100 * sum(first) / len(first):.0f} % of {len(first)}"
            for gateway, first in self.first.items()
        )

    def add(self, other: "Tally") -> None:
        """Count in what *other* has counted."""
        self.done += other.done
        self.failed += other.failed
        self.repeated += other.repeated
        self.at_once += other.at_once
        self.slowest = max(self.slowest, other.slowest)
        for gateway, answered in other.first.items():
            self.first[gateway] += answered

    def __str__(self) -> str:
        at_once = 100 * self.at_once / max(1, self.total)
        failures = ", ".join(f"{what}: {count}" for what, count in self.failed.most_common(4))
        return (
            f"{self.total} operations, {100 * self.share:.1f} % succeeded ({at_once:.1f} % at once),"
            f" slowest {self.slowest:.1f} s{'; ' if failures else ''}{failures}"
        )


class Roaming(Transport):
    """Sends each request to the gateways in turn until one answers it.

    Args:
        urls: of the gateways.
        tally: counts.
    """

    def __init__(self, urls: Sequence[str], tally: Tally) -> None:
        super().__init__(urls[0], timeout=ATTEMPT)
        self._gateways = [(url, Transport(url, timeout=ATTEMPT)) for url in urls]
        self._tally = tally
        self._turn = 0

    async def close(self) -> None:
        """Close every connection."""
        for _, gateway in self._gateways:
            await gateway.close()

    async def send(
        self,
        method: str,
        path: str,
        *,
        session: Session | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        patience: float = 0.0,
    ) -> tuple[int, bytes]:
        """See `Transport.send`."""
        what = f"{method} {'/'.join(path.split('/')[1:3])}"
        began, attempts = time.monotonic(), 0
        while True:
            attempts += 1
            url, gateway = self._next()
            try:
                answer = await gateway.send(
                    method,
                    path,
                    session=session,
                    body=body,
                    headers=headers,
                    params=params,
                    patience=patience,
                )
            except AWAY as away:
                self._tally.repeated[f"{what} {type(away).__name__}: {away}"] += 1
                self._note(url, attempts, answered=False)
                if time.monotonic() - began > PATIENCE:
                    self._tally.failed[f"{what} {type(away).__name__}: {away}"] += 1
                    raise
                await asyncio.sleep(min(getattr(away, "retry_after", None) or _PAUSE, 1.0))
            except AutoworkerError as refused:
                self._tally.failed[f"{what} {type(refused).__name__}: {refused}"] += 1
                raise
            else:
                self._note(url, attempts, answered=True)
                self._count(what, attempts, time.monotonic() - began)
                return answer

    def _note(self, url: str, attempts: int, *, answered: bool) -> None:
        if attempts == 1:
            self._tally.first[url].append(answered)

    def _count(self, what: str, attempts: int, took: float) -> None:
        self._tally.done[what] += 1
        self._tally.at_once += attempts == 1
        self._tally.slowest = max(self._tally.slowest, took)

    def _next(self) -> tuple[str, Transport]:
        self._turn += 1
        return self._gateways[self._turn % len(self._gateways)]


class Visitor(Person):
    """Somebody who goes to any of the gateways."""

    def __init__(self, urls: Sequence[str], email: str) -> None:
        super().__init__(urls[0], email)
        self.tally = Tally()
        self._transport = Roaming(urls, self.tally)
