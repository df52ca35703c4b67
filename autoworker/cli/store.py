"""`autoworker store`: what services keep, from one place to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from autoworker.cli import looks
from autoworker.cli.failing import fail, finished
from autoworker.cli.store_progress import StoreProgress
from chassis.clock import SystemClock
from chassis.config import Environment
from chassis.errors import CannotStart, ServiceError

if TYPE_CHECKING:
    from autoworker.copying.running import Outcome

app = typer.Typer(
    name="store", no_args_is_help=True, help="What services keep, from one place to another."
)


@app.callback()
def _store() -> None:
    """What services keep, from one place to another."""


@app.command()
def copy(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Where everything is.", show_default=False)
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="Where it is to be.", show_default=False)
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be copied.")
    ] = False,
    verify_only: Annotated[
        bool, typer.Option("--verify-only", help="Copy nothing: compare the two.")
    ] = False,
    restart: Annotated[
        bool,
        typer.Option("--restart", help="Clear the half of a copy that is there, and begin anew."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome as JSON.")] = False,
) -> None:
    """Copy everything from SQLite to MongoDB, or back, and compare it.

    FROM and TO are a data directory, a URL as AUTOWORKER_STORE_URL has it,
    or the word `settings` for what that one says: so no password is seen in
    the list of processes.

    Stop the services first: a store that is in use is refused. TO must be
    empty, and FROM is not changed. Whatever ends the copy before its end, the
    same command goes on where it was; until then no service starts on what is
    half there. At the end every record is read back from both sides and
    compared: what differs is named, and the exit code is 1.

    What is sealed stays sealed, and the keys are files: give the services at
    the new place the same `keys` folder.

        autoworker store copy data mongodb://db/shop?replicaSet=rs0 --dry-run
        AUTOWORKER_STORE_URL_FILE=/url autoworker store copy data settings
        autoworker store copy settings sqlite:////var/lib/autoworker --json
        autoworker store copy data settings --verify-only
    """
    if verify_only and (dry_run or restart):
        fail("--verify-only copies nothing: leave the other options out")
    outcome = finished(
        _run(source, target, dry_run=dry_run, verify_only=verify_only, restart=restart)
    )
    _tell(outcome, dry_run=dry_run, as_json=as_json)
    raise typer.Exit(1 if outcome.different else 0)


async def _run(
    source: str, target: str, *, dry_run: bool, verify_only: bool, restart: bool
) -> Outcome:
    # Only now: the services take a while to import, which no other command needs.
    from autoworker.copying.places import Files, place_of
    from autoworker.copying.running import Copier

    env = Environment()
    here, there = place_of(source, env), place_of(target, env)
    if isinstance(here, Files) == isinstance(there, Files):
        raise CannotStart(
            "one of FROM and TO must be on MongoDB and the other one not: copy files as files, and"
            " databases with the server's own tools"
        )
    with StoreProgress(looks.consoles()[1]) as watch:
        copier = Copier(here, there, watch, SystemClock())
        try:
            if dry_run:
                return await copier.plan(restart=restart)
            return await (copier.verify() if verify_only else copier.copy(restart=restart))
        except ServiceError as exc:
            raise CannotStart(
                f"{exc.message}; what is copied stays, and the same command goes on from there"
            ) from exc


def _tell(outcome: Outcome, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_json(outcome))).decode())
        return
    for service, kinds in outcome.records.items():
        there = outcome.already.get(service, 0)
        note = f", {there:,} of them there already" if there else ""
        typer.echo(f"{service}: {sum(kinds.values()):,} records{note}")
        for kind, count in kinds.items():
            if count:
                typer.echo(f"  {count:>12,}  {kind}")
    for service in outcome.absent:
        typer.echo(f"{service}: has nothing there")
    if dry_run:
        typer.echo("Nothing was copied.")
        return
    if outcome.copied_in:
        typer.echo(f"Copied in {looks.duration(outcome.copied_in)}.")
    for each in outcome.differences:
        typer.echo(f"{each.service} {each.kind.name} {each.named}: {each.what} at the target")
    typer.echo(_verdict(outcome))


def _verdict(outcome: Outcome) -> str:
    if not outcome.different:
        return f"Both have the same; compared in {looks.duration(outcome.compared_in)}."
    return f"{outcome.different:,} records are not the same in both."


def _json(outcome: Outcome) -> dict[str, object]:
    return {
        "from": outcome.source,
        "to": outcome.target,
        "records": outcome.total,
        "services": outcome.records,
        "absent": outcome.absent,
        "already_there": outcome.already,
        "copied_in_seconds": round(outcome.copied_in, 3),
        "compared_in_seconds": round(outcome.compared_in, 3),
        "different": outcome.different,
        "differences": [
            {
                "service": each.service,
                "kind": each.kind.name,
                "key": each.named,
                "what": each.what,
            }
            for each in outcome.differences
        ],
    }
