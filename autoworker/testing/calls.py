"""Calls as mocks and expectations see them: plain data, whatever kind they are of."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from multidict import CIMultiDict, CIMultiDictProxy

from autoworker.testing.mocks import Answer
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import (
    EgressError,
    EgressFailed,
    EgressRefused,
    EgressRequest,
    EgressResponse,
    EgressTimedOut,
    Failure,
)
from workflow_service.adapters.egress.requests import REDIRECTS, checked, redirected
from workflow_service.adapters.egress.urls import target
from workflow_service.adapters.resources import ExternalResources
from workflow_service.adapters.task_runners.http import HttpRunner
from workflow_service.adapters.task_runners.http_effects import HttpEffects
from workflow_service.adapters.task_runners.openapi import Documents, OpenapiRunner
from workflow_service.domain.execution.effects import Effect, HttpCall, OpenapiCall, Outcome
from workflow_service.domain.expressions import JsonValue

T = TypeVar("T")
_MOST_REDIRECTS = 10


class Answers(Protocol):
    """Who knows the answer to an HTTP request."""

    def __call__(self, call: dict[str, JsonValue]) -> Answer:
        """Return it."""
        ...


def described(effect: Effect) -> dict[str, JsonValue]:
    """Describe a call that is no HTTP request: its `kind`, and what it is asked with."""
    members: dict[str, JsonValue] = msgspec.to_builtins(effect.call)
    return {"kind": members.pop("type", ""), **members}


def described_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> dict[str, JsonValue]:
    """Describe an HTTP request: the URI without its query, names of headers in lower case, the body as data."""
    parts = urlsplit(url)
    call: dict[str, JsonValue] = {
        "kind": "http",
        "method": method.lower(),
        "uri": f"{parts.scheme}://{parts.netloc}{parts.path}",
        "query": {
            name: list[JsonValue](values)
            for name, values in parse_qs(parts.query, keep_blank_values=True).items()
        },
        "headers": {name.lower(): value for name, value in headers.items()},
    }
    if body:
        call["body"] = _content(body)
    return call


def perform_http(execution: str, effect: Effect, answers: Answers) -> Outcome:
    """Perform a call over HTTP as the engine does it, against *answers* in place of a network."""
    egress = AuthenticatedEgress(_Stage(answers))
    http = HttpRunner(egress)
    if isinstance(effect.call, OpenapiCall):
        described = OpenapiRunner(Documents(ExternalResources(egress)), http)
        return _finished(described.perform(execution, effect))
    return _finished(HttpEffects(http).perform(execution, effect))


def is_http(effect: Effect) -> bool:
    """Whether this is a call over HTTP, made of requests that mocks may answer."""
    return isinstance(effect.call, HttpCall | OpenapiCall)


class _Stage:
    """In place of the way out: every request is answered by a mock."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def request(self, request: EgressRequest) -> EgressResponse:
        current, place = checked(request), target(request.url)
        for _ in range(_MOST_REDIRECTS):
            response = self._answered(current, str(place.url))
            location = response.headers.get("Location")
            if not request.follow_redirects or response.status not in REDIRECTS or location is None:
                return response
            current, place = redirected(current, place, response.status, location)
        raise EgressFailed(Failure.REDIRECTS)

    def _answered(self, request: EgressRequest, url: str) -> EgressResponse:
        call = described_request(request.method, url, request.headers, request.body)
        answer = self._answers(call)
        if answer.fails is not None:
            raise _failure(answer)
        headers, body = wire(answer)
        return EgressResponse(answer.status or 200, CIMultiDictProxy(headers), body, url)


def wire(answer: Answer) -> tuple[CIMultiDict[str], bytes]:
    """Headers and body of an HTTP response: data are JSON unless the headers say what else a text is."""
    headers = CIMultiDict(answer.headers)
    content = answer.body if answer.output is msgspec.UNSET else answer.output
    if content is msgspec.UNSET:
        return headers, b""
    if (
        isinstance(content, str)
        and "Content-Type" in headers
        and "json" not in headers["Content-Type"]
    ):
        return headers, content.encode()
    headers.setdefault("Content-Type", "application/json")
    return headers, msgspec.json.encode(content)


def _failure(answer: Answer) -> EgressError:
    match answer.fails:
        case "timeout":
            return EgressTimedOut(answer.seconds)
        case "refused":
            return EgressRefused()
        case _:
            return EgressFailed(Failure.CONNECT)


def _content(body: bytes) -> JsonValue:
    try:
        decoded: JsonValue = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return body.decode(errors="replace")
    return decoded


def _finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of something that awaits nothing real."""
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise RuntimeError("a rehearsed call waited for something real")
