"""Performs ``call: grpc``: a unary call, or one whose answers come as a stream.

The proto is fetched as an external resource and compiled apart; nothing is asked of the server by reflection. The
channel leads to addresses that were judged, with the host's name for its certificate. Metadata: ``authorization`` of
the task's policy, and ``idempotency-key``, which every repetition of the call shows again.

What goes wrong: see statuses.py for answers; a proto or arguments that do not fit are ``configuration`` errors; no
answer at all is what it is for HTTP calls.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.descriptor import MethodDescriptor

from workflow_service.adapters.authentication import AuthenticatedEgress, ClientCertificate
from workflow_service.adapters.egress import Doors, ResponseTooLarge
from workflow_service.adapters.task_runners.grpc_calls.channels import channel_to
from workflow_service.adapters.task_runners.grpc_calls.compiling import ProtoInvalid
from workflow_service.adapters.task_runners.grpc_calls.messages import (
    MessageInvalid,
    decoded,
    encoded,
)
from workflow_service.adapters.task_runners.grpc_calls.protos import MethodUnknown, Protos, Schema
from workflow_service.adapters.task_runners.grpc_calls.statuses import problem_of
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.effects import Effect, GrpcCall, Outcome
from workflow_service.domain.execution.problem import Raised, communication, configuration, runtime
from workflow_service.domain.expressions import JsonValue

_METADATA: Final = re.compile(r"[\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class GrpcLimits:
    """Bounds of one call's answers."""

    bytes: int = 1024 * 1024
    """Of all messages together."""
    items: int = 1_000
    """Messages of a stream."""


class GrpcRunner:
    """The ``Runner`` port for gRPC calls."""

    def __init__(
        self,
        doors: Doors,
        authentication: AuthenticatedEgress,
        protos: Protos,
        limits: GrpcLimits,
        roots: bytes | None = None,
    ) -> None:
        self._doors = doors
        self._authentication = authentication
        self._protos = protos
        self._limits = limits
        self._roots = roots

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, GrpcCall):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._answer(effect, call))

    async def _answer(self, effect: Effect, call: GrpcCall) -> JsonValue:
        method, schema = await self._method(effect, call)
        request, shown = _request(call, method, schema), self._certificate(call)
        metadata = await self._metadata(effect, call, shown)
        try:
            answers = await self._asked(call, method, request, metadata, shown)
        except Raised as raised:
            if raised.problem.status == 401 and call.credentials is not None:
                await self._authentication.refused(call.credentials, tenant=effect.tenant)
            raise
        messages = [_message(each, method, schema) for each in answers]
        return messages if method.server_streaming else messages[0]

    async def _asked(
        self,
        call: GrpcCall,
        method: MethodDescriptor,
        request: bytes,
        metadata: list[tuple[str, str]],
        shown: ClientCertificate | None,
    ) -> list[bytes]:
        longest = self._limits.bytes
        async with (
            self._doors.open("grpc", call.host, call.port, call.timeout) as door,
            channel_to(
                door, tls=call.tls, roots=self._roots, longest_message=longest, shown=shown
            ) as channel,
        ):
            try:
                answers = await self._answers(channel, method, request, metadata, door.seconds)
            except grpc.aio.AioRpcError as error:
                away = error.code() is grpc.StatusCode.UNAVAILABLE
                if not away or shown is None:  # else it may be about the certificate alone
                    door.answered(well=not away)
                raise Raised(problem_of(error.code(), error.details())) from error
            door.answered()
            return answers

    async def _method(self, effect: Effect, call: GrpcCall) -> tuple[MethodDescriptor, Schema]:
        try:
            schema = await self._protos.schema(call.proto, tenant=effect.tenant)
            method = schema.method(call.service, call.method)
        except (ProtoInvalid, MethodUnknown) as exc:
            raise Raised(configuration(str(exc))) from exc
        if method.client_streaming:
            told = f"{call.service}/{call.method} wants a stream of messages: a call sends one"
            raise Raised(configuration(told))
        return method, schema

    def _certificate(self, call: GrpcCall) -> ClientCertificate | None:
        if call.credentials is None:
            return None
        shown = self._authentication.certificate(call.credentials)
        if shown is not None and not call.tls:
            told = "a certificate can be shown over TLS only: see metadata.tls of the task"
            raise Raised(configuration(told))
        return shown

    async def _metadata(
        self, effect: Effect, call: GrpcCall, shown: ClientCertificate | None
    ) -> list[tuple[str, str]]:
        metadata = [("idempotency-key", effect.key)]
        if call.credentials is not None and shown is None:
            headers = await self._authentication.headers(call.credentials, tenant=effect.tenant)
            metadata.extend((name.lower(), value) for name, value in headers.items())
        if not all(_METADATA.fullmatch(value) for _, value in metadata):
            raise Raised(configuration("the credentials have characters that gRPC cannot carry"))
        return metadata

    async def _answers(
        self,
        channel: grpc.aio.Channel,
        method: MethodDescriptor,
        request: bytes,
        metadata: list[tuple[str, str]],
        seconds: float,
    ) -> list[bytes]:
        path = f"/{method.containing_service.full_name}/{method.name}"
        if not method.server_streaming:
            unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
            return [await unary(request, timeout=seconds, metadata=metadata)]
        opened: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(path)
        return await self._collected(opened(request, timeout=seconds, metadata=metadata))

    async def _collected(self, stream: AsyncIterable[bytes]) -> list[bytes]:
        answers: list[bytes] = []
        size = 0
        async for answer in stream:
            answers.append(answer)
            size += len(answer)
            if len(answers) > self._limits.items:
                told = f"the stream has more than {self._limits.items} messages"
                raise Raised(runtime(beyond(told, "stream_items")))
            if size > self._limits.bytes:
                raise ResponseTooLarge(self._limits.bytes)
        return answers


def _request(call: GrpcCall, method: MethodDescriptor, schema: Schema) -> bytes:
    try:
        return encoded(call.arguments, method.input_type, schema.pool)
    except MessageInvalid as exc:
        raise Raised(configuration(str(exc))) from exc


def _message(answer: bytes, method: MethodDescriptor, schema: Schema) -> JsonValue:
    try:
        return decoded(answer, method.output_type, schema.pool)
    except MessageInvalid as exc:
        raise Raised(communication(str(exc))) from exc
