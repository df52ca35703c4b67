"""`autoworker migrate`: the steps that stores are made by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autoworker import data_dir
from autoworker.cli.failing import fail, finished
from chassis.config import Environment
from chassis.errors import CannotStart, ServiceError

if TYPE_CHECKING:
    from autoworker.migrating import Step, Store

app = typer.Typer(
    name="migrate",
    no_args_is_help=True,
    help="The steps that stores are made by: what there is, forwards and back.",
)
_Service = Annotated[
    str | None,
    typer.Argument(
        help="auth, workflow or notification; all of them without it.",
        metavar="[SERVICE]",
        show_default=False,
    ),
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]


@app.command()
def status(service: _Service = None) -> None:
    """Show every step of each store, and when it was applied."""
    for store in _chosen(service):
        typer.echo(f"{store.service}  {store.place}")
        for step in finished(_steps(store)):
            typer.echo(f"  {step.version:>4}  {_when(step):<20}  {step.name}")


@app.command()
def up(service: _Service = None, dry_run: _DryRun = False) -> None:
    """Apply the steps that are missing. Services do so by themselves when they start.

    autoworker migrate up --dry-run
    """
    for store in _chosen(service):
        missing = [step for step in finished(_steps(store)) if step.applied_at is None]
        _tell(store, missing, "would be applied" if dry_run else "applied")
        if missing and not dry_run:
            finished(_guarded(store, None))


@app.command()
def down(
    service: Annotated[
        str, typer.Argument(help="auth, workflow or notification.", show_default=False)
    ],
    to: Annotated[
        int,
        typer.Option("--to", min=0, help="The last step that stays; 0: none.", show_default=False),
    ],
    dry_run: _DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take steps back, newest first, with everything that is in their tables.

    Stop the services before.

        autoworker migrate down workflow --to 27 --dry-run
    """
    (store,) = _chosen(service)
    steps = finished(_steps(store))
    gone = [step for step in reversed(steps) if step.version > to and step.applied_at is not None]
    if gone and not dry_run and not yes:
        _tell(store, gone, "will be taken back, with all that is in them")
        typer.confirm("Go on?", abort=True)
    if gone and not dry_run:
        finished(_guarded(store, to))
    _tell(store, gone, "would be taken back" if dry_run else "taken back")


def _chosen(service: str | None) -> list[Store]:
    # Only now: the services take a while to import, which no other command needs.
    from autoworker.migrating import stores_of

    try:
        stores = stores_of(Environment())
    except CannotStart as exc:
        fail(str(exc))
    if service is None:
        return stores
    found = [store for store in stores if store.service == service]
    if not found:
        fail(f"there is no service {service}: choose {', '.join(each.service for each in stores)}")
    return found


async def _steps(store: Store) -> list[Step]:
    with _told():
        return list(await store.steps())


async def _guarded(store: Store, to: int | None) -> None:
    folder = Environment().path("AUTOWORKER_DATA_DIR", Path("data"))
    with _told(), data_dir.held(folder):
        await (store.up() if to is None else store.down(to))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ServiceError as exc:
        raise CannotStart(exc.message) from exc


def _tell(store: Store, steps: list[Step], what: str) -> None:
    if not steps:
        typer.echo(f"{store.service}: nothing to do")
    for step in steps:
        typer.echo(f"{store.service}: {step.version} {step.name} {what}")


def _when(step: Step) -> str:
    return "missing" if step.applied_at is None else f"{step.applied_at:%Y-%m-%d %H:%M:%S}"
