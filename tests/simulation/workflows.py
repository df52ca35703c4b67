"""Random workflows: every kind of task, nested, with data flow, jumps, retries and time limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from tests.simulation.evidence import Workflow
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.expressions import Expressions, JsonValue

EXPRESSIONS = Expressions()
"""One cache of compiled expressions for all runs: the vocabulary is small."""

Members = dict[str, JsonValue]
_UNDOING = '${ {n: (if type == "object" then (.n // 0) else 0 end), of: $compensated.task} }'
_DEEPEST = 3
_SAGAS = 0.3
"""How many of the workflows can undo what they do."""
_CONDITIONS = ("${ .n < 3 }", "${ .n >= 2 }", "${ (.n // 0) != 4 }", "${ $context.n != 1 }")
_SHAPE = '${ {n: (if type == "object" then (.n // 0) else 0 end), f: .} }'


def generate(random: Random, number: int) -> Workflow:
    """Return a random workflow."""
    return Author(random, number).workflow()


class Author:
    """Writes one workflow."""

    def __init__(self, random: Random, number: int) -> None:
        self._random = random
        self._number = number
        self._names = 0
        self._budget = random.randint(3, 16)
        self._forks = 0
        self._attempts = 0
        self._undone = 0
        self.deterministic = True
        self._hears = number == 0 and random.random() < 0.25
        self.listens = False
        # Chances of its own, so that workflows without compensations stay what they were.
        self._undoing = Random(f"{number}:{random.getstate()[1][:4]}")
        self._saga = self._undoing.random() < _SAGAS

    def workflow(self) -> Workflow:
        """Write it."""
        random = self._random
        document: Members = {
            "document": {
                "dsl": "1.0.3",
                "namespace": "sim",
                "name": f"w{self._number}",
                "version": "0.1.0",
            },
            "use": {"functions": {"f": {"call": "http", "with": self._request("f")}}},
            "do": self._tasks(0),
        }
        if random.random() < 0.15:
            document["output"] = {"as": "${ {out: .} }"}
        if random.random() < 0.1:
            document["timeout"] = {"after": {"seconds": random.choice((5, 30))}}
            self.deterministic = False
        if random.random() < 0.1:
            document["input"] = {"from": "${ {n: .n} }"}
        return Workflow(parse_definition(document, EXPRESSIONS), self.deterministic, self.listens)

    # ------------------------------------------------------------ lists

    def _tasks(self, depth: int) -> list[JsonValue]:
        kinds: list[Callable[[int], list[JsonValue]]] = [
            self._plain,
            self._plain,
            self._plain,
            self._again,
            self._switching,
        ]
        tasks: list[JsonValue] = []
        for _ in range(self._random.randint(1, 3) + (depth == 0)):
            if self._budget > 0 or not tasks:
                tasks += self._random.choice(kinds)(depth)
        return self._leading(tasks)

    def _leading(self, tasks: list[JsonValue]) -> list[JsonValue]:
        """Let some task lead past its neighbour, or out."""
        if len(tasks) > 2 and self._random.random() < 0.15:
            name, task = self._open(tasks[0])
            target, _ = self._open(tasks[-1])
            if "switch" not in task and "then" not in task:
                task["then"] = self._random.choice((target, target, "exit", "end"))
            tasks[0] = {name: task}
            if task.get("then") == "end" and self._forks:
                self.deterministic = False
        return tasks

    def _open(self, item: JsonValue) -> tuple[str, Members]:
        assert isinstance(item, dict)
        ((name, task),) = item.items()
        assert isinstance(task, dict)
        return name, task

    def _plain(self, depth: int) -> list[JsonValue]:
        return [self._task(depth)]

    def _again(self, depth: int) -> list[JsonValue]:
        """A part that is gone through several times, by a jump back."""
        first, last = self._name(), self._name()
        bound = self._random.randint(2, 3)
        body: list[JsonValue] = []
        if self._random.random() < 0.6:
            body = [{self._name(): self._call(keeps="n")}]
        self._budget -= 2
        return [
            {first: {"set": {"n": "${ (.n // 0) + 1 }"}}},
            *body,
            {
                last: {
                    "switch": [
                        {"back": {"when": f"${{ .n < {bound} }}", "then": first}},
                        {"on": {"then": "continue"}},
                    ]
                }
            },
        ]

    def _switching(self, depth: int) -> list[JsonValue]:
        target, between = self._task(depth), self._task(depth)
        name, _ = self._open(target)
        case: Members = {"when": self._random.choice(_CONDITIONS[:3]), "then": name}
        return [{self._name(): {"switch": [{"skip": case}]}}, between, target]

    # ------------------------------------------------------------ tasks

    def _name(self) -> str:
        self._names += 1
        return f"t{self._names}"

    def _task(self, depth: int) -> JsonValue:
        self._budget -= 1
        random = self._random
        name = self._name()
        leaves = [self._set, self._call, self._call_function, self._emit]
        leaves += [self._call, self._wait, self._wait]
        if self._hears:
            leaves += [self._listen] * 4
        deep = [self._do, self._for, self._fork, self._fork, self._try, self._try, self._try]
        if depth >= _DEEPEST or self._budget <= 0 or random.random() < 0.5:
            task = self._raise() if random.random() < 0.04 else random.choice(leaves)()
        else:
            task = random.choice(deep)(depth + 1)
        self._decorate(task)
        self._make_compensable(task)
        return {name: task}

    def _decorate(self, task: Members) -> None:
        random = self._random
        if random.random() < 0.08:
            task["if"] = random.choice(_CONDITIONS)
            self.deterministic &= not self._forks
        if random.random() < 0.08:
            task["export"] = {"as": '${ {n: (if type == "object" then .n else 9 end)} }'}
            self.deterministic &= not self._forks
        if random.random() < 0.08 and {"wait", "call", "do", "fork", "for", "try"} & set(task):
            task["timeout"] = {"after": {"seconds": random.choice((1, 4, 20))}}
            self.deterministic = False
        if random.random() < 0.05 and "input" not in task:
            task["input"] = {"from": "${ {n: (.n // 0)} }"}

    def _make_compensable(self, task: Members) -> None:
        """Say how to undo it: by a call, perhaps by two things one after the other."""
        if not self._saga or self._undoing.random() > 0.4:
            return
        self._undone += 1
        name = f"u{self._number}x{self._undone}"
        # Not all of the output: that of an emit knows the time.
        request = self._request(name) | {"body": _UNDOING}
        undo: list[JsonValue] = [{name: {"call": "http", "with": request}}]
        if self._undoing.random() < 0.3:
            undo.insert(0, {f"{name}w": {"wait": {"seconds": 1}}})
        task["metadata"] = {"compensate": undo}

    def _set(self) -> Members:
        return {"set": {"n": f"${{ (.n // 0) + {self._random.randint(0, 2)} }}"}}

    def _request(self, mark: str) -> Members:
        return {
            "method": "post",
            "endpoint": f"http://services/{mark}",
            "body": {"mark": mark, "data": "${ . }"},
        }

    def _call(self, keeps: str = "") -> Members:
        call: Members = {"call": "http", "with": self._request(self._name())}
        if keeps:
            call["output"] = {"as": "${ {n: $input.n, v: .v} }"}
        return call

    def _call_function(self) -> Members:
        return {"call": "f", "with": {"n": "${ .n }", "by": self._name()}}

    def _wait(self) -> Members:
        seconds = self._random.choice((1, 2, 5, 15))
        return {"wait": {"seconds": seconds}}

    def _listen(self) -> Members:
        """Wait for events that are sent, or that other executions emit."""
        random = self._random
        self.deterministic, self.listens = False, True
        told: Members = {"with": {"type": "sim.told"}}
        correlated: Members = {**told, "correlate": {"c": {"from": ".type"}}}
        ways: tuple[Members, ...] = (
            {"one": told},
            {"all": [told, told]},
            {"any": [told], "until": "${ length >= 3 }"},
            {"any": [told], "until": {"one": {"with": {"type": "sim.stop"}}}},
            {"all": [correlated, correlated]},
        )
        to = random.choice(ways)
        task: Members = {"listen": {"to": to, "read": "envelope"}, "output": {"as": _SHAPE}}
        if random.random() < 0.4:
            task["foreach"] = {"do": [{self._name(): self._call()}]}
        return task

    def _emit(self) -> Members:
        event: Members = {"type": "sim.happened", "data": {"n": "${ .n }"}}
        return {
            "emit": {"event": {"with": event}},
            "output": {"as": "${ {n: .data.n} }"},
        }

    def _raise(self) -> Members:
        status = self._random.choice((503, 418))
        self.deterministic &= not self._forks
        return {
            "raise": {"error": {"type": "https://sim.test/no", "status": status, "title": "No"}}
        }

    def _do(self, depth: int) -> Members:
        return {"do": self._tasks(depth)}

    def _for(self, depth: int) -> Members:
        count = self._random.randint(0, 3)
        variables: Members = {
            "each": f"i{depth}",
            "at": f"k{depth}",
            "in": f"${{ [range({count})] }}",
        }
        body = self._tasks(depth)
        call: JsonValue = {
            self._name(): {
                "call": "http",
                "with": {
                    "method": "post",
                    "endpoint": f"http://services/{self._name()}",
                    "body": {"item": f"${{ $i{depth} }}", "data": "${ . }"},
                },
            }
        }
        looped: Members = {"for": variables, "do": [*body, call]}
        if self._random.random() < 0.2:
            looped["while"] = f"${{ $k{depth} < 2 }}"
        return looped

    def _fork(self, depth: int) -> Members:
        self._forks += 1
        self.deterministic &= not self._saga  # in which order branches end is anybody's guess
        compete = self._random.random() < 0.35
        width = self._random.randint(2, 3)
        branches: list[JsonValue] = [
            self._task(depth)
            if self._random.random() < 0.6
            else {self._name(): {"do": self._tasks(depth)}}
            for _ in range(width)
        ]
        self._forks -= 1
        self.deterministic = False if compete else self.deterministic
        if _may_fault(branches):
            self.deterministic = False  # which branch faults first is anybody's guess
        return {
            "fork": {"compete": compete, "branches": branches},
            "output": {"as": _SHAPE},
        }

    def _try(self, depth: int) -> Members:
        random = self._random
        self._attempts += 1
        body = self._tasks(depth)
        self._attempts -= 1
        catch: Members = {}
        if random.random() < 0.6:
            catch["errors"] = {"with": {"status": 503}}
        if random.random() < 0.6:
            catch["retry"] = self._retry()
        if random.random() < 0.6:
            catch["do"] = self._tasks(depth)
        elif random.random() < 0.3:
            catch["then"] = random.choice(("continue", "exit"))
        return {"try": body, "catch": catch}

    def _retry(self) -> Members:
        random = self._random
        policy: Members = {"limit": {"attempt": {"count": random.randint(1, 3)}}}
        if random.random() < 0.7:
            policy["delay"] = {"seconds": random.choice((0, 1, 4))}
            policy["backoff"] = {random.choice(("constant", "exponential")): {}}
        if random.random() < 0.2:
            policy["jitter"] = {"from": {"seconds": 0}, "to": {"seconds": 2}}
        if random.random() < 0.15:
            policy["limit"] = {"attempt": {"count": 2, "duration": {"seconds": 6}}}
            self.deterministic = False
        return policy


def _may_fault(branches: list[JsonValue]) -> bool:
    """Whether more than one branch can fault or leave its fork early."""
    words = ('"call"', '"raise"', '"end"', '"exit"', '"switch"', '"input"')
    risky = [branch for branch in branches if any(word in json.dumps(branch) for word in words)]
    return len(risky) > 1
