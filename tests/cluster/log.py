"""What the workflow services' shared log says after the end, read without them.

Positions follow each other without a hole; of each execution epochs and sequences only ascend, and nothing is written
after its end: so nobody has written who had been taken over from. What is derived from the log agrees with it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pymongo import AsyncMongoClient

from tests.chaos.checker import Anomaly

_ENDS: Final = frozenset({"completed", "faulted", "cancelled"})


class Tip(NamedTuple):
    """Where an execution stands after a commit or a take-over."""

    execution: str
    sequence: int
    epoch: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """One document of the log."""

    first: int
    last: int
    tips: Sequence[Tip]
    """After each of its entries."""


@dataclass(frozen=True, slots=True)
class Committed:
    """The events of one commit, by their sequences."""

    position: int
    execution: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an execution stands, by its own document."""

    status: str
    sequence: int
    epoch: int
    busy: bool = False
    wakes: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """All of it."""

    written: Sequence[Written]
    commits: Sequence[Committed]
    executions: Mapping[str, Standing]

    @property
    def takeovers(self) -> int:
        """How often an execution got a new owner."""
        epochs = {(tip.execution, tip.epoch) for each in self.written for tip in each.tips}
        seen = Counter(execution for execution, _ in epochs)
        return sum(seen.values()) - len(seen)


def log_anomalies(log: Log) -> list[Anomaly]:
    """Everything in *log* that contradicts the rest of it."""
    return [*_positions(log), *_tips(log), *_commits(log), *_standings(log)]


def _positions(log: Log) -> Iterator[Anomaly]:
    for before, after in zip(log.written, log.written[1:], strict=False):
        if after.first != before.last + 1:
            yield Anomaly("hole in the log", str(after.first), f"after {before.last}")


def _tips(log: Log) -> Iterator[Anomaly]:
    newest: dict[str, Tip] = {}
    for document in log.written:
        for tip in document.tips:
            before = newest.get(tip.execution, Tip(tip.execution, 0, 0))
            newest[tip.execution] = tip
            if before.ended:
                yield Anomaly("write after the end", tip.execution, f"at {document.first}")
            elif tip.epoch < before.epoch:
                yield Anomaly("stale owner", tip.execution, f"{tip} after {before}")
            elif tip.sequence < before.sequence:
                yield Anomaly("step back", tip.execution, f"{tip} after {before}")
    for execution, tip in newest.items():
        standing = log.executions.get(execution)
        if standing is None:
            yield Anomaly("not derived", execution, str(tip))
        elif tip != Tip(execution, standing.sequence, standing.epoch, standing.status in _ENDS):
            yield Anomaly("log disagrees", execution, f"{tip}, but {standing}")


def _commits(log: Log) -> Iterator[Anomaly]:
    ends: dict[str, int] = {}
    for commit in log.commits:
        before = ends.get(commit.execution, 0)
        if commit.first != before + 1:
            yield Anomaly("gap", commit.execution, f"{commit.first} after {before}")
        ends[commit.execution] = commit.last
    for execution, standing in log.executions.items():
        if ends.get(execution, 0) != standing.sequence:
            detail = f"{standing.sequence}, but commits end with {ends.get(execution, 0)}"
            yield Anomaly("sequence", execution, detail)
    for execution in ends.keys() - log.executions.keys():
        yield Anomaly("commits of nobody", execution)


def _standings(log: Log) -> Iterator[Anomaly]:
    for execution, standing in log.executions.items():
        over = standing.status in _ENDS
        if over and (standing.busy or standing.wakes):
            yield Anomaly("zombie", execution, str(standing))
        if not over and not standing.busy and not standing.wakes:
            yield Anomaly("no next wake-up", execution, str(standing))


async def read_log(url: str) -> Log:
    """The log in the store at *url*."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, directConnection=True)
    async with client:
        database = client["suite_workflow"]
        written = await database["log"].find({}, {"last": 1, "tips": 1}).sort("_id").to_list()
        commits = await database["commits"].find({}, _OF_COMMITS).sort("_id").to_list()
        executions = await database["executions"].find({}, _OF_EXECUTIONS).to_list()
    return Log(
        [
            Written(each["_id"], each["last"], [_tip(*tip) for tip in each["tips"]])
            for each in written
        ],
        [
            Committed(each["_id"], each["execution"], each["first"], each["last"])
            for each in commits
        ],
        {each["_id"]: _standing(each) for each in executions},
    )


_OF_COMMITS: Final = {"execution": 1, "first": 1, "last": 1}
_OF_EXECUTIONS: Final = {"status": 1, "sequence": 1, "epoch": 1, "busy": 1, "wake_at": 1}


def _tip(execution: str, sequence: int, epoch: int, *ended: int) -> Tip:
    return Tip(execution, sequence, epoch, any(ended))


def _standing(document: Mapping[str, Any]) -> Standing:
    return Standing(
        document["status"],
        document["sequence"],
        document["epoch"],
        busy=bool(document.get("busy")),
        wakes=document.get("wake_at") is not None,
    )
