"""The audit trail, for administrators."""

import csv
import io
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from chassis.errors import Kind, ServiceError
from gateway.ports import Page
from gateway.ports.audit import Audit, AuditEntry, AuditFilter, AuditVerdict
from gateway.routes.paging import PAGING
from gateway.routes.queries import Query
from gateway.routes.route import Incoming, Parameter, Reply, Route, answer

TAG: Final = "Audit"
READ: Final = "audit:read"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
_MOMENT: Final = {"type": "string", "format": "date-time"}
_TEXT: Final = {"type": "string"}
_FILTERS: Final = (
    Parameter("actor", "Who did it, by id", _TEXT),
    Parameter("action", "What was done: the name of an event", _TEXT),
    Parameter("target", "What it was done to", _TEXT),
    Parameter("outcome", "How it ended", {"type": "string", "enum": ["done", "refused"]}),
    Parameter("address", "From which network address", _TEXT),
    Parameter("from", "Not before this moment", _MOMENT),
    Parameter("to", "Before this moment", _MOMENT),
)
_EXAMPLE: Final = {
    "id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "sequence": 42,
    "time": "2026-01-15T10:30:00.123456Z",
    "tenant": "default",
    "source": "workflow",
    "action": "secret_set",
    "outcome": "done",
    "actor": "0199c5e8-0000-7a20-9d2e-3c1f5b7a9d10",
    "target": "shop",
    "address": "",
    "reason": "",
    "request_id": "0199c5e8-1111-7a20-9d2e-3c1f5b7a9d10",
    "data": {"shared": False, "version": 2},
    "erased": False,
    "previous": "5f1d…",
    "hash": "9a0b…",
}
_VERDICT: Final = {
    "intact": False, "entries": 41, "first": 1, "last": 41, "erased": 0, "checkpoints": 12,
    "broken": {
        "sequence": 42, "fault": "edited", "entry_id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
        "detail": "the entry does not prove itself",
    },
}  # fmt: skip
_COLUMNS: Final = (
    "sequence", "time", "action", "outcome", "actor", "target", "address", "reason", "request_id",
    "source", "tenant", "id", "data", "erased", "previous", "hash",
)  # fmt: skip
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_encoder = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class AuditRoutes:
    """Everything under /v1/audit."""

    audit: Audit

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path="/v1/audit",
            handler=self.list,
            summary="Look at the audit trail",
            description="Changes and refusals in one's own tenant, newest first. E-mail addresses are masked.",
            tag=TAG,
            permission=READ,
            service="auth",
            parameters=(*_FILTERS, *PAGING),
            replies=[Reply(200, "A page of entries", Page[AuditEntry])],
        )
        yield self._export()
        yield Route(
            method="GET",
            path="/v1/audit/verify",
            handler=self.verify,
            summary="Verify the audit trail",
            description="Goes along the whole chain of one's tenant and compares it with every checkpoint. "
            "`broken` is the first place that does not hold: an entry that was edited (or put in), one that is "
            "missing, an end that was cut off, a chain that was replaced, or a mark that is not the suite's.",
            tag=TAG,
            permission=READ,
            service="auth",
            replies=[Reply(200, "What was found", AuditVerdict, example=_VERDICT)],
        )

    def _export(self) -> Route:
        return Route(
            method="GET",
            path="/v1/audit/export",
            handler=self.export,
            summary="Export the audit trail",
            description="All that the filters admit, newest first: one JSON object a line, or CSV with "
            "`format=csv`. In CSV, cells that a spreadsheet would compute begin with an apostrophe.",
            tag=TAG,
            permission=READ,
            service="auth",
            parameters=(
                *_FILTERS,
                Parameter(
                    "format",
                    "How lines are written",
                    {"type": "string", "enum": ["ndjson", "csv"], "default": "ndjson"},
                ),
            ),
            replies=[
                Reply(200, "The entries", AuditEntry, media_type=NDJSON, example=_EXAMPLE),
            ],
            errors=[Kind.UNAVAILABLE],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/audit"""
        query = request.query()
        wanted, page = _filter(query), query.page()
        query.check()
        return answer(await self.audit.entries(request.caller, wanted, page))

    async def verify(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/audit/verify"""
        return answer(await self.audit.verify(request.caller))

    async def export(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/audit/export"""
        query = request.query()
        wanted, chosen = _filter(query), query.choices("format", ("ndjson", "csv"))
        query.check()
        as_csv = chosen == ("csv",)
        async with aclosing(self.audit.every(request.caller, wanted)) as pages:
            # Asked first, so that a refusal is an answer and not a broken file.
            first = await anext(pages, None)
            response = web.StreamResponse(headers=request.answer_headers)
            response.content_type = CSV if as_csv else NDJSON
            name = "audit.csv" if as_csv else "audit.ndjson"
            response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
            await response.prepare(request.http)
            if as_csv:
                await response.write(_csv([_COLUMNS]))
            await self._copy(first, pages, response, as_csv=as_csv)
            await response.write_eof()
        return response

    async def _copy(
        self,
        page: Sequence[AuditEntry] | None,
        pages: AsyncGenerator[Sequence[AuditEntry], None],
        response: web.StreamResponse,
        *,
        as_csv: bool,
    ) -> None:
        try:
            while page:
                await response.write(
                    _csv(map(_cells, page)) if as_csv else _encoder.encode_lines(page)
                )
                page = await anext(pages, None)
        except ServiceError as exc:
            # The headers are long gone: a file without its end tells that it is not whole.
            raise ConnectionResetError("the export ended early") from exc


def _filter(query: Query) -> AuditFilter:
    outcome = query.choices("outcome", ("done", "refused"))
    return AuditFilter(
        actor=query.text("actor"),
        action=query.text("action"),
        target=query.text("target"),
        outcome=outcome[0] if len(outcome) == 1 else "",
        address=query.text("address"),
        since=query.time("from"),
        until=query.time("to"),
    )


def _cells(entry: AuditEntry) -> list[str]:
    return [_cell(getattr(entry, name)) for name in _COLUMNS]


def _cell(value: object) -> str:
    """A value as text that no spreadsheet computes."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULAS) else value
    return _encoder.encode(value).decode().strip('"')


def _csv(rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
