"""Messages of JSON-RPC 2.0 (jsonrpc.org/specification), and what becomes of those that are none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from workflow_service.domain.execution.problem import ERRORS, Problem, Raised, communication
from workflow_service.domain.expressions import JsonValue

Message: TypeAlias = dict[str, JsonValue]

_STATUSES: Final[Mapping[int, int]] = {
    -32700: 400,  # the message cannot be read
    -32600: 400,  # it is no request
    -32602: 400,  # its parameters do not fit
    -32601: 501,  # there is no such method
}
"""HTTP statuses that say the same as codes of JSON-RPC itself."""
_LONGEST_MESSAGE: Final = 500


def request(number: int, method: str, parameters: Mapping[str, JsonValue] | None) -> bytes:
    """Return a request as bytes; without *parameters* it has none."""
    message: Message = {"jsonrpc": "2.0", "id": number, "method": method}
    return msgspec.json.encode(message | ({} if parameters is None else {"params": parameters}))


def notification(method: str) -> bytes:
    """Return a message that nobody answers."""
    return msgspec.json.encode({"jsonrpc": "2.0", "method": method})


def reply(asked: Message) -> bytes:
    """Return our answer to what a server asks of us: that we are there, and can do nothing for it."""
    message: Message = {"jsonrpc": "2.0", "id": asked.get("id")}
    if asked.get("method") == "ping":
        return msgspec.json.encode(message | {"result": {}})
    told = {"code": -32601, "message": "this client has no methods"}
    return msgspec.json.encode(message | {"error": told})


def read(content: bytes) -> Message:
    """Return a message.

    Raises:
        Raised: *content* is none.
    """
    try:
        message: JsonValue = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Raised(communication("The answer is not valid JSON.")) from None
    if not isinstance(message, dict):
        raise Raised(communication("The answer is no JSON-RPC message."))
    return message


def asks(message: Message) -> bool:
    """Whether whoever sent *message* wants an answer."""
    return "method" in message and "id" in message


def answers(message: Message, number: int) -> bool:
    """Whether *message* is the answer to request *number*; an error may have lost its number."""
    if "method" in message:
        return False
    return message.get("id") == number or (message.get("id") is None and "error" in message)


def result_of(message: Message, statuses: Mapping[int, int]) -> JsonValue:
    """Return what an answer says.

    Args:
        message: the answer.
        statuses: HTTP statuses for codes that the protocol adds to those of JSON-RPC.

    Raises:
        Raised: it says that the method failed, which is a ``runtime`` error (DSL reference, "A2A Call", "MCP Call").
    """
    error = message.get("error")
    if error is None:
        return message.get("result")
    members = error if isinstance(error, dict) else {}
    code, text = members.get("code"), members.get("message")
    known = {**_STATUSES, **statuses}
    status = known.get(code, 500) if isinstance(code, int) else 500
    told = f": {text[:_LONGEST_MESSAGE]}" if isinstance(text, str) and text else ""
    detail = f"{members.get('code', 'no code')}{told}"
    raise Raised(
        Problem(ERRORS + "runtime", status, "JSON-RPC error", f"The answer is error {detail}")
    )
