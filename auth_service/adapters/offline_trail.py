"""The audit trail of a store, read and verified without any service: also in a backup, or a stolen copy."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from auth_service.adapters.checkpoint_file import CheckpointFile
from auth_service.application.ports.audit import AuditFilter, Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import Broken, ChainKeys, Fault

PAGE: Final = 500


class OfflineTrail(ABC):
    """A trail that is only read.

    Args:
        keys: those of the store.
        checkpoints: what every chain is compared with.
    """

    def __init__(self, keys: ChainKeys, checkpoints: CheckpointFile) -> None:
        self._keys = keys
        self._checkpoints = checkpoints

    def tenants(self) -> Sequence[str]:
        """Everybody who has, or once had, a chain."""
        checkpoints, _ = self._checkpoints.read_now()
        seen = {tenant for checkpoint in checkpoints for tenant, _ in checkpoint.places}
        return sorted(seen.union(self._owners()))

    def verify(self, tenant: str) -> Verdict:
        """Go along the whole chain of *tenant*, and compare it with every checkpoint."""
        checkpoints, problem = self._checkpoints.read_now()
        verdict = self._walked(tenant, checkpoints)
        broken = verdict.broken
        if broken is None and problem:
            broken = Broken(tenant, 0, Fault.MARK, detail=problem)
        return replace(verdict, checkpoints=len(checkpoints), broken=broken)

    def find(self, wanted: AuditFilter) -> Iterator[KeptEntry]:
        """All that are wanted, newest first."""
        before: int | None = None
        while page := self._page(wanted, before):
            yield from page
            before = page[-1].sequence

    @abstractmethod
    def close(self) -> None:
        """Let go of the store."""

    @abstractmethod
    def _owners(self) -> set[str]:
        """Whose entries, heads and anchors there are."""

    @abstractmethod
    def _walked(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        """What is found along the whole chain of *tenant*."""

    @abstractmethod
    def _page(self, wanted: AuditFilter, before: int | None) -> Sequence[KeptEntry]:
        """`PAGE` of those that are wanted, newest first, below the sequence *before*."""
