"""Fetches external resources, once for all who want the same at the same time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from chassis.caching.opening import Caches, caches_of_one
from chassis.clock import SystemClock
from chassis.single_flight import SingleFlight
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import (
    EgressError,
    EgressRequest,
    EgressResponse,
    ResponseTooLarge,
)
from workflow_service.adapters.resources import measures
from workflow_service.adapters.resources.cache import Documents, Kept, Key
from workflow_service.adapters.resources.folder import Folder, too_large
from workflow_service.adapters.task_runners.failures import problem_of, problem_of_answer
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.application.resource_ports import Fetched, ResourceFailed
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.problem import Problem

_ACCEPT: Final = "application/json, application/yaml, text/*;q=0.9, */*;q=0.8"
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """Bounds of documents. Times are seconds, sizes bytes."""

    bytes: int = 4 * _MEBIBYTE
    cache_bytes: int = 32 * _MEBIBYTE
    fresh_for: float = 60.0
    """How long a document is taken for fresh whose host says nothing."""
    folder: Path | None = None
    """From where ``file:`` may be read; None: from nowhere."""


_MOST: Final = 10_000
"""Documents and marks that this process keeps at hand."""


class ExternalResources:
    """The ``Resources`` port, and ``Renewal``.

    Args:
        egress: the way to where documents stand.
        limits: bounds of documents.
        caches: where they are kept; in this process alone when nobody says.
    """

    def __init__(
        self,
        egress: AuthenticatedEgress,
        limits: ResourceLimits | None = None,
        caches: Caches | None = None,
    ) -> None:
        self._egress = egress
        self._limits = limits or ResourceLimits()
        cache = (caches or caches_of_one(SystemClock())).cache(
            "documents", most=_MOST, most_bytes=self._limits.cache_bytes
        )
        self._documents = Documents(cache, self._limits.fresh_for)
        self._folder = Folder(self._limits.folder, self._limits.bytes)
        self._flights: SingleFlight[Key, Fetched] = SingleFlight()

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        """See ``Resources``."""
        if resource.uri[:5].lower() == "file:":
            content, media_type = await self._folder.read(resource.uri)
            return _fetched(content, media_type, resource.uri)
        key = (tenant, resource.uri, _fingerprint(resource))
        found = await self._documents.fresh(key)
        if found is not None:
            return found.document
        return await self._flights.run(key, partial(self._fetch, key, resource))

    async def ask_anew(self, addresses: Iterable[str], *, tenant: str) -> None:
        """See ``Renewal``."""
        await self._documents.ask_anew(tenant, frozenset(addresses))

    async def _fetch(self, key: Key, resource: Resource) -> Fetched:
        # Somebody else may have fetched it since it was looked for.
        old = await self._documents.fresh(key)
        if old is not None:
            return old.document
        since = await self._documents.before(key)
        old = await self._documents.find(key)
        try:
            response = await self._answer(resource, key[0], old)
        except ResourceFailed as failed:
            if old is None or not _may_wait(old, failed.problem):
                measures.fetched("failed")
                raise
            measures.fetched("stale")
            return old.document
        if response.status == 304 and old is not None:
            measures.fetched("unchanged")
            await self._documents.renew(key, old, response.headers, since)
            return old.document
        measures.fetched("new")
        document = _of(response)
        await self._documents.keep(key, document, response.headers, since)
        return document

    async def _answer(self, resource: Resource, tenant: str, old: Kept | None) -> EgressResponse:
        request = EgressRequest(
            method="GET",
            url=resource.uri,
            headers={"Accept": _ACCEPT} | ({} if old is None else old.conditions),
            follow_redirects=True,
            max_bytes=self._limits.bytes,
        )
        try:
            response = await self._egress.send(request, resource.credentials, tenant=tenant)
        except ResponseTooLarge:
            raise ResourceFailed(too_large(self._limits.bytes)) from None
        except EgressError as exc:
            raise ResourceFailed(problem_of(exc)) from exc
        except CredentialsRefused as exc:
            raise ResourceFailed(exc.problem) from exc
        if response.status != 200 and not (response.status == 304 and old is not None):
            raise ResourceFailed(problem_of_answer(response))
        return response


def _may_wait(old: Kept, problem: Problem) -> bool:
    """Whether the host does not work for now, so that what it said last is better than nothing."""
    return old.patient and (problem.status >= 500 or problem.status == 408)


def _of(response: EgressResponse) -> Fetched:
    declared = response.headers.get("Content-Type", "")
    return _fetched(response.body, declared.partition(";")[0].strip().lower(), response.url)


def _fetched(content: bytes, media_type: str, uri: str) -> Fetched:
    return Fetched(content, media_type, uri, f"sha256:{hashlib.sha256(content).hexdigest()}")


def _fingerprint(resource: Resource) -> str:
    """Tell credentials apart without keeping them."""
    if resource.credentials is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(resource.credentials)).hexdigest()
