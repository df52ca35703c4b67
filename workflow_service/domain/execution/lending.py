"""Secrets as decisions see them: their structure, with markers in place of values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflow_service.domain.execution.problem import Raised, authorization
from workflow_service.domain.expressions import JsonValue, Lending


@dataclass(frozen=True, slots=True)
class Lent:
    """What one execution may use of the secrets that its definition declares."""

    markers: dict[str, JsonValue] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why a declared one cannot be used."""

    def check(self, lending: Lending) -> None:
        """Make sure that what an expression reads is there.

        Raises:
            Raised: it is not; the problem is the DSL's authorization error.
        """
        names: Iterable[str] = self.refused if lending.names is None else sorted(lending.names)
        for name in names:
            if name not in self.markers:
                reason = self.refused.get(name, f"{name[:80]!r} is not in use.secrets")
                raise Raised(authorization(reason))


NOTHING_LENT = Lent()
