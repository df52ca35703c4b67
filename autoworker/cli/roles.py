"""`autoworker roles`: what users may do, and who is which."""

from typing import Annotated

import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.roles import Role, UserRoles

app = typer.Typer(
    name="roles",
    no_args_is_help=True,
    help="What users may do, and who is which; for administrators.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Name = Annotated[str, typer.Argument(help="The role.", metavar="ROLE", show_default=False)]
_User = Annotated[str, typer.Argument(help="The user's id.", metavar="USER", show_default=False)]


@app.command("list")
def list_(url: _Url = None) -> None:
    """List roles, each with what it gives."""
    finished(_list(connected(url)))


@app.command()
def put(
    name: _Name,
    permission: Annotated[
        list[str] | None, typer.Option("--permission", help="What it gives; any number of them.")
    ] = None,
    parent: Annotated[
        list[str] | None, typer.Option("--parent", help="A role that it builds upon.")
    ] = None,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    url: _Url = None,
) -> None:
    """Make a role, or change all of it.

    autoworker roles put operator --permission executions:write-all --parent user
    """
    role = finished(_put(connected(url), name, permission or [], parent or [], description))
    typer.echo(f"{role.name} gives: {', '.join(role.effective_permissions) or 'nothing'}.")


@app.command()
def delete(name: _Name, url: _Url = None) -> None:
    """Delete a role that nobody needs."""
    finished(_delete(connected(url), name))
    typer.echo(f"{name} is deleted.")


@app.command()
def show(user: _User, url: _Url = None) -> None:
    """Show the roles of a user, and what they give."""
    _tell(finished(_show(connected(url), user)))


@app.command()
def grant(user: _User, role: _Name, url: _Url = None) -> None:
    """Give a user a role."""
    _tell(finished(_grant(connected(url), user, role)))


@app.command()
def take(user: _User, role: _Name, url: _Url = None) -> None:
    """Take a role from a user."""
    _tell(finished(_take(connected(url), user, role)))


def _tell(roles: UserRoles) -> None:
    typer.echo(f"{roles.user_id} is: {', '.join(roles.roles) or 'nothing'}.")
    typer.echo(f"May: {', '.join(roles.permissions) or 'nothing'}.")


async def _list(client: Client) -> None:
    out, _ = looks.consoles()
    async with client:
        async for role in client.roles():
            kind = "built in" if role.built_in else "own"
            gives = ", ".join(role.effective_permissions)
            out.print(f"{role.name}\t{kind}\t{gives}", markup=False, highlight=False)


async def _put(
    client: Client, name: str, permissions: list[str], parents: list[str], description: str
) -> Role:
    async with client:
        return await client.put_role(
            name, permissions=permissions, parents=parents, description=description
        )


async def _delete(client: Client, name: str) -> None:
    async with client:
        await client.delete_role(name)


async def _show(client: Client, user: str) -> UserRoles:
    async with client:
        return await client.user_roles(user)


async def _grant(client: Client, user: str, role: str) -> UserRoles:
    async with client:
        return await client.grant_role(user, role)


async def _take(client: Client, user: str, role: str) -> UserRoles:
    async with client:
        return await client.take_role(user, role)
