"""`autoworker users`: the accounts of the tenant, for administrators."""

import sys
from typing import Annotated

import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.users import Account

app = typer.Typer(
    name="users",
    no_args_is_help=True,
    help="The accounts of the tenant; for administrators.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_User = Annotated[str, typer.Argument(help="The user's id.", metavar="USER", show_default=False)]


@app.command("list")
def list_(
    email: Annotated[str, typer.Option("--email", help="The beginning of the address.")] = "",
    role: Annotated[str, typer.Option("--role", help="Only those who have it.")] = "",
    inactive: Annotated[bool, typer.Option("--inactive", help="Only deactivated ones.")] = False,
    url: _Url = None,
) -> None:
    """List users, the newest first."""
    finished(_list(connected(url), email, role, active=False if inactive else None))


@app.command()
def show(user: _User, url: _Url = None) -> None:
    """Show a user."""
    _told(finished(_show(connected(url), user)))


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The address.", show_default=False)],
    name: Annotated[str, typer.Option("--name", help="What they are called.")] = "",
    password: Annotated[
        bool, typer.Option("--password", help="Set one, from standard input or asked for.")
    ] = False,
    url: _Url = None,
) -> None:
    """Make an account for somebody, who is invited by mail to choose a password.

    autoworker users create ada@example.com --name Ada
    """
    given = _password() if password else None
    made = finished(_create(connected(url), email, name, given))
    typer.echo(f"{made.email} has the id {made.id}" + ("." if password else " and is invited."))


@app.command()
def rename(
    user: _User,
    name: Annotated[str, typer.Argument(help="The new name.", show_default=False)],
    url: _Url = None,
) -> None:
    """Change what a user is called."""
    _told(finished(_rename(connected(url), user, name)))


@app.command()
def deactivate(user: _User, url: _Url = None) -> None:
    """Let somebody in no more; sessions, tokens and API keys are dead at once."""
    _told(finished(_set_active(connected(url), user, active=False)))


@app.command()
def activate(user: _User, url: _Url = None) -> None:
    """Let somebody in again."""
    _told(finished(_set_active(connected(url), user, active=True)))


@app.command()
def logout(user: _User, url: _Url = None) -> None:
    """Log somebody out everywhere."""
    ended = finished(_logout(connected(url), user))
    typer.echo(f"{ended} sessions have ended.")


@app.command()
def delete(
    user: _User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    url: _Url = None,
) -> None:
    """Delete somebody for good, with everything personal."""
    if not yes:
        _ = typer.confirm(f"Delete the user {user} for good?", abort=True)
    finished(_delete(connected(url), user))
    typer.echo(f"{user} is deleted.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.read().removesuffix("\n").removesuffix("\r")


def _told(account: Account) -> None:
    confirmed = "confirmed" if account.email_verified else "not confirmed"
    state = "active" if account.active else "deactivated"
    typer.echo(f"{account.email} ({confirmed}), {account.name or 'no name'}: {state}")
    typer.echo(f"id {account.id}, roles: {', '.join(account.roles) or 'none'}")


async def _list(client: Client, email: str, role: str, *, active: bool | None) -> None:
    out, _ = looks.consoles()
    async with client:
        async for account in client.users(email=email, role=role, active=active):
            state = "active" if account.active else "deactivated"
            line = (account.id, account.email, state, ", ".join(account.roles), account.name)
            out.print("\t".join(line), markup=False, highlight=False)


async def _show(client: Client, user: str) -> Account:
    async with client:
        return await client.user(user)


async def _create(client: Client, email: str, name: str, password: str | None) -> Account:
    async with client:
        return await client.create_user(email, name=name, password=password)


async def _rename(client: Client, user: str, name: str) -> Account:
    async with client:
        return await client.update_user(user, name=name)


async def _set_active(client: Client, user: str, *, active: bool) -> Account:
    async with client:
        return await (client.activate_user(user) if active else client.deactivate_user(user))


async def _logout(client: Client, user: str) -> int:
    async with client:
        return await client.end_user_sessions(user)


async def _delete(client: Client, user: str) -> None:
    async with client:
        await client.delete_user(user)
