"""Answers without the token that the request had: servers that echo requests would bring it into histories."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from multidict import CIMultiDict, CIMultiDictProxy

from workflow_service.adapters.egress import EgressResponse

_MASK: Final = "***"
_SHORTEST: Final = 8
"""Characters: what is shorter would be found in what has nothing to do with it."""


def veiled(response: EgressResponse, token: str) -> EgressResponse:
    """Return *response* with a mask wherever *token* stood."""
    if len(token) < _SHORTEST:
        return response
    body, headers = response.body, response.headers
    if token.encode() in body:
        body = body.replace(token.encode(), _MASK.encode())
    if any(token in value for value in headers.values()):
        shown = ((name, value.replace(token, _MASK)) for name, value in headers.items())
        headers = CIMultiDictProxy(CIMultiDict(shown))
    return replace(response, body=body, headers=headers)
