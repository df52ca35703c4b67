"""An entry of the audit trail, made of what somebody told."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import msgspec

from chassis.clock import Clock
from chassis.ids import Ids
from chassis.telemetry import tracing
from chassis.telemetry.logging import masked

Fact: TypeAlias = str | int | bool

DONE: Final = "done"
REFUSED: Final = "refused"
HOME: Final = "default"
"""The tenant of those who run the suite: what belongs to none is told to them."""

_LONGEST: Final = 512
"""Characters of one fact; more of it would let strangers fill the disk."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSALS: Final = re.compile(
    r"(?:^|_)(?:refused|failed|throttled|denied|reused|limited|rejected|blocked)$"
)
_ACTORS: Final = ("actor", "user_id", "by")
_TARGETS: Final = ("target", "session_id", "name", "kid", "execution")
_ADDRESSES: Final = ("address", "network")
_PERSONAL: Final = frozenset(
    {"email", "network", "user_agent", "device", "phone", "recipient", "person"}
)
"""Facts about somebody that an erasure takes away; the rest is about what happened."""


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened, before it has its place in the chain."""

    id: str
    """Given where it happened: bringing it twice keeps it once."""
    at: int
    """Microseconds since 1970, UTC."""
    tenant: str
    source: str
    """The service that tells it."""
    action: str
    outcome: str
    actor: str = ""
    target: str = ""
    address: str = ""
    reason: str = ""
    request_id: str = ""
    data: dict[str, Fact] = {}
    personal: dict[str, Fact] = {}

    @property
    def time(self) -> datetime:
        """When it happened."""
        return _EPOCH + timedelta(microseconds=self.at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(AuditEntry)


def encoded(entry: AuditEntry) -> bytes:
    """*entry* as it travels."""
    return _encoder.encode(entry)


def decoded(text: bytes) -> AuditEntry:
    """What `encoded` was given.

    Raises:
        msgspec.DecodeError: it is no entry.
    """
    return _decoder.decode(text)


def entry_of(
    source: str, event: str, facts: Mapping[str, Fact], *, clock: Clock, ids: Ids
) -> AuditEntry:
    """The entry for *event*, with everything secret in it masked."""
    rest = {name: _tame(name, value) for name, value in facts.items()}
    outcome = rest.pop("outcome", REFUSED if _REFUSALS.search(event) else DONE)
    known = {
        name: str(rest.pop(name, "")) for name in ("tenant", "reason", "request_id") if name in rest
    }
    address = _first(rest, _ADDRESSES)
    return AuditEntry(
        id=ids.new(),
        at=(clock.now() - _EPOCH) // timedelta(microseconds=1),
        tenant=known.get("tenant") or HOME,
        source=source,
        action=event,
        outcome=str(outcome),
        actor=_first(rest, _ACTORS),
        target=_first(rest, _TARGETS),
        address=address,
        reason=known.get("reason", ""),
        request_id=known.get("request_id") or tracing.current_request_id() or "",
        data={name: value for name, value in rest.items() if name not in _PERSONAL},
        personal={name: value for name, value in rest.items() if name in _PERSONAL},
    )


def _first(facts: dict[str, Fact], names: tuple[str, ...]) -> str:
    """Take out the first of *names* that there is."""
    for name in names:
        if name in facts:
            return str(facts.pop(name))
    return ""


def _tame(name: str, value: Fact) -> Fact:
    shown = masked(name, value)
    if isinstance(shown, str):
        # Lone surrogates could not be stored.
        return shown[:_LONGEST].encode("utf-8", "replace").decode()
    return value if isinstance(value, bool | int) else str(shown)
