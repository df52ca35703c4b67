"""Performs `call: http`: one HTTP request, its outcome as data.

Failures are part of an execution's history, so they are values, not exceptions; failures.py has their types and statuses.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import quote, urlencode

import msgspec

from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import (
    EgressError,
    EgressRequest,
    EgressResponse,
    HostUnavailable,
    RequestInvalid,
)
from workflow_service.adapters.task_runners.failures import problem_of, problem_of_answer
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credentials import Credentials
from workflow_service.domain.execution.problem import ERRORS, Problem
from workflow_service.domain.expressions import JsonValue

Output: TypeAlias = Literal["raw", "content", "response"]
FailureType: TypeAlias = Literal[
    "communication", "timeout", "authentication", "authorization", "configuration", "runtime"
]
_CHARSETS = re.compile(
    r"utf-?8|utf-16(le|be)?|us-ascii|ascii|iso-8859-(1|2|5|7|9|15)|latin1|windows-125[0-8]"
    r"|shift_jis|euc-jp|euc-kr|gbk|gb2312|gb18030|big5|koi8-[ru]"
)


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""No body at all, which is not the same as the body `null`."""


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One call, with every expression already evaluated."""

    method: str
    url: str
    idempotency_key: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, JsonValue] = field(default_factory=dict)
    body: JsonValue | _Absent = ABSENT
    content: bytes | None = None
    """The body when it is written already; its Content-Type is among the headers."""
    output: Output = "content"
    redirect: bool = False
    timeout_s: float | None = None
    credentials: Credentials | None = None
    tenant: str = ""
    """Whose call it is: nothing that credentials lead to is shared between tenants."""


@dataclass(frozen=True, slots=True)
class HttpSucceeded:
    output: JsonValue


@dataclass(frozen=True, slots=True)
class HttpFailed:
    type: FailureType
    status: int
    title: str
    detail: str
    retry_after: float | None = None
    """Seconds that a 429 or 503 asked to wait, or after which a host that fails is tried again."""

    @property
    def problem(self) -> Problem:
        """The fault of the task."""
        return Problem(ERRORS + self.type, self.status, self.title, self.detail)


HttpOutcome: TypeAlias = HttpSucceeded | HttpFailed


class _ContentInvalid(Exception):
    """The response's body is not what its media type says."""


class HttpRunner:
    """Runs calls through the one way out."""

    def __init__(self, egress: AuthenticatedEgress) -> None:
        self._egress = egress

    async def run(self, call: HttpCall) -> HttpOutcome:
        """Perform *call*; every failure of the call is an outcome."""
        try:
            request = _request(call)
            response = await self._egress.send(request, call.credentials, tenant=call.tenant)
        except EgressError as exc:
            return _failure(exc)
        except CredentialsRefused as exc:
            return _failed(exc.problem)
        accepted = range(200, 400) if call.redirect else range(200, 300)
        if response.status not in accepted:
            return _failed(problem_of_answer(response), response.retry_after)
        try:
            return HttpSucceeded(_output(call, request, response))
        except _ContentInvalid:
            detail = "The response is declared as JSON and is not valid JSON."
            return HttpFailed("communication", 500, "Invalid response", detail)


# ------------------------------------------------------------ request
def _request(call: HttpCall) -> EgressRequest:
    headers = dict(call.headers)
    given = {name.lower() for name in headers}
    if "idempotency-key" not in given:
        headers["Idempotency-Key"] = call.idempotency_key
    if "accept" not in given:
        headers["Accept"] = "application/json, text/*;q=0.9, */*;q=0.8"
    body, media_type = call.content, None
    if body is None:
        body, media_type = _body(call.body, _header(headers, "content-type"))
    if media_type is not None:
        headers["Content-Type"] = media_type
    return EgressRequest(
        method=call.method,
        url=_with_query(call.url, call.query),
        headers=headers,
        body=body,
        follow_redirects=call.redirect,
        timeout=call.timeout_s,
    )


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _body(body: JsonValue | _Absent, declared: str | None) -> tuple[bytes | None, str | None]:
    """The bytes to send, and the Content-Type to add when none is declared.

    Objects, arrays and scalars are sent as JSON, or as a form when that is declared; a string is
    sent as it is, unless JSON is declared.
    """
    if isinstance(body, _Absent):
        return None, None
    kind = _media_type(declared)
    try:
        if kind == "application/x-www-form-urlencoded" and isinstance(body, dict):
            return urlencode(_pairs(body)).encode(), None
        if isinstance(body, str) and not _is_json(kind):
            return body.encode(), None if declared else "text/plain; charset=utf-8"
        return msgspec.json.encode(body), None if declared else "application/json"
    except UnicodeEncodeError:
        raise RequestInvalid("the request body is not valid Unicode") from None


