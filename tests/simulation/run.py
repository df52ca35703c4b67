"""One seed, one run."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.simulation.evidence import Evidence
from tests.simulation.loops import Spinning
from tests.simulation.nodes import LIMITS, Node, open_node
from tests.simulation.outside import Services
from tests.simulation.people import People
from tests.simulation.reference import Endless, run_quietly
from tests.simulation.universe import Universe
from tests.simulation.workflows import generate
from tests.support.ids import CountingIds
from workflow_service.application.ports import InboundEvent, StoredDefinition
from workflow_service.domain.definition.documents import canonical
from workflow_service.domain.execution.commands import Accept
from workflow_service.domain.expressions import JsonValue

_STORM = (10.0, 25.0, 40.0)
_LONGEST_CALM = 3 * 3600.0
_FARTHEST = 600.0
"""Seconds that a wall clock may be wrong."""
_LONGEST_SILENCE = 800.0
"""Seconds without a commit, after which nothing more is to be expected: no timer is so far ahead."""
_PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)


def simulate(seed: int) -> Evidence:
    """Run one seed and return all there is to judge."""
    return _Run(seed).evidence()


class _Run:
    def __init__(self, seed: int) -> None:
        self._universe = Universe(seed)
        self._nodes: dict[str, Node] = {}
        self._ids = CountingIds("e")
        self._limits = self._universe.random.choice(LIMITS)
        self._definitions = self._publish()
        self._people = People(self._universe, self._nodes)
        self._given: dict[str, JsonValue] = {}
        workflows = self._universe.evidence.workflows.values()
        self._listens = any(workflow.listens for workflow in workflows)

    def _publish(self) -> list[StoredDefinition]:
        universe = self._universe
        published = []
        for number in range(universe.random.randint(1, 2)):
            workflow = generate(universe.random, number)
            definition = workflow.definition
            universe.evidence.workflows[definition.digest] = workflow
            published.append(
                StoredDefinition(
                    tenant="default",
                    namespace=definition.namespace,
                    name=definition.name,
                    version=definition.version,
                    digest=definition.digest,
                    document=canonical(dict(definition.document)),
                    created_at=_PUBLISHED,
                    created_by="ada",
                )
            )
        return published

    def evidence(self) -> Evidence:
        universe = self._universe
        storm = universe.random.choice(_STORM)
        for _ in range(universe.chances.nodes):
            self._open()
        for _ in range(universe.random.randint(1, 6)):
            definition = universe.random.choice(self._definitions)
            self._people.begin(self._people.start(definition.name, universe.random.randint(0, 3)))
        if universe.chances.repeats:
            self._people.begin(self._people.repeat_stimuli())
        if self._listens:
            self._tell_later()
        self._fate()
        try:
            universe.scheduler.run(lambda: False, storm)
            self._calm_down()
        except Spinning:
            universe.evidence.failures.append("the run spins")
        return self._judged()

    def _open(self) -> None:
        node = open_node(
            self._universe, self._definitions, self._ids, self._limits, listens=self._listens
        )
        self._nodes[node.life.name] = node
        node.life.on_death.append(self._succeed)

    def _succeed(self) -> None:
        """After a death another process may start, sooner or later."""
        universe = self._universe
        if not universe.chances.calm:
            universe.scheduler.later(universe.random.choice((0.1, 1.0, 7.0)), self._maybe_open)

    def _maybe_open(self) -> None:
        universe = self._universe
        if not universe.chances.calm and len(universe.living()) < universe.chances.nodes:
            self._open()

    # ------------------------------------------------------------ events from outside

    def _tell_later(self) -> None:
        """Send an event now and then, sometimes one that was sent before."""
        universe = self._universe

        def tell() -> None:
            number = universe.tables.events.end - universe.random.choice((0, 0, 0, 1))
            event = InboundEvent(
                tenant="default",
                sender="ada",
                id=f"told-{number}",
                source="/sim",
                type="sim.stop" if number % 4 == 3 else "sim.told",
            )
            universe.tables.events.add(event, _PUBLISHED)
            self._tell_later()

        universe.scheduler.later(universe.random.choice((0.01, 1.0, 6.0)), tell)

    # ------------------------------------------------------------ fate

    def _fate(self) -> None:
        """Strike now and then."""
        chances = self._universe.chances
        for rate, strike in (
            (chances.crashes, self._crash),
            (chances.pauses, self._pause),
            (chances.jumps, self._jump),
        ):
            if rate:
                self._strike_later(rate, strike)

    def _strike_later(self, rate: float, strike: object) -> None:
        universe = self._universe

        def strikes() -> None:
            if not universe.chances.calm:
                strike()  # type: ignore[operator]
                self._strike_later(rate, strike)

        universe.scheduler.later(universe.random.expovariate(rate), strikes)

    def _crash(self) -> None:
        living = self._universe.living()
        if living:
            self._universe.kill(self._universe.random.choice(living).name, "out of the blue")

    def _pause(self) -> None:
        universe = self._universe
        running = [life for life in universe.living() if life.paused_at is None]
        if not running:
            return
        life = universe.random.choice(running)
        seconds = universe.random.choice((0.5, 3.0, 12.0))
        universe.happened(f"{life.name} stands still for {seconds} s")
        life.loop.paused, life.paused_at = True, universe.now
        universe.scheduler.later(seconds, lambda: self._go_on(life.name))
        if seconds > 5.0 and universe.random.random() < 0.8:
            universe.scheduler.later(6.0, self._replace)

    def _replace(self) -> None:
        """A process was taken for dead: another one starts beside it."""
        if not self._universe.chances.calm:
            self._open()

    def _go_on(self, name: str) -> None:
        life = self._universe.lives[name]
        if life.paused_at is not None:
            self._universe.happened(f"{name} goes on")
            life.loop.paused, life.paused_at = False, None

    def _jump(self) -> None:
        universe = self._universe
        living = universe.living()
        if not living:
            return
        life = universe.random.choice(living)
        seconds = universe.random.choice((-600.0, -30.0, -2.0, 2.0, 30.0, 600.0))
        life.offset = max(-_FARTHEST, min(_FARTHEST, life.offset + seconds))
        universe.happened(f"the clock of {life.name} jumps by {seconds} s")

    # ------------------------------------------------------------ the end

    def _calm_down(self) -> None:
        universe = self._universe
        universe.happened("all is calm from here on")
        universe.chances.be_calm()
        universe.evidence.calm_since = universe.now
        for life in universe.living():
            life.offset = 0.0
            self._go_on(life.name)
        for reply in universe.hanging:
            reply()
        if universe.crashed_since_birth or not universe.living() or universe.random.random() < 0.3:
            self._open()
        staying = universe.random.random() < 0.1
        self._people.begin(self._people.sweep(lambda execution: staying and self._stays(execution)))
        universe.evidence.finished = universe.scheduler.run(
            self._is_over, universe.now + _LONGEST_CALM
        )
        universe.evidence.finished &= not self._people.active
        suspended = (e for e, row in universe.tables.rows.items() if self._is_suspended(e))
        universe.evidence.left_suspended = frozenset(suspended)

    def _is_over(self) -> bool:
        universe = self._universe
        silent = universe.now - max(universe.last_commit, universe.evidence.calm_since)
        return not self._people.active or silent > _LONGEST_SILENCE

    def _is_suspended(self, execution: str) -> bool:
        return self._universe.tables.rows[execution].summary.status == "suspended"

    def _stays(self, execution: str) -> bool:
        return self._is_suspended(execution)

    def _judged(self) -> Evidence:
        universe, evidence = self._universe, self._universe.evidence
        evidence.rows = universe.tables.rows
        evidence.arrived = universe.tables.events.arrived
        evidence.listened = universe.tables.events.begun
        evidence.outcomes = universe.services.outcomes
        evidence.steps = universe.scheduler.steps
        evidence.failures += [
            f"{found['process']}: {found.get('exception')!r}"
            for found in universe.scheduler.unhandled
        ]
        for execution, row in universe.tables.rows.items():
            self._expect(execution, row.summary.digest, row.summary.input)
        return evidence

    def _expect(self, execution: str, digest: str, given: JsonValue) -> None:
        universe = self._universe
        workflow = universe.evidence.workflows[digest]
        if not workflow.deterministic:
            return
        services = Services(universe.evidence.seed, universe.chances.effect_fails)
        accept = Accept(execution, "default", "ada", given)
        try:
            found = run_quietly(workflow.definition, accept, services, self._limits)
        except Endless:
            return
        universe.evidence.expected[execution] = found
