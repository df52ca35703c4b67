"""The secrets of a case: the core sees markers of them, and the world their values, as with a real vault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from autoworker.testing.rehearsal import EXECUTION
from workflow_service.adapters.secrecy.revealing import revealed
from workflow_service.adapters.secrecy.veil import Veil
from workflow_service.application.vault.errors import SecretUnusable
from workflow_service.application.vault.lender import Loan
from workflow_service.domain.execution.effects import Effect, Outcome
from workflow_service.domain.execution.lending import Lent
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import Markers

_KEY: Final = b"a rehearsal hides nothing from its author"


class Purse:
    """What an author gives a case to use: values by the names of ``use.secrets``."""

    def __init__(self, values: Mapping[str, JsonValue]) -> None:
        self._values = values
        self._loan = Loan(Markers(_KEY, EXECUTION), values)
        self._veil = Veil(values.values())

    def lent(self, names: Sequence[str]) -> Lent:
        """What decisions see of the secrets that a definition declares."""
        known = {name: self._values[name] for name in names if name in self._values}
        refused = {name: SecretUnusable(name).message for name in names if name not in known}
        return Lent(
            {name: self._loan.markers.of(name, value) for name, value in known.items()}, refused
        )

    def revealed(self, effect: Effect) -> Effect:
        """The effect as the world gets it."""
        if not effect.secrets:
            return effect
        return msgspec.structs.replace(effect, call=revealed(effect.call, self._loan))

    def veiled(self, outcome: Outcome) -> Outcome:
        """The outcome as histories may have it."""
        return self._veil.over(outcome) if self._values else outcome


EMPTY: Final = Purse({})
