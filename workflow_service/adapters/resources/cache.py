"""Documents that were fetched, for as long as they are fresh; those who share a cache share them.

Two values stand for one document: the document, and a mark that says that it is fresh. What ends the mark, its time or
somebody who asks anew, leaves the document: to ask whether it has changed, and to be used while its host does not work.

Source: RFC 9111, as far as a private cache for GET needs it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from chassis.caching.port import Cache, Moment
from workflow_service.application.resource_ports import Fetched

_DIRECTIVE: Final = re.compile(r'([a-z-]+)(?:="?([^",]*)"?)?')
_LONGEST: Final = 86_400.0
"""Seconds for which a document is fresh at the most, whatever its host says."""
_PATIENCE: Final = 3_600.0
"""Seconds for which a document that is not fresh any more is kept, and may be better than nothing."""

Key: TypeAlias = tuple[str, str, str]
"""Tenant, address, and what tells credentials apart."""


class Kept(msgspec.Struct, frozen=True):
    """A document, and how to ask whether it has changed."""

    document: Fetched
    etag: str | None
    last_modified: str | None
    patient: bool
    """Whether it is better than nothing, while its host does not work."""

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask for it only if it has changed (RFC 9110, 13.1)."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value is not None}


_decode = msgspec.msgpack.Decoder(Kept).decode


@dataclass(frozen=True, slots=True)
class Documents:
    """Keeps documents in *cache*; one of whose freshness its host says nothing is fresh for *default* seconds."""

    cache: Cache
    default: float

    async def find(self, key: Key) -> Kept | None:
        """Return what is kept, fresh or not."""
        found = await self.cache.get(_name("document", key))
        return None if found is None else _decode(found)

    async def fresh(self, key: Key) -> Kept | None:
        """Return what is kept and may be used without asking."""
        mark = await self.cache.get(_name("fresh", key))
        found = None if mark is None else await self.find(key)
        return found if found is not None and _mark(found) == mark else None

    async def before(self, key: Key) -> Moment:
        """Begin to ask: who asks anew from here on does not mean this answer."""
        return await self.cache.moment(_tag(key[0], key[1]))

    async def keep(
        self, key: Key, document: Fetched, headers: Mapping[str, str], since: Moment
    ) -> None:
        """Keep *document* as an answer with *headers* lets it be kept."""
        lifetime = freshness(headers, self.default)
        if lifetime is None:
            await self.drop(key)
            return
        tag, modified = headers.get("ETag"), headers.get("Last-Modified")
        await self._put(key, Kept(document, tag, modified, patient(headers)), lifetime, since)

    async def renew(self, key: Key, old: Kept, headers: Mapping[str, str], since: Moment) -> None:
        """Keep *old* after an answer said that it is still right."""
        same = msgspec.structs.replace(old, patient=patient(headers))
        await self._put(key, same, freshness(headers, self.default) or 0.0, since)

    async def drop(self, key: Key) -> None:
        """Forget what is kept."""
        await self.cache.delete(_name("fresh", key))
        await self.cache.delete(_name("document", key))

    async def ask_anew(self, tenant: str, addresses: frozenset[str]) -> None:
        """Let nothing that was fetched for *tenant* from *addresses* count as fresh."""
        await self.cache.invalidate(*(_tag(tenant, address) for address in addresses))

    async def _put(self, key: Key, kept: Kept, lifetime: float, since: Moment) -> None:
        useful = kept.patient or kept.conditions
        content = msgspec.msgpack.encode(kept)
        await self.cache.set(_name("document", key), content, lifetime + _PATIENCE * bool(useful))
        await self.cache.set(_name("fresh", key), _mark(kept), lifetime, since=since)


def freshness(headers: Mapping[str, str], default: float) -> float | None:
    """Return for how many seconds an answer is fresh; None when it may not be stored."""
    directives = _directives(headers)
    if "no-store" in directives:
        return None
    if "no-cache" in directives or headers.get("Vary", "").strip() == "*":
        return 0.0
    longest = directives.get("max-age") or ""
    if not longest.isdecimal():
        return default
    age = headers.get("Age", "").strip()
    return max(0.0, min(float(longest), _LONGEST) - (float(age) if age.isdecimal() else 0.0))


def patient(headers: Mapping[str, str]) -> bool:
    """Return whether an answer may be used for a while after its time while its host does not work (RFC 9111, 4.2.4)."""
    strict = {"no-store", "no-cache", "must-revalidate", "proxy-revalidate"}
    return not strict & _directives(headers).keys()


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    told = headers.get("Cache-Control", "").lower()
    return {found[1]: found[2] for found in _DIRECTIVE.finditer(told)}


def _mark(kept: Kept) -> bytes:
    return f"{kept.document.digest} {kept.document.media_type} {kept.document.uri}".encode(
        errors="surrogatepass"
    )


def _name(what: str, key: Key) -> str:
    """Neither tenants nor what tells credentials apart have line breaks, and the address is the last."""
    tenant, address, credentials = key
    return "\n".join((what, tenant, credentials, address))


def _tag(tenant: str, address: str) -> str:
    return f"{tenant}\n{address}"
