"""`autoworker secrets`: values come from standard input or a prompt, never from the command line."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import fail, finished
from autoworker.client import Client
from autoworker.model import JsonValue
from autoworker.secrets import Secret
from chassis.config import Environment
from chassis.crypto.key_file import add_key
from chassis.errors import CannotStart

app = typer.Typer(
    name="secrets",
    no_args_is_help=True,
    help="Secrets that workflows use: values go in, and never out.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Name = Annotated[str, typer.Argument(help="What workflows call it.", show_default=False)]
_Shared = Annotated[
    bool, typer.Option("--shared", help="For everybody in the tenant; administrators may.")
]


@app.command("set")
def set_(
    name: _Name,
    json: Annotated[
        bool, typer.Option("--json", help="The value is a JSON object whose leaves are texts.")
    ] = False,
    shared: _Shared = False,
    url: _Url = None,
) -> None:
    """Set a secret. The value is read from standard input, or asked for.

    One line break at its end does not belong to it.

        autoworker secrets set shop-token < token.txt
        autoworker secrets set shop --json < credentials.json
    """
    text = _given(name)
    value = _object(text) if json else text
    secret = finished(_set(connected(url), name, value, shared=shared))
    typer.echo(f"{secret.name} is set (version {secret.version}).")


@app.command("list")
def list_(url: _Url = None) -> None:
    """List what your workflows may use, without values."""
    finished(_list(connected(url)))


@app.command()
def delete(name: _Name, shared: _Shared = False, url: _Url = None) -> None:
    """Delete a secret."""
    finished(_delete(connected(url), name, shared=shared))
    typer.echo(f"{name} is deleted.")


@app.command()
def rotate() -> None:
    """Add a new key to the file of keys on this machine.

    From its next start on, the workflow service wraps everything with it.
    The older keys may be taken out of the file once the service has logged
    `secrets_rewrapped`.

        AUTOWORKER_DATA_DIR=/var/lib/autoworker autoworker secrets rotate
    """
    env = Environment()
    default = env.path("AUTOWORKER_DATA_DIR", Path("data")) / "keys" / "secrets.keys"
    path = env.path("AUTOWORKER_SECRETS_KEY_FILE", default)
    try:
        key = add_key(path)
    except CannotStart as exc:
        fail(str(exc))
    typer.echo(f"{path} has the new key {key}. Restart the workflow service to use it.")


def _given(name: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(f"Value of {name}", hide_input=True))
    text = sys.stdin.read()
    return text[:-1] if text.endswith("\n") else text


def _object(text: str) -> dict[str, JsonValue]:
    try:
        return msgspec.json.decode(text, type=dict[str, JsonValue])
    except (msgspec.DecodeError, RecursionError):
        # Without the parser's words: they could show a part of the value.
        fail("the value is not a JSON object")


async def _set(
    client: Client, name: str, value: str | dict[str, JsonValue], *, shared: bool
) -> Secret:
    async with client:
        return await client.set_secret(name, value, shared=shared)


async def _list(client: Client) -> None:
    out, err = looks.consoles()
    async with client:
        found = [secret async for secret in client.secrets()]
    for secret in found:
        whose = "shared" if secret.shared else "own"
        line = (
            f"{secret.name}\tversion {secret.version}\t{whose}\t{secret.updated_at:%Y-%m-%d %H:%M}"
        )
        out.print(line, markup=False, highlight=False)
    if not found:
        err.print("There are none.")


async def _delete(client: Client, name: str, *, shared: bool) -> None:
    async with client:
        await client.delete_secret(name, shared=shared)
