"""Calls as histories show them: without anything that opens doors."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from msgspec import UNSET

from workflow_service.domain.execution.effects import Call, FunctionCall, HttpCall
from workflow_service.domain.expressions import JsonValue

MASK: Final = "***"

_TELLING: Final = r"authori[sz]ation|cookie|token|secret|passw|credential|signature|api[-_]?key"
_SECRET_NAME: Final = re.compile(_TELLING, re.IGNORECASE)
_USER: Final = re.compile(r"(?<=://)[^/?#@]*@")
_PARAMETER: Final = re.compile(rf"([?&][^=&#]*(?:{_TELLING})[^=&#]*=)[^&#]*", re.IGNORECASE)


def shown_call(call: Call) -> dict[str, JsonValue]:
    """Return *call* as people may see it: credentials, and what is named like them, are masked."""
    match call:
        case HttpCall():
            return _shown_http(call)
        case FunctionCall():
            shown: dict[str, JsonValue] = {"function": call.name, "arguments": call.arguments}
            return shown | ({"version": call.version} if call.version else {})


def _shown_http(call: HttpCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"method": call.method, "uri": shown_uri(call.uri)}
    if call.headers:
        shown["headers"] = {name: _shown(name, value) for name, value in call.headers.items()}
    if call.query:
        shown["query"] = {name: _shown(name, value) for name, value in call.query.items()}
    if call.body is not UNSET:
        shown["body"] = call.body
    if call.credentials is not None:
        shown["credentials"] = MASK
    return shown


def shown_uri(uri: str) -> str:
    """Return *uri* without a user's name and password, and without parameters that are secrets."""
    return _PARAMETER.sub(rf"\g<1>{MASK}", _USER.sub(f"{MASK}@", uri))


def host_of(uri: str) -> str:
    """Return the host that *uri* leads to, with its port when it names one."""
    try:
        netloc = urlsplit(uri).netloc
    except ValueError:
        return "an unreadable address"
    return netloc.rpartition("@")[2] or "an unreadable address"


def _shown(name: str, value: JsonValue) -> JsonValue:
    return MASK if _SECRET_NAME.search(name) else value
