"""A filter of system calls for the kernel: what a command in the sandbox has no business with.

Namespaces keep a command away from what is outside. The filter takes away the parts of the kernel by which namespaces
have been broken: mounting, new namespaces, tracing, keys, BPF, io_uring, modules, handles, odd socket families. A
refused call fails as if it were not permitted or not there; the command goes on.

Source: Linux, "Seccomp BPF (SECure COMPuting with filters)"; numbers from the kernel's system call tables.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 0x00050001, 0x00050026, 0x00050061
_X32: Final = 0x40000000
_NEW_NAMESPACES: Final = 0x7E020000
"""The flags of clone that ask for a namespace."""
_FAMILIES: Final = (1, 2, 10)
"""Sockets within the sandbox: local, IPv4, IPv6."""


@dataclass(frozen=True, slots=True)
class _Machine:
    architecture: int
    clone: int
    socket: int
    refused: tuple[int, ...]


_SAME_EVERYWHERE: Final = (
    *(425, 426, 427),  # io_uring
    *(428, 429, 430, 431, 432, 433, 442),  # the new way to mount
    *(438, 443),  # pidfd_getfd, quotactl_fd
)
_CLONE3: Final = 435
_MACHINES: Final = {
    "x86_64": _Machine(
        architecture=0xC000003E,
        clone=56,
        socket=41,
        refused=(
            *(
                101,
                310,
                311,
                312,
                298,
                321,
                323,
            ),  # ptrace, process_vm_*, kcmp, perf, bpf, userfaultfd
            *(155, 161, 165, 166, 167, 168, 169),  # pivot_root, chroot, mounts, swap, reboot
            *(170, 171, 159, 164, 227, 305),  # names of the host, clocks
            *(172, 173, 135, 154, 156, 103, 134),  # ports, personality, ldt, sysctl, syslog, uselib
            *(175, 313, 176, 246, 320),  # modules, kexec
            *(179, 163, 180, 212),  # quota, accounting, nfs, cookies
            *(248, 249, 250, 272, 308, 303, 304),  # keys, unshare, setns, handles of files
        ),
    ),
    "aarch64": _Machine(
        architecture=0xC00000B7,
        clone=220,
        socket=198,
        refused=(
            *(117, 270, 271, 272, 241, 280, 282),
            *(41, 51, 40, 39, 224, 225, 142),
            *(161, 162, 171, 170, 112, 266),
            *(92, 116),
            *(105, 273, 106, 104, 294),
            *(60, 89, 42, 18),
            *(217, 218, 219, 97, 268, 264, 265),
        ),
    ),
}


def filter_of_calls(machine: str | None = None) -> bytes | None:
    """Return the filter's program as ``bwrap --seccomp`` reads it; None for a machine whose numbers are not known."""
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return None
    return b"".join(struct.pack("=HBBI", *step) for step in _steps(found))


def _steps(machine: _Machine) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _ARCHITECTURE
    yield _EQUAL, 1, 0, machine.architecture
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    if machine.architecture == _MACHINES["x86_64"].architecture:
        yield from _answer(_AT_LEAST, _X32, _ENOSYS)
    for number in (*machine.refused, *_SAME_EVERYWHERE):
        yield from _answer(_EQUAL, number, _EPERM)
    # What cannot be looked into is not there: libraries then fall back to clone.
    yield from _answer(_EQUAL, _CLONE3, _ENOSYS)
    yield _EQUAL, 0, 4, machine.clone
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    yield from _answer(_ANY_BIT, _NEW_NAMESPACES, _EPERM)
    yield _RETURN, 0, 0, _ALLOW
    yield _EQUAL, 0, 2 + 2 * len(_FAMILIES), machine.socket
    yield _LOAD, 0, 0, _FIRST_ARGUMENT
    for family in _FAMILIES:
        yield from _answer(_EQUAL, family, _ALLOW)
    yield _RETURN, 0, 0, _EAFNOSUPPORT
    yield _RETURN, 0, 0, _ALLOW


def _answer(test: int, value: int, answer: int) -> Iterator[tuple[int, int, int, int]]:
    yield test, 0, 1, value
    yield _RETURN, 0, 0, answer
