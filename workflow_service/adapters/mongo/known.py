"""What one process knows of the log: how far it has read, where executions stand, and what may not be derived yet.

Whatever a document changes is in other collections once it is derived. Until then it is remembered here, so that both
together are everything that the log says up to the last place that was read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from chassis.storage.mongo import Document
from workflow_service.adapters.mongo.entries import Entry, TakenKey, Tip, View

REMEMBERED: Final = 50_000
"""Of how many executions the tips are remembered."""


@dataclass(frozen=True, slots=True)
class Undone:
    """A document of the log of which it is not known that it is derived."""

    place: int
    node: str
    intake: int
    """Position of the last event in the intake before it."""
    tips: dict[str, Tip]
    """Of the executions that it changes, as it leaves them."""
    ended: Collection[str]
    """Those of them that are not worth remembering once it is derived."""
    claims: dict[str, TakenKey]
    seen: Collection[str]


class Known:
    """The state of the log as of the last place that was read."""

    def __init__(self) -> None:
        self.last: int | None = None
        """Position up to which everything is known; None: nothing is."""
        self.intake = 0
        self.intake_grew = 0
        """Position of the last document that added to the intake."""
        self._tips: OrderedDict[str, Tip] = OrderedDict()
        self._claims: dict[str, TakenKey] = {}
        self._seen: set[str] = set()
        self._undone: dict[int, Undone] = {}

    @property
    def settled(self) -> tuple[int, int]:
        """The first place that may not be derived, and the position of the last event in the intake before it."""
        for undone in self._undone.values():
            return undone.place, undone.intake
        return (self.last or 0) + 1, self.intake

    def begin(self, place: int, intake: int) -> None:
        """Know nothing but that everything before *place* is derived."""
        self._tips.clear()
        self._claims.clear()
        self._seen.clear()
        self._undone.clear()
        self.last, self.intake = place - 1, intake

    def view(self, entries: Iterable[Entry]) -> View:
        """Return what is known of that which *entries* ask about; the rest is derived, and to be looked up."""
        view = View()
        for entry in entries:
            for execution in entry.executions:
                if execution in self._tips:
                    view.tips[execution] = self._tips[execution]
            for key in entry.keys:
                if key in self._claims:
                    view.keys[key] = self._claims[key]
            view.seen.update(event for event in entry.events if event in self._seen)
        return view

    def claim(self, key: str) -> TakenKey | None:
        """Return who has an idempotency key, if that may not be derived yet."""
        return self._claims.get(key)

    def learn(self, document: Document) -> None:
        """Take in the next document of the log; one that is known already changes nothing."""
        place: int = document["_id"]
        if self.last is not None and document["last"] <= self.last:
            return
        if place != (self.last or 0) + 1 or document.get("emptied"):
            # What was in between, or in it, was derived and deleted long ago.
            self.begin(place, self.intake)
        undone = _undone(document, self.intake)
        if document["intake"] > self.intake:
            self.intake_grew = place
        self.last, self.intake = document["last"], document["intake"]
        self.done(undone.node, document.get("derived", place))
        self._undone[place] = undone
        self._claims.update(undone.claims)
        self._seen.update(undone.seen)
        for execution, tip in undone.tips.items():
            self._tips[execution] = tip
            self._tips.move_to_end(execution)
        while len(self._tips) > REMEMBERED:
            self._tips.popitem(last=False)
        if document.get("done"):  # by whoever put it there, as where a log was copied
            self._derived(undone)

    def done(self, node: str, before: int) -> None:
        """What *node* has written *before* a place is derived."""
        for undone in self.undone():
            if undone.place >= before:
                break
            if undone.node == node:
                self._derived(undone)

    def all_done(self, before: int) -> None:
        """Everything *before* a place is derived."""
        for undone in self.undone():
            if undone.place >= before:
                break
            self._derived(undone)

    def undone(self, to: int | None = None) -> list[Undone]:
        """Return what may not be derived, up to the position *to*, in the order of the log."""
        return [each for each in self._undone.values() if to is None or each.place <= to]

    def touching(self, executions: Collection[str]) -> Iterator[Undone]:
        """Return what may not be derived and changes one of *executions*."""
        names = set(executions)
        return (each for each in self._undone.values() if not names.isdisjoint(each.tips))

    def forget(self, executions: Iterable[str]) -> None:
        """Executions were deleted."""
        for execution in executions:
            self._tips.pop(execution, None)

    def _derived(self, undone: Undone) -> None:
        del self._undone[undone.place]
        self._seen.difference_update(undone.seen)
        for key, claim in undone.claims.items():
            if self._claims.get(key) == claim:
                del self._claims[key]
        for execution in undone.ended:
            if self._tips.get(execution) == undone.tips[execution]:
                del self._tips[execution]


def _undone(document: Document, intake: int) -> Undone:
    tips = {execution: Tip(sequence, epoch) for execution, sequence, epoch, *_ in document["tips"]}
    return Undone(
        place=document["_id"],
        node=document.get("node", ""),
        intake=intake,
        tips=tips,
        ended=[execution for execution, _, _, *ended in document["tips"] if any(ended)],
        claims={key: TakenKey(*claim) for key, *claim in document.get("keys", ())},
        seen=document.get("seen", ()),
    )
