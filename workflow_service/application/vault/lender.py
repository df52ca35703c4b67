"""Lends secrets: markers to decisions, values to effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow_service.application.vault.errors import KeyUnusable, SecretUnusable
from workflow_service.application.vault.vault import Vault
from workflow_service.domain.execution.lending import Lent
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import Leaf, Markers


@dataclass(frozen=True, slots=True)
class Loan:
    """The values that one effect may use, and what reads the markers in its call."""

    markers: Markers
    values: Mapping[str, JsonValue | SecretUnusable]

    def value_of(self, leaf: Leaf) -> str:
        """Return the text that a marker stands for.

        Raises:
            SecretUnusable: it is not there any more.
        """
        value = self.values.get(leaf.secret, SecretUnusable(leaf.secret))
        if isinstance(value, SecretUnusable):
            raise value
        for step in leaf.path:
            if isinstance(value, dict) and step in value:
                value = value[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                raise SecretUnusable(leaf.secret, member=True)
        if not isinstance(value, str):
            raise SecretUnusable(leaf.secret, member=True)
        return value


class Lender:
    """Knows what executions may use."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def lend(self, tenant: str, owner: str, execution: str, names: Sequence[str]) -> Lent:
        """Return markers for decisions; see ``engine.lending.Lending``."""
        try:
            loan = await self.loan(tenant, owner, execution, names)
        except KeyUnusable:
            return Lent({}, {name: str(SecretUnusable(name, integrity=True)) for name in names})
        markers: dict[str, JsonValue] = {}
        refused: dict[str, str] = {}
        for name, value in loan.values.items():
            if isinstance(value, SecretUnusable):
                refused[name] = value.message
            else:
                markers[name] = loan.markers.of(name, value)
        return Lent(markers, refused)

    async def loan(self, tenant: str, owner: str, execution: str, names: Sequence[str]) -> Loan:
        """Return the values for an effect.

        Raises:
            KeyUnusable: the tenant's key cannot be unwrapped.
            Unavailable: the store cannot be read now.
        """
        key = await self._vault.marker_key(tenant)
        values = await self._vault.values(tenant, owner, names)
        return Loan(Markers(key, execution), values)
