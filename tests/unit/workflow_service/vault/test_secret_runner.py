"""The runner that puts secrets into calls: what it lends, to whom, and what it keeps from everybody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import new_key
from chassis.errors import Unavailable
from chassis.telemetry.logging import mask_text
from tests.support.time import ManualClock
from tests.unit.workflow_service.vault.memory import MemoryKeys, MemorySecrets, NotedAudit
from workflow_service.adapters.secrecy import SecretRunner
from workflow_service.adapters.secrecy.runner import RunnerBroken
from workflow_service.application.vault.keys import KeyRing
from workflow_service.application.vault.lender import Lender
from workflow_service.application.vault.ports import SecretId
from workflow_service.application.vault.vault import Vault
from workflow_service.domain.execution.effects import (
    Call,
    Effect,
    Failed,
    HttpCall,
    Outcome,
    Succeeded,
)
from workflow_service.domain.execution.origin import ParentTask
from workflow_service.domain.execution.workflow_calls import WorkflowCall

TOKEN = "canary-71be42-value"
NOW = datetime(2026, 1, 15, tzinfo=UTC)


class Callee:
    """Plays everybody who is called."""

    def __init__(self) -> None:
        self.seen: list[Call] = []
        self.logged: list[str] = []
        self.fails: Exception | None = None

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Answer with all that was said."""
        self.seen.append(effect.call)
        self.logged.append(mask_text(f"calling {effect.call}"))
        if self.fails is not None:
            raise self.fails
        return Succeeded(str(effect.call))


class Scene:
    """A vault with one secret, and the runner before the callee."""

    def __init__(self) -> None:
        self.secrets, self.audit, self.callee = MemorySecrets(), NotedAudit(), Callee()
        self.keys = MemoryKeys()
        ring = KeyRing(WrappingKeys("k1", {"k1": new_key()}), self.keys)
        self.vault = Vault(self.secrets, ring, ManualClock(), most=10)
        self.lender = Lender(self.vault)
        self.runner = SecretRunner(self.callee, self.lender, self.audit)

    async def marker(self, execution: str = "e1") -> str:
        """What decisions of an execution see."""
        marker = (await self.lender.lend("acme", "ada", execution, ["token"])).markers["token"]
        assert isinstance(marker, str)
        return marker

    async def perform(self, call: Call, *names: str, execution: str = "e1") -> Outcome:
        """Perform a call of an execution of Ada's."""
        effect = Effect(1, "key", call, tenant="acme", owner="ada", secrets=names)
        return await self.runner.perform(execution, effect)


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await made.vault.put(SecretId("acme", "ada", "token"), TOKEN, "ada")
    return made


async def test_the_callee_gets_the_value_and_the_answer_has_stars(scene: Scene) -> None:
    outcome = await scene.perform(HttpCall("GET", "/", body=await scene.marker()), "token")

    assert scene.callee.seen == [HttpCall("GET", "/", body=TOKEN)]
    assert isinstance(outcome, Succeeded)
    assert "body='***'" in str(outcome.output)
    assert scene.audit.events == ["secrets_used"]


async def test_without_declared_secrets_nothing_is_looked_at(scene: Scene) -> None:
    marker = await scene.marker()

    await scene.perform(HttpCall("GET", "/", body=marker))

    assert scene.callee.seen == [HttpCall("GET", "/", body=marker)]
    assert scene.audit.events == []


async def test_a_marker_of_another_execution_is_sent_as_it_is(scene: Scene) -> None:
    marker = await scene.marker("e2")

    await scene.perform(HttpCall("GET", "/", body=marker), "token")

    assert scene.callee.seen == [HttpCall("GET", "/", body=marker)]


async def test_another_execution_never_gets_a_value_as_its_input(scene: Scene) -> None:
    """It would be in that one's history."""
    marker = await scene.marker()
    call = WorkflowCall(
        "e2",
        "n",
        "w",
        {"token": marker},
        "acme",
        "ada",
        ParentTask("e1", "/do/0/t", effect=1, depth=1, awaited=True),
    )

    await scene.perform(call, "token")

    assert scene.callee.seen == [call]


async def test_what_is_logged_while_it_is_called_has_stars(scene: Scene) -> None:
    await scene.perform(HttpCall("GET", "/", body=await scene.marker()), "token")

    assert TOKEN not in scene.callee.logged[0]
    assert "***" in scene.callee.logged[0]
    assert mask_text(TOKEN) == TOKEN


async def test_a_broken_runner_does_not_say_the_value(scene: Scene) -> None:
    scene.callee.fails = ValueError(f"cannot use {TOKEN}")

    with pytest.raises(RunnerBroken) as broken:
        await scene.perform(HttpCall("GET", "/", body=await scene.marker()), "token")

    assert TOKEN not in str(broken.value)
    assert broken.value.__cause__ is None
    assert broken.value.__suppress_context__


async def test_a_secret_that_was_deleted_meanwhile_is_an_authorization_error(scene: Scene) -> None:
    marker = await scene.marker()
    await scene.vault.delete(SecretId("acme", "ada", "token"))

    outcome = await scene.perform(HttpCall("GET", "/", body=marker), "token")

    assert isinstance(outcome, Failed)
    assert (outcome.problem.status, scene.callee.seen) == (403, [])


async def test_a_store_that_is_away_is_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = await scene.marker()
    monkeypatch.setattr("workflow_service.adapters.secrecy.runner._PAUSE", 0.0)
    scene.keys.away = [Unavailable("away"), Unavailable("away")]

    async with asyncio.timeout(20):
        await scene.perform(HttpCall("GET", "/", body=marker), "token")

    assert scene.callee.seen == [HttpCall("GET", "/", body=TOKEN)]
