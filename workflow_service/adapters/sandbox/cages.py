"""Ways to start a command: sandboxed by bubblewrap, or, in development only, not sandboxed at all.

Bubblewrap gives the command namespaces of its own: no network, no other processes, a read-only system without ``/etc``,
``/home`` or the service's data, small writable folders in memory. Everything about the command that could be a secret
(its environment, its files) travels through a descriptor, never through bubblewrap's own environment or arguments: those
are read by programs that still have the service's rights.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from workflow_service.adapters.sandbox.command import (
    BASE_ENVIRONMENT,
    FILES,
    WORK,
    Command,
    SandboxLimits,
)
from workflow_service.adapters.sandbox.groups import Groups
from workflow_service.adapters.sandbox.seccomp import filter_of_calls

_SYSTEM: Final = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_SETTINGS: Final = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
_ROOM_FOR_CODE: Final = 1024 * 1024 * 1024
"""Bytes of addresses beside the data: shared libraries, and what engines reserve and do not use."""


@dataclass(frozen=True, slots=True)
class Start:
    """How a command is started."""

    program: tuple[str, ...]
    passed: tuple[int, ...] = ()
    """Descriptors that the program inherits."""
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    status: int | None = None
    """A descriptor from which the sandbox's own report is read; None when there is none."""
    leaves_others: bool = False
    """Whether what it started may outlive it."""


class Cage(Protocol):
    """A way to start commands."""

    @property
    def limits(self) -> SandboxLimits:
        """What bounds every command."""
        ...

    def start(self, command: Command) -> AbstractContextManager[Start]:
        """Prepare *command*: inside the block it starts, runs and ends; after it nothing is left of it."""
        ...


def bounded(prlimit: str, limits: SandboxLimits) -> tuple[str, ...]:
    """Return the beginning of an argument vector that bounds what follows, but for the number of processes."""
    return (
        prlimit,
        f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 1}",
        f"--data={limits.memory}",
        f"--as={limits.memory + _ROOM_FOR_CODE}",
        f"--fsize={limits.disk}",
        f"--nofile={limits.open_files}",
        "--core=0",
        "--",
    )


def few(prlimit: str, limits: SandboxLimits) -> tuple[str, ...]:
    """Return the beginning of an argument vector that bounds the processes of what follows.

    They are counted for each user of each user namespace: inside of a sandbox, those of the command alone.
    """
    return (prlimit, f"--nproc={limits.processes}", "--")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Starts commands in namespaces of their own."""

    limits: SandboxLimits
    bwrap: str
    prlimit: str
    setpriv: str | None = None
    """Gives up root's rights before anything else; None when the service is not root."""
    uid: int = 60_999
    hidden: tuple[Path, ...] = ()
    """Folders that are empty inside, should they lie in what is readable."""
    groups: Groups = field(default_factory=Groups)
    filter: bytes | None = field(default_factory=filter_of_calls)

    @contextmanager
    def start(self, command: Command) -> Iterator[Start]:
        """Prepare *command*."""
        with ExitStack() as stack:
            contents = {
                name: stack.enter_context(sealed(f"file-{number}", content))
                for number, (name, content) in enumerate(command.files.items())
            }
            seccomp = (
                None if self.filter is None else stack.enter_context(sealed("filter", self.filter))
            )
            status, report = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            stack.callback(os.close, status)
            stack.callback(os.close, report)
            options = [*self._options(command, contents), "--json-status-fd", str(report)]
            if seccomp is not None:
                options += ["--seccomp", str(seccomp)]
            joining = stack.enter_context(self.groups.joined(self.limits))
            given = stack.enter_context(sealed("options", b"".join(_with_nul(options))))
            passed = (given, report, *contents.values())
            yield Start(
                program=(
                    *(*joining, *bounded(self.prlimit, self.limits), *self._lowered()),
                    *(self.bwrap, "--args", str(given), "--"),
                    *(*few(self.prlimit, self.limits), *command.program),
                ),
                passed=passed if seccomp is None else (*passed, seccomp),
                status=status,
            )

    def _lowered(self) -> tuple[str, ...]:
        """Return what runs the rest as a user who owns nothing."""
        if self.setpriv is None:
            return ()
        rights = ("--clear-groups", "--inh-caps=-all", "--no-new-privs", "--")
        return (self.setpriv, f"--reuid={self.uid}", f"--regid={self.uid}", *rights)

    def _options(self, command: Command, contents: dict[str, int]) -> Iterator[str]:
        yield from ("--unshare-user", "--unshare-all", "--disable-userns", "--cap-drop", "ALL")
        yield from ("--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv")
        for name, value in {**BASE_ENVIRONMENT, **command.environment}.items():
            yield from ("--setenv", name, value)
        yield from _system(command.readable)
        for folder in self._hidden_within(("/usr", *command.readable)):
            yield from ("--tmpfs", str(folder), "--remount-ro", str(folder))
        yield from ("--proc", "/proc", "--dev", "/dev")
        for place in (WORK, "/tmp", "/dev/shm"):  # noqa: S108 - the sandbox's own
            yield from ("--size", str(self.limits.disk), "--tmpfs", place)
        for name, descriptor in contents.items():
            yield from ("--ro-bind-data", str(descriptor), f"{FILES}/{name}")
        yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", WORK)

    def _hidden_within(self, readable: Iterable[str]) -> list[Path]:
        return [
            folder
            for folder in self.hidden
            if folder.is_dir() and any(folder.is_relative_to(root) for root in readable)
        ]


@dataclass(frozen=True, slots=True)
class Unprotected:
    """Starts commands with bounds and nothing else: for development on machines without bubblewrap."""

    limits: SandboxLimits
    prlimit: str | None = None

    @contextmanager
    def start(self, command: Command) -> Iterator[Start]:
        """Prepare *command* in an empty folder that its end removes."""
        folder = tempfile.mkdtemp(prefix="run-")
        try:
            for name, content in command.files.items():
                Path(folder, name).write_bytes(content)
            program = tuple(part.replace(f"{FILES}/", f"{folder}/") for part in command.program)
            before = () if self.prlimit is None else bounded(self.prlimit, self.limits)
            own = {"HOME": folder, "TMPDIR": folder, "PATH": os.defpath + ":/usr/local/bin"}
            yield Start(
                program=before + program,
                environment={**BASE_ENVIRONMENT, **own, **command.environment},
                folder=folder,
                leaves_others=True,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _system(readable: tuple[str, ...]) -> Iterator[str]:
    """Yield what shows the system's programs and libraries, and none of its settings."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in _SETTINGS:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for folder in readable:
        yield from ("--ro-bind", folder, folder)


def _with_nul(options: Iterable[str]) -> Iterator[bytes]:
    return (option.encode() + b"\0" for option in options)


@contextmanager
def sealed(name: str, content: bytes) -> Iterator[int]:
    """Hold a descriptor from which *content* can be read."""
    descriptor = os.memfd_create(name)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)
