"""`autoworker oauth-clients`: applications that act for users, or for themselves."""

from typing import Annotated

import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.oauth_clients import OAuthClient, RotatedSecret

app = typer.Typer(
    name="oauth-clients",
    no_args_is_help=True,
    help="Applications that act for users, or for themselves; for administrators.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Id = Annotated[str, typer.Argument(help="The client's id.", metavar="CLIENT", show_default=False)]


@app.command("list")
def list_(url: _Url = None) -> None:
    """List applications."""
    finished(_list(connected(url)))


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What users read.", show_default=False)],
    redirect_uri: Annotated[
        list[str] | None, typer.Option("--redirect-uri", help="Where users come back to.")
    ] = None,
    grant: Annotated[
        list[str] | None,
        typer.Option("--grant", help="A grant type; authorization_code when none is given."),
    ] = None,
    scope: Annotated[str, typer.Option("--scope", help="All that it may ask for.")] = "openid",
    public: Annotated[bool, typer.Option("--public", help="It cannot keep a secret.")] = False,
    native: Annotated[
        bool, typer.Option("--native", help="It runs on its user's machine.")
    ] = False,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role of its own account.")
    ] = None,
    url: _Url = None,
) -> None:
    """Register an application, and show its secret: this once.

    autoworker oauth-clients create "Nightly import" --grant client_credentials --scope workflows:read
    """
    made = finished(
        _create(
            connected(url),
            name,
            redirect_uris=redirect_uri or [],
            grants=grant or ["authorization_code"],
            scope=scope,
            method="none" if public else "client_secret_basic",
            native=native,
            roles=role or [],
        )
    )
    typer.echo(f"client_id: {made.client_id}")
    if made.client_secret:
        typer.echo(f"client_secret: {made.client_secret}")


@app.command("rotate-secret")
def rotate_secret(
    client_id: _Id,
    overlap: Annotated[
        int | None,
        typer.Option("--overlap", help="Seconds for which the one before counts.", min=0),
    ] = None,
    url: _Url = None,
) -> None:
    """Give an application a new secret, and show it: this once."""
    rotated = finished(_rotate(connected(url), client_id, overlap))
    typer.echo(f"client_secret: {rotated.client_secret}")
    until = rotated.previous_secret_expires_at.isoformat(timespec="seconds")
    typer.echo(f"The one before it counts until {until}.")


@app.command()
def delete(client_id: _Id, url: _Url = None) -> None:
    """Delete an application; its tokens are dead at once."""
    finished(_delete(connected(url), client_id))
    typer.echo(f"{client_id} is deleted.")


async def _list(client: Client) -> None:
    out, err = looks.consoles()
    async with client:
        clients = [each async for each in client.oauth_clients()]
    for each in clients:
        line = f"{each.client_id}\t{each.client_name}\t{' '.join(each.grant_types)}"
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if not clients:
        err.print("There are none.")


async def _create(
    client: Client,
    name: str,
    *,
    redirect_uris: list[str],
    grants: list[str],
    scope: str,
    method: str,
    native: bool,
    roles: list[str],
) -> OAuthClient:
    async with client:
        return await client.create_oauth_client(
            name,
            grant_types=grants,
            redirect_uris=redirect_uris,
            scope=scope,
            auth_method=method,
            native=native,
            service_account_roles=roles,
        )


async def _rotate(client: Client, client_id: str, overlap: int | None) -> RotatedSecret:
    async with client:
        return await client.rotate_oauth_client_secret(client_id, overlap=overlap)


async def _delete(client: Client, client_id: str) -> None:
    async with client:
        await client.delete_oauth_client(client_id)
