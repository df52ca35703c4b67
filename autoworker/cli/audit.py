"""`autoworker audit`: what happened, who did it, and whether the trail is what was written."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from auth_service.adapters.offline_trail import OfflineTrail
from auth_service.application.ports import audit as kept
from auth_service.bootstrap.audit import is_database, offline
from autoworker.audit import AuditEntry, AuditFilter, AuditVerdict, BrokenPlace
from autoworker.cli.connection import connected
from autoworker.cli.failing import fail, finished
from autoworker.client import Client
from chassis.config import Environment
from chassis.errors import CannotStart, Unavailable

app = typer.Typer(
    name="audit",
    no_args_is_help=True,
    help="What happened, who did it, and whether the trail is what was written. For administrators.",
)
_Url = Annotated[
    str | None, typer.Option("--url", help="Where the gateway is.", show_default=False)
]
_Actor = Annotated[str, typer.Option(help="Who did it, by id.", show_default=False)]
_Action = Annotated[str, typer.Option(help="The name of an event.", show_default=False)]
_Target = Annotated[str, typer.Option(help="What it was done to.", show_default=False)]
_Outcome = Annotated[str, typer.Option(help="done or refused.", show_default=False)]
_Address = Annotated[str, typer.Option(help="From where.", show_default=False)]
_Since = Annotated[
    datetime | None, typer.Option("--from", help="Not before, UTC.", show_default=False)
]
_Until = Annotated[datetime | None, typer.Option("--to", help="Before, UTC.", show_default=False)]
_Store = Annotated[
    str | None,
    typer.Option(
        help="Read this auth.db, or the MongoDB at this URL, itself, without a suite.",
        show_default=False,
    ),
]
_KeyFile = Annotated[
    Path | None,
    typer.Option(help="The operator's keys; by default as the suite has them.", show_default=False),
]
_Checkpoints = Annotated[
    Path | None,
    typer.Option(
        help="The folder of checkpoints; by default as the suite has it.", show_default=False
    ),
]
_Tenant = Annotated[str, typer.Option(help="Of which tenant; with --store.", show_default=False)]


class Format(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


@app.command()
def search(
    actor: _Actor = "",
    action: _Action = "",
    target: _Target = "",
    outcome: _Outcome = "",
    address: _Address = "",
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    url: _Url = None,
) -> None:
    """Show the newest entries that are wanted."""
    wanted = _wanted(actor, action, target, outcome, address, since, until)
    finished(_search(connected(url), wanted, limit))


@app.command()
def export(
    actor: _Actor = "",
    action: _Action = "",
    target: _Target = "",
    outcome: _Outcome = "",
    address: _Address = "",
    since: _Since = None,
    until: _Until = None,
    format: Annotated[Format, typer.Option(help="How it is written.")] = Format.NDJSON,
    store: _Store = None,
    key_file: _KeyFile = None,
    tenant: _Tenant = "default",
    url: _Url = None,
) -> None:
    """Write all that is wanted to standard output.

    autoworker audit export --from 2026-01-01 > january.ndjson

    autoworker audit export --store backup/auth.db --key-file auth.keys
    """
    wanted = _wanted(actor, action, target, outcome, address, since, until)
    if store is None:
        finished(_export(connected(url), wanted, format))
        return
    if format is Format.CSV:
        fail("--store writes ndjson only")
    with _opened(store, key_file, None) as trail:
        for each in trail.find(_offline_filter(tenant, wanted)):
            _write(msgspec.json.encode(_entry_of(each)) + b"\n")


@app.command()
def verify(
    store: _Store = None,
    key_file: _KeyFile = None,
    checkpoints: _Checkpoints = None,
    url: _Url = None,
) -> None:
    """Say whether the trail is what was written; exit code 1 and the first place when it is not.

    Without --store the suite is asked, about one's own tenant. With it every tenant of the store is
    gone over, also of a backup, and no suite need run.

        autoworker audit verify --store data/auth.db

        autoworker audit verify --store mongodb://reader@host/autoworker
    """
    if store is None:
        found = [("", finished(_verify(connected(url))))]
    else:
        with _opened(store, key_file, checkpoints) as trail:
            found = [(name, _verdict_of(trail.verify(name))) for name in trail.tenants()]
    for tenant, verdict in found:
        typer.echo(f"{f'{tenant}: ' if tenant else ''}{_sentence(verdict)}")
    if not all(verdict.intact for _, verdict in found):
        raise typer.Exit(1)


def _sentence(verdict: AuditVerdict) -> str:
    broken = verdict.broken
    if broken is None:
        seen = f"{verdict.entries} entries ({verdict.first} to {verdict.last})"
        return f"intact: {seen}, {verdict.checkpoints} checkpoints" if verdict.entries else "empty"
    which = f" ({broken.entry_id})" if broken.entry_id else ""
    return f"BROKEN at entry {broken.sequence}{which}: {broken.fault}: {broken.detail}"


async def _search(client: Client, wanted: AuditFilter, limit: int) -> None:
    async with client:
        async for entry in client.audit(wanted):
            typer.echo(_line(entry))
            limit -= 1
            if limit == 0:
                return


async def _export(client: Client, wanted: AuditFilter, format: Format) -> None:
    async with client, client.export_audit(wanted, format=format.value) as chunks:
        async for chunk in chunks:
            _write(chunk)


async def _verify(client: Client) -> AuditVerdict:
    async with client:
        return await client.verify_audit()


def _write(chunk: bytes) -> None:
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def _line(entry: AuditEntry) -> str:
    who = entry.actor or entry.address or "-"
    facts = msgspec.json.encode(entry.data).decode() if entry.data else ""
    parts = (f"{entry.time:%Y-%m-%d %H:%M:%S}", entry.action, entry.outcome, who, entry.target)
    return "\t".join((str(entry.sequence), *parts, entry.reason, facts)).rstrip()


def _wanted(
    actor: str,
    action: str,
    target: str,
    outcome: str,
    address: str,
    since: datetime | None,
    until: datetime | None,
) -> AuditFilter:
    return AuditFilter(
        actor=actor,
        action=action,
        target=target,
        outcome=outcome,
        address=address,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
    )


@contextmanager
def _opened(store: str, key_file: Path | None, checkpoints: Path | None) -> Iterator[OfflineTrail]:
    env = Environment()
    beside = Path("data") if is_database(store) else Path(store).parent
    data = env.path("AUTOWORKER_DATA_DIR", beside)
    try:
        trail = offline(
            store,
            key_file or env.path("AUTOWORKER_AUTH_KEY_FILE", data / "keys" / "auth.keys"),
            checkpoints or env.path("AUTOWORKER_AUDIT_CHECKPOINTS", data / "audit"),
        )
    except CannotStart as exc:
        fail(str(exc))
    with closing(trail):
        try:
            yield trail
        except Unavailable as exc:
            fail(exc.message)


def _offline_filter(tenant: str, wanted: AuditFilter) -> kept.AuditFilter:
    return kept.AuditFilter(
        tenant=tenant,
        actor=wanted.actor,
        action=wanted.action,
        target=wanted.target,
        outcome=wanted.outcome,
        address=wanted.address,
        since=wanted.since,
        until=wanted.until,
    )


def _entry_of(found: kept.KeptEntry) -> AuditEntry:
    entry = found.entry
    return AuditEntry(
        id=entry.id,
        sequence=found.sequence,
        time=entry.time,
        tenant=entry.tenant,
        source=entry.source,
        action=entry.action,
        outcome=entry.outcome,
        actor=entry.actor,
        target=entry.target,
        address=entry.address,
        reason=entry.reason,
        request_id=entry.request_id,
        data={**entry.data, **entry.personal},
        erased=found.erased,
        previous=found.previous.hex(),
        hash=found.link.hex(),
    )


def _verdict_of(verdict: kept.Verdict) -> AuditVerdict:
    broken = verdict.broken
    return AuditVerdict(
        intact=broken is None,
        entries=verdict.entries,
        first=verdict.first,
        last=verdict.last,
        erased=verdict.erased,
        checkpoints=verdict.checkpoints,
        broken=BrokenPlace(broken.sequence, broken.fault.value, broken.entry_id, broken.detail)
        if broken
        else None,
    )
