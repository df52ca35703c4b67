"""`autoworker keys`: whoever logged in long ago is asked for the password, where somebody can answer."""

import pytest

from autoworker import Client, NewApiKey, PermissionDenied
from autoworker.cli import keys
from autoworker.errors import Detail
from tests.support.time import ManualClock

NOW = ManualClock().now()
MADE = NewApiKey("k1", "ci", "ada", "live", "sk_live_x", ["a:x"], NOW, NOW, key="sk_live_xyz")


def refusal(field: str) -> PermissionDenied:
    return PermissionDenied(403, "PERMISSION_DENIED", "no", details=(Detail(field, "Required"),))


class Maker:
    """Makes a key for the right password; otherwise it refuses because of *field*."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.given: list[str] = []

    async def __call__(self, client: Client, password: str) -> NewApiKey:
        self.given.append(password)
        if password != "right":
            raise refusal(self.field)
        return MADE


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who knows the password."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "right")


@pytest.mark.usefixtures("terminal")
async def test_the_password_is_asked_for_when_it_is_wanted() -> None:
    maker = Maker("password")

    assert await keys._confirmed(Client(), maker) == MADE
    assert maker.given == ["", "right"]


@pytest.mark.usefixtures("terminal")
async def test_other_refusals_stay_refusals() -> None:
    with pytest.raises(PermissionDenied):
        await keys._confirmed(Client(), Maker("permissions"))


async def test_where_nobody_can_answer_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)

    with pytest.raises(PermissionDenied):
        await keys._confirmed(Client(), Maker("password"))
