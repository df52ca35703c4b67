"""`autoworker dead-letters`: what was given up."""

import json
from typing import Annotated

import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import fail, finished
from autoworker.client import Client
from autoworker.dead_letters import DeadLetter, Redriven

app = typer.Typer(
    name="dead-letters",
    no_args_is_help=True,
    help="What was given up: events and deliveries, to look at, offer again or discard.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Kind = Annotated[str, typer.Option("--kind", help="Only events or deliveries: event, delivery.")]
_Service = Annotated[str, typer.Option("--service", help="Only those of this service.")]
_Type = Annotated[str, typer.Option("--type", help="Only of this type.")]
_Id = Annotated[str, typer.Argument(help="Its id.", metavar="ID", show_default=False)]


@app.command("list")
def list_(kind: _Kind = "", service: _Service = "", type: _Type = "", url: _Url = None) -> None:
    """List them, the newest first."""
    finished(_list(connected(url), kind, service, type))


@app.command()
def show(letter: _Id, url: _Url = None) -> None:
    """Show one, with what it holds; secrets and addresses are masked."""
    finished(_show(connected(url), letter))


@app.command()
def redrive(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Which ones.", metavar="ID", show_default=False)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that the options let through.")] = False,
    kind: _Kind = "",
    service: _Service = "",
    type: _Type = "",
    limit: Annotated[int, typer.Option("--limit", help="So many at the most.")] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
    url: _Url = None,
) -> None:
    """Offer some again.

    autoworker dead-letters redrive 6f1b7a209d2e3c1f5b7a9d100199c5e8
    autoworker dead-letters redrive --all --service notification --dry-run
    """
    if bool(ids) == every:
        fail("say which ones: their ids, or --all")
    client = connected(url)
    done = finished(_redrive(client, ids or [], kind, service, type, limit, dry_run=dry_run))
    for letter in done.redriven:
        typer.echo(f"{letter}\t{'would be offered again' if dry_run else 'offered again'}")
    for failure in done.failed:
        typer.echo(f"{failure.id}\tnot: {failure.reason}", err=True)
    if done.failed:
        raise typer.Exit(1)


@app.command()
def discard(letter: _Id, url: _Url = None) -> None:
    """Forget one."""
    finished(_discard(connected(url), letter))
    typer.echo(f"{letter} is discarded.")


async def _list(client: Client, kind: str, service: str, type: str) -> None:
    out, err = looks.consoles()
    async with client:
        found = [
            letter async for letter in client.dead_letters(kind=kind, service=service, type=type)
        ]
    for letter in found:
        out.print(_line(letter), markup=False, highlight=False)
    if not found:
        err.print("There are none.")


async def _show(client: Client, letter: str) -> None:
    out, _ = looks.consoles()
    async with client:
        found = await client.dead_letter(letter)
    out.print(_line(found), markup=False, highlight=False)
    out.print(json.dumps(found.payload, indent=2), markup=False, highlight=False)


async def _redrive(
    client: Client, ids: list[str], kind: str, service: str, type: str, limit: int, *, dry_run: bool
) -> Redriven:
    async with client:
        return await client.redrive(
            ids, kind=kind, service=service, type=type, limit=limit, dry_run=dry_run
        )


async def _discard(client: Client, letter: str) -> None:
    async with client:
        await client.discard_dead_letter(letter)


def _line(letter: DeadLetter) -> str:
    last = f"{letter.last_at:%Y-%m-%d %H:%M}" if letter.last_at else "-"
    return "\t".join([letter.id, last, letter.kind, letter.service, letter.type, letter.reason])
