"""`autoworker mfa`: second factors of one's own, and the code that a login asks for."""

from collections.abc import Sequence
from typing import Annotated

import segno
import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.errors import MfaRequired
from autoworker.factors import OwnFactors, PendingLogin, SteppedUp, pending_login
from autoworker.model import Tokens

app = typer.Typer(
    name="mfa", no_args_is_help=True, help="Second factors: codes beside the password."
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_SENT = frozenset({"email", "sms"})


@app.command("list")
def list_(url: _Url = None) -> None:
    """List your second factors."""
    out, _ = looks.consoles()
    own = finished(_factors(connected(url)))
    for factor in own.items:
        out.print(f"{factor.kind}  {factor.target}  [dim]{factor.id}[/]")
    if own.items:
        out.print(f"[dim]{own.recovery_codes_left} recovery codes are left.[/]")
    else:
        out.print("There is no second factor. Set one up: autoworker mfa setup")


@app.command()
def setup(url: _Url = None) -> None:
    """Set an authenticator app up: scan the code, type what the app shows."""
    codes = finished(_setup(connected(url)))
    typer.echo("From now on a login asks for a code.")
    if codes:
        typer.echo("Keep these recovery codes; each is good once, when the app is lost:")
        for code in codes:
            typer.echo(f"  {code}")


@app.command()
def remove(
    factor: Annotated[str, typer.Argument(help="Its id, as `list` shows it.")], url: _Url = None
) -> None:
    """Take a second factor away."""
    finished(_remove(connected(url), factor))
    typer.echo("It is gone.")


@app.command("step-up")
def step_up(url: _Url = None) -> None:
    """Prove again who one is, for what is sensitive; good for five minutes."""
    stepped = finished(_step_up(connected(url)))
    typer.echo(f"Done ({stepped.acr}).")


@app.command("recovery-codes")
def recovery_codes(url: _Url = None) -> None:
    """Make new recovery codes; the old ones are void."""
    for code in finished(_renew(connected(url))):
        typer.echo(code)


async def logged_in(client: Client, email: str, password: str) -> Tokens:
    """The session of whoever knows the password, and the code if one is asked for."""
    try:
        return await client.login(email, password)
    except MfaRequired as exc:
        pending = pending_login(exc)
        if pending is None:
            raise
        return await _completed(client, pending)


async def _completed(client: Client, pending: PendingLogin) -> Tokens:
    method = _chosen(pending.methods)
    if method in _SENT:
        await client.send_login_code(pending.mfa_token, method)
    return await client.complete_login(pending.mfa_token, method, _asked(method))


async def _factors(client: Client) -> OwnFactors:
    async with client:
        return await client.factors()


async def _setup(client: Client) -> list[str]:
    async with client:
        made = await client.enrol_totp()
        segno.make(made.uri, micro=False).terminal(compact=True)
        typer.echo(f"Or type this into the app: {made.secret}")
        return (await client.confirm_factor("totp", _asked("totp"))).recovery_codes


async def _remove(client: Client, factor: str) -> None:
    async with client:
        await client.remove_factor(factor)


async def _step_up(client: Client) -> SteppedUp:
    async with client:
        own = await client.factors()
        if not own.items:
            password = typer.prompt("Password", hide_input=True)
            return await client.step_up("password", password=password)
        recovery = ["recovery"] if own.recovery_codes_left else []
        method = _chosen([*(factor.kind for factor in own.items), *recovery])
        if method in _SENT:
            await client.send_step_up_code(method)
        return await client.step_up(method, code=_asked(method))


async def _renew(client: Client) -> list[str]:
    async with client:
        return await client.renew_recovery_codes()


def _chosen(methods: Sequence[str]) -> str:
    if len(methods) == 1:
        return methods[0]
    return str(typer.prompt(f"Method ({', '.join(methods)})", default=methods[0]))


def _asked(method: str) -> str:
    said = {"totp": "Code that the app shows", "recovery": "Recovery code"}
    return str(typer.prompt(said.get(method, "Code that was sent")))