def _with_query(url: str, query: Mapping[str, JsonValue]) -> str:
    """*url* with the parameters appended to those it has."""
    if not query:
        return url
    try:
        added = urlencode(_pairs(query), quote_via=quote)
    except UnicodeEncodeError:
        raise RequestInvalid("a query parameter is not valid Unicode") from None
    address, hash_sign, fragment = url.partition("#")
    if not added:
        return url
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{added}{hash_sign}{fragment}"


def _pairs(values: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Names and texts: one pair for each item of an array, none for null."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        pairs.extend((name, _as_text(item)) for item in items if item is not None)
    return pairs


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


# ------------------------------------------------------------ response
def _media_type(value: str | None) -> str:
    return (value or "").partition(";")[0].strip().lower()


def _is_json(media_type: str) -> bool:
    return media_type in ("application/json", "text/json") or media_type.endswith("+json")


def _output(call: HttpCall, request: EgressRequest, response: EgressResponse) -> JsonValue:
    match call.output:
        case "raw":
            return base64.b64encode(response.body).decode()
        case "content":
            return _content(response)
        case "response":
            return {
                "request": {
                    "method": request.method.lower(),
                    "uri": response.url,
                    "headers": _shown(request.headers),
                },
                "statusCode": response.status,
                "headers": _joined(response),
                "content": _content(response),
            }


def _shown(headers: Mapping[str, str]) -> dict[str, JsonValue]:
    """The request's headers as history may keep them: without credentials."""
    hidden = ("authorization", "cookie")
    return {name: value for name, value in headers.items() if name.lower() not in hidden}


def _joined(response: EgressResponse) -> dict[str, JsonValue]:
    """Each header once; repeated ones joined as RFC 9110, 5.3 allows."""
    return {
        name: ", ".join(response.headers.getall(name)) for name in dict.fromkeys(response.headers)
    }


def _content(response: EgressResponse) -> JsonValue:
    """The body as data: JSON decoded, text as text, everything else in base64; null if empty."""
    if not response.body:
        return None
    declared = response.headers.get("Content-Type")
    kind = _media_type(declared)
    if _is_json(kind):
        try:
            decoded: JsonValue = msgspec.json.decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _ContentInvalid from None
        return decoded
    if kind.startswith("text/") or kind in ("application/xml", "application/javascript"):
        return response.body.decode(_charset(declared), errors="replace")
    return base64.b64encode(response.body).decode()


def _charset(content_type: str | None) -> str:
    """The declared character set if it is one of the web's; Python knows many that are not."""
    for parameter in (content_type or "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        charset = value.strip().strip('"').lower()
        if name.strip().lower() == "charset" and _CHARSETS.fullmatch(charset):
            return charset
    return "utf-8"


# ------------------------------------------------------------ failure
def _failure(error: EgressError) -> HttpFailed:
    again = error.retry_after if isinstance(error, HostUnavailable) else None
    return _failed(problem_of(error), again)


def _failed(problem: Problem, retry_after: float | None = None) -> HttpFailed:
    return HttpFailed(
        type=cast("FailureType", problem.type.removeprefix(ERRORS)),
        status=problem.status,
        title=problem.title or "",
        detail=problem.detail or "",
        retry_after=retry_after,
    )
