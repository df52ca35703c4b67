"""Uses of API keys: counted in memory, told in batches, each once."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chassis.errors import DeadlineExceeded, ServiceError
from chassis.rpc.client import RpcClient
from gateway.adapters.key_uses import CountedKeyUses
from protos.auth.v1 import api_keys_pb2 as pb
from tests.support.ids import CountingIds
from tests.support.time import ManualClock, eventually
from tests.unit.gateway.test_gatekeeper import Channel


@dataclass
class Auth:
    """The auth service as its client sees it."""

    channel: Channel = field(default_factory=Channel)
    failure: ServiceError | None = None
    reports: list[pb.RecordKeyUsesRequest] = field(default_factory=list)

    async def call(self, method: object, request: Any, **_: object) -> Any:
        self.reports.append(request)
        if self.failure is not None:
            raise self.failure
        return pb.RecordKeyUsesResponse()


@pytest.fixture
def auth() -> Auth:
    return Auth()


@pytest.fixture
def uses(auth: Auth) -> CountedKeyUses:
    return CountedKeyUses(cast("RpcClient", auth), ManualClock(), CountingIds(), every=0.001)


def counts(report: pb.RecordKeyUsesRequest) -> dict[str, int]:
    return {each.key_id: each.count for each in report.uses}


async def test_uses_are_told_together_and_nothing_is_told_of_nothing(
    auth: Auth, uses: CountedKeyUses
) -> None:
    await uses.flush()
    for key in ("k1", "k2", "k1"):
        uses.note(key)
    await uses.flush()
    await uses.flush()

    assert [counts(report) for report in auth.reports] == [{"k1": 2, "k2": 1}]


async def test_a_report_whose_answer_was_lost_comes_again_as_it_was(
    auth: Auth, uses: CountedKeyUses
) -> None:
    uses.note("k1")
    auth.failure = DeadlineExceeded("no answer")
    await uses.flush()
    uses.note("k1")
    auth.failure = None
    await uses.finish()

    first, again, new = auth.reports
    assert first == again
    assert (counts(new), new.sequence, new.reporter) == ({"k1": 1}, 2, first.reporter)


async def test_reports_are_made_again_and_again(auth: Auth, uses: CountedKeyUses) -> None:
    running = asyncio.ensure_future(uses.run())
    uses.note("k1")
    await eventually(lambda: len(auth.reports) == 1)
    uses.note("k2")
    await eventually(lambda: len(auth.reports) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [report.sequence for report in auth.reports] == [1, 2]
