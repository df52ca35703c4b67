"""`autoworker check-deploy`: whom a new version of a workflow concerns."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from autoworker.cli import looks
from autoworker.cli.connection import connected
from autoworker.cli.failing import fail, finished
from autoworker.client import Client
from autoworker.deployments import ComparedVersion, Concern, DeploymentCheck, Difference

_SHOWN: Final = 30
"""Differences of one version that are listed at the most."""
_SCHEDULES: Final = {
    "begins": "would begin",
    "kept": "would go on as it is",
    "changes": "would be replaced",
    "ends": "would end",
}
_ORDER: Final = get_args(Concern)


def check_deploy(
    file: Annotated[Path, typer.Argument(help="A workflow, YAML or JSON.", show_default=False)],
    fail_on: Annotated[
        Literal["open", "differing", "breaking"],
        typer.Option(
            "--fail-on",
            help="What ends with 1: any open execution of another version, those at tasks that "
            "differ, or those at tasks that are gone, elsewhere, or of another kind.",
        ),
    ] = "open",
    as_json: Annotated[bool, typer.Option("--json", help="Tell it as JSON, for CI.")] = False,
    url: Annotated[
        str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
    ] = None,
) -> None:
    """Tell what publishing a workflow would mean for what runs.

    Compares it with the newest version, and with every version that has open
    executions: what differs, and at which tasks they stand. Nothing is kept.
    Open executions stay with the version that they began with.

    The exit code is 0 when it concerns nobody, 1 when it does, and 2 when the
    file cannot be used or the suite not be reached.

        autoworker check-deploy examples/order.yaml
        autoworker check-deploy order.yaml --fail-on breaking --json
    """
    try:
        check = finished(_asked(connected(url), _content(file)))
    except typer.Exit as ended:
        raise typer.Exit(2 if ended.exit_code == 1 else ended.exit_code) from None
    out, _ = looks.consoles()
    if as_json:
        out.print(msgspec.json.format(msgspec.json.encode(check)).decode(), markup=False)
    else:
        _show(check, out)
    concerned = _ORDER.index(check.concern) >= _ORDER.index(fail_on)
    raise typer.Exit(1 if concerned or check.published == "other" else 0)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        fail(f"cannot read {file}: {exc.strerror}")


async def _asked(client: Client, document: bytes) -> DeploymentCheck:
    async with client:
        return await client.check_deploy(document)


def _show(check: DeploymentCheck, out: Console) -> None:
    for sentence in _sentences(check):
        out.print(sentence, markup=False)
    for compared in check.versions:
        _show_version(compared, out)
    if check.concern != "none":
        out.print("\nOpen executions stay with the version that they began with, also in retries.")


def _sentences(check: DeploymentCheck) -> Iterator[str]:
    match check.published:
        case "same":
            yield f"{check.workflow} is published already, with this content."
        case "other":
            yield f"{check.workflow} is published already, with other content: this would be refused."
        case "no":
            yield f"{check.workflow} is not published yet."
    if check.becomes_newest:
        now = f", in place of {check.newest}" if check.newest else ""
        yield f"What starts without a version would run it{now}."
    elif check.newest != check.workflow.version:
        yield f"What starts without a version would go on with {check.newest}."
    if check.schedule != "none":
        yield f"Its schedule {_SCHEDULES[check.schedule]}."


def _show_version(compared: ComparedVersion, out: Console) -> None:
    parts = ", ".join(f"{count} {status}" for status, count in sorted(compared.statuses.items()))
    told = f"{compared.open} open ({parts})" if compared.open else "no open executions"
    out.print(f"\n{compared.version}: {told}", style="bold", markup=False)
    if compared.examined < compared.open:
        out.print(f"  where they stand is known of {compared.examined} of them")
    if compared.tasks:
        out.print(looks.indented(_tasks(compared)))
    for difference in compared.differences[:_SHOWN]:
        out.print(f"  {_told(difference)}", markup=False)
    if len(compared.differences) > _SHOWN:
        out.print(f"  and {len(compared.differences) - _SHOWN} more differences")
    if not compared.differences:
        out.print("  no differences")


def _tasks(compared: ComparedVersion) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("stand at", "executions", "there", "for example"):
        table.add_column(column)
    for task in compared.tasks:
        difference: str = "the same" if task.difference is None else task.difference.kind
        if task.difference is not None and task.difference.breaking:
            difference += ", breaking"
        table.add_row(task.task or "(not begun)", str(task.executions), difference, task.first[0])
    return table


def _told(difference: Difference) -> str:
    was = f" (was {difference.was})" if difference.was else ""
    members = f": {' '.join(difference.members)}" if difference.members else ""
    return f"{difference.kind} {difference.place}{was}{members}"
