"""`autoworker schedules`: when workflows start by themselves."""

from datetime import datetime
from typing import Annotated

import typer

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import finished
from autoworker.client import Client
from autoworker.model import Execution
from autoworker.schedules import Schedule

app = typer.Typer(
    name="schedules",
    no_args_is_help=True,
    help="When workflows start by themselves.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Id = Annotated[str, typer.Argument(help="NAMESPACE.NAME of the workflow.", metavar="SCHEDULE")]


@app.command("list")
def list_(url: _Url = None) -> None:
    """List schedules, each with its next run."""
    finished(_list(connected(url)))


@app.command()
def show(schedule: _Id, url: _Url = None) -> None:
    """Show a schedule, its next and its last runs."""
    finished(_show(connected(url), schedule))


@app.command()
def pause(
    schedule: _Id,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown with it.")] = "",
    url: _Url = None,
) -> None:
    """Start nothing until it is resumed."""
    paused = finished(_pause(connected(url), schedule, reason))
    typer.echo(f"{paused.id} is paused.")


@app.command()
def resume(schedule: _Id, url: _Url = None) -> None:
    """Go on with the next tick."""
    resumed = finished(_resume(connected(url), schedule))
    typer.echo(f"{resumed.id} goes on: next run {_next(resumed)}.")


@app.command()
def trigger(schedule: _Id, url: _Url = None) -> None:
    """Start an execution now, beside the ticks."""
    begun = finished(_trigger(connected(url), schedule))
    typer.echo(begun.id)


async def _list(client: Client) -> None:
    out, err = looks.consoles()
    async with client:
        found = [schedule async for schedule in client.schedules()]
    for schedule in found:
        line = f"{schedule.id}\t{_when(schedule)}\tnext {_next(schedule)}"
        out.print(line, markup=False, highlight=False)
    if not found:
        err.print("There are none.")


async def _show(client: Client, schedule: str) -> None:
    out, _ = looks.consoles()
    async with client:
        found = await client.schedule(schedule)
    lines = [
        f"{found.id} {found.workflow.version or ''}\t{_when(found)}",
        f"started {found.started}, missed {found.missed}"
        f" (missed: {found.missed_policy}, overlap: {found.overlap_policy})",
    ]
    if found.paused is not None:
        reason = f": {found.paused.reason}" if found.paused.reason else ""
        lines.append(f"paused since {_moment(found.paused.at)} by {found.paused.by}{reason}")
    lines += [f"next\t{_moment(moment)}" for moment in found.next_runs]
    lines += [
        f"last\t{_moment(run.at or run.created_at)}\t{run.status}\t{run.execution_id}"
        for run in found.last_runs
    ]
    for line in lines:
        out.print(line, markup=False, highlight=False)


async def _pause(client: Client, schedule: str, reason: str) -> Schedule:
    async with client:
        return await client.pause_schedule(schedule, reason)


async def _resume(client: Client, schedule: str) -> Schedule:
    async with client:
        return await client.resume_schedule(schedule)


async def _trigger(client: Client, schedule: str) -> Execution:
    async with client:
        return await client.trigger_schedule(schedule)


def _when(schedule: Schedule) -> str:
    if schedule.cron is not None:
        return f"cron {schedule.cron} ({schedule.timezone})"
    if schedule.seconds is not None:
        return f"{schedule.kind} {schedule.seconds:g} s"
    return schedule.kind


def _next(schedule: Schedule) -> str:
    if schedule.paused is not None:
        return "never: it is paused"
    return _moment(schedule.next_runs[0]) if schedule.next_runs else "not known yet"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
