"""Calls with the values of secrets in place of their markers."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import quote

import msgspec

from workflow_service.application.vault.lender import Loan
from workflow_service.domain.secret_markers import Leaf

S = TypeVar("S", bound=msgspec.Struct)
_ADDRESSES: Final = frozenset({"uri", "url"})
"""Fields whose text is a URI: inside of one a value is data, and must not become syntax."""


def revealed(call: S, loan: Loan) -> S:
    """Return *call* with the values that *loan* has; texts are looked for wherever they may stand.

    Raises:
        SecretUnusable: a secret is not there any more.
    """
    changes = {
        name: _revealed(getattr(call, name), loan, address=name in _ADDRESSES)
        for name in call.__struct_fields__
    }
    return msgspec.structs.replace(call, **changes)


def _revealed(value: Any, loan: Loan, *, address: bool) -> Any:
    match value:
        case str():
            return _text(value, loan, address=address)
        case dict():
            return {
                _revealed(key, loan, address=False): _revealed(member, loan, address=False)
                for key, member in value.items()
            }
        case list():
            return [_revealed(item, loan, address=False) for item in value]
        case tuple():
            return tuple(_revealed(item, loan, address=False) for item in value)
        case msgspec.Struct():
            return revealed(value, loan)
        case _:
            return value


def _text(text: str, loan: Loan, *, address: bool) -> str:
    def value_of(leaf: Leaf, at: int) -> str:
        value = loan.value_of(leaf)
        # A secret with which an address begins is an address itself: a webhook's, for example.
        return quote(value, safe="") if address and at else value

    return loan.markers.replaced(text, value_of)
