"""What holds for every test: a scrubbed environment, markers by folder, no sockets in unit tests."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

_ROOT = Path(__file__).parent
_MARKED = ("unit", "contract", "component", "conformance", "e2e", "cluster", "chaos")
# Seconds; a folder without an entry has the limit of pyproject.toml.
_TIMEOUTS = {"unit": 60, "e2e": 300, "cluster": 480, "chaos": 600}

# How long an example takes says how busy the machine is.
settings.register_profile("suite", settings(), deadline=None)
settings.load_profile("suite")

# At import, before any test module can read it: no setting of the machine reaches a test.
for _name in [name for name in os.environ if name.startswith(("AUTOWORKER_", "OTEL_"))]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the folder they are in, and give each kind its time limit."""
    for item in items:
        kind = _kind(item)
        if kind is None:
            continue
        item.add_marker(kind)
        if kind in _TIMEOUTS and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_TIMEOUTS[kind]))


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test that opens a socket fails; pairs of local ones are the event loop's own."""
    if _kind(request.node) == "unit":
        original = socket.socket.__init__

        def guarded(self: socket.socket, family: int = -1, *args: Any, **named: Any) -> None:
            if family != socket.AF_UNIX and named.get("fileno") is None and len(args) < 3:
                raise RuntimeError("a unit test opened a socket")
            original(self, family, *args, **named)

        monkeypatch.setattr(socket.socket, "__init__", guarded)


def _kind(item: pytest.Item) -> str | None:
    try:
        folder = item.path.relative_to(_ROOT).parts[0]
    except ValueError:
        return None
    return folder if folder in _MARKED else None
