"""Refusals that come in floods, told as numbers: what an attacker repeats must not fill the disk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from msgspec.structs import replace

from chassis.audit.entry import AuditEntry

WINDOW: Final = 60.0
"""Seconds for which repetitions are counted together."""
EACH: Final = 10
"""How many of one kind, from one address or of one actor, are told one by one within a window."""
ALL: Final = 200
"""How many are told one by one within a window altogether."""
KINDS: Final = 100
"""How many kinds are counted apart; what is beyond that is counted by event and outcome alone."""

_Key: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class _Count:
    sample: AuditEntry
    told: int = 0
    more: int = 0
    last: int = 0


@dataclass(slots=True)
class Floods:
    """Decides what is told by itself. Times are seconds of a monotonic clock."""

    window: float = WINDOW
    each: int = EACH
    all: int = ALL
    kinds: int = KINDS
    _counts: dict[_Key, _Count] = field(default_factory=dict)
    _told: int = 0
    _until: float | None = None

    def admits(self, entry: AuditEntry, now: float) -> bool:
        """Whether *entry* is told by itself; else it is counted."""
        if self._until is None:
            self._until = now + self.window
        count = self._count(entry)
        if count.told < self.each and self._told < self.all:
            count.told += 1
            self._told += 1
            return True
        count.more += 1
        count.last = entry.at
        return False

    def seconds_left(self, now: float) -> float | None:
        """Until a window ends; None when nothing is being counted."""
        return None if self._until is None else max(self._until - now, 0.0)

    def ended(self, now: float) -> Sequence[AuditEntry]:
        """One entry for each kind of which some were only counted, once their window is over."""
        if self._until is None or now < self._until:
            return ()
        return self.close()

    def close(self) -> Sequence[AuditEntry]:
        """The same at once."""
        summaries = [_summary(count) for count in self._counts.values() if count.more]
        self._counts.clear()
        self._told, self._until = 0, None
        return summaries

    def _count(self, entry: AuditEntry) -> _Count:
        key: _Key = (entry.action, entry.tenant, entry.outcome, entry.actor or entry.address)
        count = self._counts.get(key)
        if count is None and len(self._counts) >= self.kinds:
            key = (entry.action, entry.outcome)
            entry = replace(entry, actor="", address="", target="")
            count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(entry)
        return count


def _summary(count: _Count) -> AuditEntry:
    """As the first one of its kind, with how many more there were and when the last one came."""
    return replace(
        count.sample,
        id=f"{count.sample.id}+",
        at=count.last,
        target="",
        request_id="",
        data={"repeated": count.more},
        personal={},
    )
