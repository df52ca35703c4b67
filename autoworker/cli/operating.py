"""`autoworker make-keys` and `ready`: what whoever runs the services one by one needs."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Annotated, Final

import typer

from autoworker.cli.failing import fail
from chassis.errors import CannotStart

_SERVICES: Final = ("gateway", "auth", "workflow", "notification")
_WRAPPING: Final = ("auth.keys", "bus.keys", "mail.keys", "secrets.keys")


def make_keys(
    folder: Annotated[Path, typer.Argument(help="Where they go.", show_default=False)],
) -> None:
    """Make the keys of all services; those that are there already stay.

    Each service proves itself with its own `NAME.pem` and knows the others by
    `NAME.pub.pem`. The `.keys` files seal what is secret in the stores: who
    loses them loses that, so keep a copy.

        autoworker make-keys deploy/kubernetes/overlays/production/keys
    """
    # Only now: cryptography and gRPC take a moment to import, which no other command needs.
    from chassis.crypto.key_file import load_or_create
    from chassis.rpc.credentials import ServiceIdentity

    try:
        for service in _SERVICES:
            ServiceIdentity.load_or_create(folder, service)
        for name in _WRAPPING:
            load_or_create(folder / name)
    except CannotStart as exc:
        fail(str(exc))
    typer.echo(f"{folder} has the keys of {', '.join(_SERVICES)}.")


def ready(
    port: Annotated[int, typer.Argument(help="Admin port of the service.", show_default=False)],
    host: Annotated[str, typer.Option(help="Where it listens.")] = "127.0.0.1",
) -> None:
    """End with 0 when a service can work, for health checks of containers.

    autoworker ready 9101
    """
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=3) as answer:
            typer.echo(answer.read().decode())
    except urllib.error.HTTPError as exc:
        fail(f"not ready: {exc.read().decode()}")
    except OSError as exc:
        fail(f"nobody answers on {host}:{port}: {exc}")
