"""Definitions compiled once and kept: every advance of every execution asks for one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

import msgspec

from workflow_service.application.pinning import restored
from workflow_service.application.ports import StoredDefinition
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.expressions import Expressions, JsonValue

_decode = msgspec.json.Decoder().decode


class CompiledDefinitions:
    """The most recently used definitions by their digest; bounded by number and by size.

    For use within one event loop. Compiling takes place in a thread, once however many ask at the same time.

    Args:
        expressions: compiles what is in a definition.
        limits: those that publication has checked; a definition within them always compiles.
        entries: how many definitions are kept.
        size: how many bytes their documents may have together.
    """

    def __init__(
        self,
        expressions: Expressions,
        *,
        limits: DefinitionLimits = DEFAULT_LIMITS,
        entries: int = 512,
        size: int = 16 * 1024 * 1024,
    ) -> None:
        self._expressions = expressions
        self._limits = limits
        self._entries = entries
        self._size = size
        self._kept: OrderedDict[str, tuple[Definition, int]] = OrderedDict()
        self._used = 0
        self._compiling: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, stored: StoredDefinition) -> Definition:
        """Return the compiled form of *stored*.

        Raises:
            DefinitionInvalid: this version of the program no longer accepts the document.
        """
        kept = self.peek(stored.digest)
        if kept is not None:
            return kept
        lock = self._compiling.setdefault(stored.digest, asyncio.Lock())
        async with lock:
            kept = self.peek(stored.digest)
            if kept is None:
                kept = await asyncio.to_thread(self._compile, stored)
                self.keep(kept, len(stored.document) + len(stored.pinned))
            return kept

    def peek(self, digest: str) -> Definition | None:
        """Return the definition when it is at hand."""
        found = self._kept.get(digest)
        if found is None:
            return None
        self._kept.move_to_end(digest)
        return found[0]

    def keep(self, definition: Definition, size: int) -> None:
        """Keep *definition*, whose document has *size* bytes, instead of those that nobody used for longest."""
        if definition.digest in self._kept or size > self._size:
            return
        self._kept[definition.digest] = (definition, size)
        self._used += size
        while len(self._kept) > self._entries or self._used > self._size:
            _, (_, freed) = self._kept.popitem(last=False)
            self._used -= freed

    def _compile(self, stored: StoredDefinition) -> Definition:
        value: JsonValue = _decode(stored.document)
        return parse_definition(
            value,
            self._expressions,
            limits=self._limits,
            served=None,
            pinned=restored(stored.pinned),
        )
