"""Messages of workers from and to what the use cases speak of."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from chassis.errors import DeadlineExceeded, Malformed
from chassis.rpc.context import current_call
from protos.worker.v1 import worker_pb2 as pb
from workflow_service.application.functions.directory import Declaration, FunctionShown
from workflow_service.application.functions.links import Give
from workflow_service.application.ports import LocalFunction
from workflow_service.domain.expressions import JsonValue

LARGEST_OUTPUT: Final = 3 * 1024 * 1024


async def hello_of(requests: AsyncIterator[pb.ConnectRequest], seconds: float) -> Declaration:
    """Return what a worker says first.

    Raises:
        DeadlineExceeded: it says nothing.
        Malformed: it says something else.
    """
    try:
        async with asyncio.timeout(seconds):
            first = await anext(requests, None)
    except TimeoutError:
        raise DeadlineExceeded("the worker has not said hello") from None
    if first is None or first.WhichOneof("message") != "hello":
        raise Malformed("the first message must be Hello")
    hello = first.hello
    functions = [
        LocalFunction(each.name, each.version, each.input_schema, each.output_schema)
        for each in hello.functions
    ]
    return Declaration(hello.worker_id, functions, hello.concurrency)


def task_message(order: Give) -> pb.Task:
    """What a worker is given."""
    job, call = order.job, order.job.call
    task = pb.Task(
        id=order.task_id,
        function=order.function.name,
        version=order.function.version,
        arguments=msgspec.json.encode(call.arguments),
        idempotency_key=job.key,
        execution=job.execution,
        task=call.task,
        attempt=job.attempts,
        traceparent=job.trace or current_call().traceparent,
        tenant=call.tenant,
    )
    if call.deadline is not None:
        task.deadline.FromDatetime(call.deadline)
    return task


def output_of(completed: pb.Completed) -> JsonValue:
    """What a function came to.

    Raises:
        Malformed: it is too large, or no JSON.
    """
    if len(completed.output) > LARGEST_OUTPUT:
        raise Malformed(f"is larger than {LARGEST_OUTPUT} bytes")
    try:
        output: JsonValue = msgspec.json.decode(completed.output or b"null")
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Malformed("is not JSON") from exc
    return output


def function_message(function: FunctionShown) -> pb.Function:
    """A function in a list."""
    message = pb.Function(
        name=function.name,
        version=function.version,
        kind=function.kind,
        input_schema=function.input_schema,
        output_schema=function.output_schema,
        connected_workers=function.connected_workers,
    )
    if function.last_seen_at is not None:
        message.last_seen_at.FromDatetime(function.last_seen_at)
    return message
