"""Killed under load: every change that was answered has its entry, and the chain holds."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from autoworker import AutoworkerError, Client
from autoworker.audit import AuditFilter
from tests.support.suite import Suite, started
from tests.support.time import eventually

WORKERS = 6
ENOUGH = 40
WORKFLOW = """
document: {{dsl: 1.0.3, namespace: crash, name: w{worker}, version: 0.0.{number}}}
do: [{{a: {{set: {{b: 1}}}}}}]
"""


@dataclass(slots=True)
class Answered:
    """What the suite has answered."""

    changes: set[tuple[str, str]] = field(default_factory=set)


async def change(suite: Suite, worker: int, round: int, answered: Answered) -> None:
    """Sign up, set secrets and publish, until the suite is gone."""
    email = f"w{worker}-{round}@example.com"
    async with Client(suite.url, email=email, password="Analytical-Engine-1843") as client:
        with contextlib.suppress(AutoworkerError):
            user = await client.register(email, "Analytical-Engine-1843")
            answered.changes.add(("user_registered", user.id))
            for number in range(1000):
                name = f"s{worker}-{round}-{number}"
                await client.set_secret(name, "value")
                answered.changes.add(("secret_set", name))
                document = WORKFLOW.format(worker=worker, number=round * 1000 + number)
                published = await client.publish(document)
                place = f"crash/{published.name}/{published.version}"
                answered.changes.add(("workflow_published", place))


async def killed_under_load(suite: Suite, round: int, answered: Answered) -> None:
    before = len(answered.changes)
    work = asyncio.gather(*(change(suite, n, round, answered) for n in range(WORKERS)))
    await eventually(lambda: len(answered.changes) >= before + ENOUGH, within=30)
    suite.kill()
    await work


async def missing(suite: Suite, answered: Answered) -> set[tuple[str, str]]:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as admin:
        return answered.changes - {
            (entry.action, entry.target) async for entry in admin.audit(AuditFilter(outcome="done"))
        }


async def test_every_answered_change_has_its_entry(tmp_path: Path) -> None:
    answered = Answered()
    limits = {
        "AUTOWORKER_AUTH_RATE_LIMIT": "100000/60",
        "AUTOWORKER_ANONYMOUS_RATE_LIMIT": "100000/60",
    }
    for round in range(2):
        with started(tmp_path, **limits) as suite:
            await killed_under_load(suite, round, answered)
    with started(tmp_path, **limits) as suite:

        async def all_there() -> bool:
            return not await missing(suite, answered)

        await eventually(all_there, within=20)
        known = suite.administrator
        async with Client(suite.url, email=known.email, password=known.password) as admin:
            verdict = await admin.verify_audit()

    assert verdict.intact, verdict
    assert verdict.entries >= len(answered.changes) >= 2 * ENOUGH
