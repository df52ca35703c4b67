"""`autoworker keys`: secrets for programs. A new key is written to standard output, alone and once."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

import typer

from autoworker.api_keys import ApiKey, NewApiKey
from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.errors import PermissionDenied
from chassis.clock import SystemClock

app = typer.Typer(
    name="keys",
    no_args_is_help=True,
    help="API keys: secrets for programs, which act for you.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Id = Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.", show_default=False)],
    permission: Annotated[
        list[str],
        typer.Option("--permission", "-p", help="What it may do; again for more.", metavar="R:A"),
    ],
    rate_limit: Annotated[
        int | None, typer.Option("--rate-limit", help="Requests per minute.", show_default=False)
    ] = None,
    allow_ip: Annotated[
        list[str] | None,
        typer.Option("--allow-ip", help="Address or network (CIDR); again for more."),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="How long it is good.", min=1, show_default=False)
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="For tests: marks the executions that it starts.")
    ] = False,
    url: _Url = None,
) -> None:
    """Make a key. Its text goes to standard output, and is never shown again.

    autoworker keys create import -p executions:write -p executions:read > key.txt
    """
    expires_at = None if days is None else SystemClock().now() + timedelta(days=days)

    async def work(client: Client, password: str) -> NewApiKey:
        return await client.create_api_key(
            name,
            permission,
            rate_limit=rate_limit,
            allowed_ips=allow_ip or (),
            expires_at=expires_at,
            environment="test" if test else "live",
            password=password,
        )

    _show_new(finished(_confirmed(connected(url), work)))


@app.command("list")
def list_(
    everybodys: Annotated[
        bool, typer.Option("--all", help="Everybody's; administrators may.")
    ] = False,
    url: _Url = None,
) -> None:
    """List keys, newest first, without their texts."""
    finished(_list(connected(url), everybodys=everybodys))


@app.command()
def rotate(
    key_id: _Id,
    overlap: Annotated[
        int, typer.Option("--overlap", help="Seconds that the old text stays good.", min=0)
    ] = 86_400,
    url: _Url = None,
) -> None:
    """Give a key another text, which goes to standard output and is never shown again."""

    async def work(client: Client, password: str) -> NewApiKey:
        return await client.rotate_api_key(key_id, overlap=overlap, password=password)

    _show_new(finished(_confirmed(connected(url), work)))


@app.command()
def revoke(key_id: _Id, url: _Url = None) -> None:
    """End a key: it is refused everywhere within a second."""

    async def work(client: Client) -> None:
        async with client:
            await client.delete_api_key(key_id)

    finished(work(connected(url)))
    typer.echo(f"{key_id} is dead.")


async def _confirmed(
    client: Client, work: Callable[[Client, str], Awaitable[NewApiKey]]
) -> NewApiKey:
    """Do *work*; with the password, when a terminal can be asked for it and it is asked for."""
    async with client:
        try:
            return await work(client, "")
        except PermissionDenied as exc:
            wanted = any(detail.field == "password" for detail in exc.details)
            if not wanted or not sys.stdin.isatty():
                raise
        password = await asyncio.to_thread(typer.prompt, "Your password", hide_input=True)
        return await work(client, str(password))


def _show_new(made: NewApiKey) -> None:
    _, err = looks.consoles()
    err.print(f"{made.name} ({made.id}); this is shown once:", markup=False, highlight=False)
    typer.echo(made.key)


async def _list(client: Client, *, everybodys: bool) -> None:
    out, err = looks.consoles()
    async with client:
        found = [key async for key in client.api_keys(everybodys=everybodys)]
    for key in found:
        out.print(_line(key), markup=False, highlight=False, soft_wrap=True)
    if not found:
        err.print("There are none.")


def _line(key: ApiKey) -> str:
    used = (
        f"used {key.uses}x, last {key.last_used_at:%Y-%m-%d %H:%M}"
        if key.last_used_at
        else "unused"
    )
    ends = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "without end"
    permissions = " ".join(key.permissions)
    return "\t".join((key.id, key.name, f"{key.prefix}…", permissions, ends, used))
