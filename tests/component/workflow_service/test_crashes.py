"""What a killed service has accepted ends as it should, once, when it comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.errors import CannotStart
from tests.component.workflow_service.workflows import CALL, PAUSE
from tests.component.workflow_service.world import Callees, World, world
from tests.support.time import eventually
from workflow_service.domain.execution.effects import Succeeded

TERMINAL = {
    f"io.serverlessworkflow.workflow.{fact}.v1" for fact in ("completed", "faulted", "cancelled")
}
ENDS = {"greet": "completed", "call": "completed", "nap": "completed", "fail": "faulted"}
ENDED = "io.autoworker.workflow.execution-ended.v1"


def killed(folder: Path, starts: int) -> list[list[str]]:
    """Run a service until it has acknowledged *starts*, kill it, and return all that it said."""
    arguments = [sys.executable, "-m", f"{__package__}.victim", str(folder)]
    said: list[list[str]] = []
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = 0
        for line in process.stdout:
            said.append(line.split())
            acknowledged += said[-1][0] == "started"
            if acknowledged == starts:
                break
        process.send_signal(signal.SIGKILL)
        said += [line.split() for line in process.stdout if line.endswith("\n")]
    return [words for words in said if words[0] in {"started", "called"}]


async def terminal_facts(opened: World, execution: str) -> list[str]:
    events = (await opened.user().history(execution)).events
    return [event.type for event in events if event.type in TERMINAL]


async def test_everything_acknowledged_ends_once_after_a_kill(tmp_path: Path) -> None:
    said = killed(tmp_path, 300)
    started = {words[1]: words[2] for words in said if words[0] == "started"}
    assert len(started) >= 300

    async with world(tmp_path) as back:
        ada = back.user()

        async def all_over() -> bool:
            for status in ("pending", "running", "waiting"):
                if (await ada.list(statuses=[status], limit=1)).executions:
                    return False
            return True

        await eventually(all_over, within=30)
        for execution, workflow in started.items():
            assert (await ada.get(execution)).status == ENDS[workflow]
            assert len(await terminal_facts(back, execution)) == 1
        last = next(reversed(started))
        await eventually(lambda: ENDED in back.types_heard(last), within=30)
        again = {effect.key for effect in back.callees.seen}
    # Only a call whose outcome was not recorded is made again, and with the key that it had.
    for key in again:
        assert sum(1 for words in said if words == ["called", key]) <= 1


async def test_a_call_under_way_is_made_again_with_its_key_after_a_restart(tmp_path: Path) -> None:
    callees = Callees()
    callees.hold()
    async with world(tmp_path, callees=callees) as first:
        await first.user().publish(CALL)
        begun = await first.user().start("call", {"n": 1})
        await eventually(lambda: len(callees.seen) == 1)
    async with world(tmp_path, callees=Callees(lambda _: Succeeded("ok"))) as second:

        async def completed() -> bool:
            return (await second.user().get(begun.id)).status == "completed"

        await eventually(completed)
        assert [effect.key for effect in second.callees.seen] == [callees.seen[0].key]
        history = (await second.user().history(begun.id)).events
        assert "io.autoworker.workflow.execution-recovered.v1" in [e.type for e in history]


async def test_a_wait_outlives_the_service(tmp_path: Path) -> None:
    async with world(tmp_path) as first:
        await first.user().publish(PAUSE)
        begun = await first.user().start("pause")
    async with world(tmp_path) as second:
        assert (await second.user().get(begun.id)).status == "waiting"
        explained = await second.user().explain(begun.id)
        assert [blocker.kind for blocker in explained.blockers] == ["timer"]


async def test_a_store_has_one_service_at_a_time(tmp_path: Path) -> None:
    async with world(tmp_path):
        with pytest.raises(CannotStart, match="another process uses the store"):
            async with world(tmp_path):
                pass
    async with world(tmp_path):
        pass
