"""How the command line says that something went wrong: one line, with a way out, and exit code 1."""

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer

from autoworker.errors import (
    ApiError,
    AutoworkerError,
    NotUnderstood,
    Unauthenticated,
    Unreachable,
)
from chassis.errors import CannotStart

T = TypeVar("T")


def fail(message: str) -> NoReturn:
    """Tell *message* on stderr and end the program with 1."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(1)


def program() -> str:
    """How the user calls this program."""
    if Path(sys.argv[0]).name == "autoworker":
        return "autoworker"
    python = Path(sys.executable)
    with contextlib.suppress(ValueError):
        return f"{python.relative_to(Path.cwd())} -m autoworker"
    return f"{python} -m autoworker"


def finished(work: Coroutine[Any, Any, T]) -> T:
    """Run *work*; whatever can be expected to go wrong is told in one line."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except CannotStart as exc:
        fail(str(exc))
    except AutoworkerError as exc:
        fail(f"{_sentence(exc)}{_way_out(exc)}")


def _sentence(error: AutoworkerError) -> str:
    if isinstance(error, ApiError) and error.details:
        return "\n".join(
            [
                error.message,
                *(f"  {detail.field or '/'}: {detail.message}" for detail in error.details),
            ]
        )
    return error.message if isinstance(error, ApiError) else str(error)


def _way_out(error: AutoworkerError) -> str:
    match error:
        case Unreachable():
            return ". Is it running? `make run` starts it; AUTOWORKER_URL says where it is."
        case Unauthenticated():
            return f". Log in with `{program()} login`."
        case NotUnderstood():
            return ". Is AUTOWORKER_URL the address of the gateway?"
        case ApiError(code="INTERNAL"):
            return f" (request {error.request_id})"
        case _:
            return ""
