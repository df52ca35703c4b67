"""One caller and one instance that it calls, as the caller's log and the wire between the two tell."""

from typing import Final

import msgspec

from tests.cluster.deployment import Deployment, Member
from tests.cluster.views import seen_from
from tests.support.tcp_proxy import TcpProxy

_TURNS: Final = frozenset({"instance_left_out", "instance_back", "instance_gone"})


class _Line(msgspec.Struct):
    """What is read of a line of a log."""

    event: str


class Pair:
    """A caller and an instance, from now on.

    Args:
        cluster: theirs.
        caller: the one that calls.
        callee: the one that is called.
    """

    def __init__(self, cluster: Deployment, caller: Member, callee: Member) -> None:
        self.caller, self.callee = caller, callee
        number = 1 + cluster.members.index(caller)
        self._address = f"{seen_from(number)}:{callee.port}"
        self._log = caller.process.folder / f"{caller.name}.log"
        self._said = self._log.stat().st_size
        self._carried = self.wire.carried

    @property
    def wire(self) -> TcpProxy:
        """Between the two alone."""
        return self.caller.wires[self.callee.name]

    @property
    def carried(self) -> int:
        """Bytes that the caller has sent."""
        return self.wire.carried - self._carried

    async def is_left_out(self) -> bool:
        """Whether the caller has left the instance out, by the last that it said of it."""
        return self._last() == "instance_left_out"

    async def is_back(self) -> bool:
        """Whether it calls it again; one that the registry named anew begins without a past."""
        return self._last() in ("instance_back", "instance_gone")

    async def is_used(self) -> bool:
        """Whether calls go there, and nothing is held against it."""
        return self.carried > 0 and not await self.is_left_out()

    def _last(self) -> str:
        with self._log.open(errors="replace") as log:
            log.seek(self._said)
            whole = [line for line in log if self._address in line and line.endswith("\n")]
        said = [msgspec.json.decode(line, type=_Line) for line in whole]
        return next((line.event for line in reversed(said) if line.event in _TURNS), "")
