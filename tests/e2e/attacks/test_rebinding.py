"""Attack 18, the slow way: a name that meant a good address when it was looked at, and a bad one later."""

from pathlib import Path

import pytest

from tests.chaos.full_disk import mounting
from tests.chaos.processes import one_process, started
from tests.e2e.attacks.canary import REPLY, listening
from tests.e2e.attacks.test_ssrf import FETCH, REFUSED, kind, outcomes
from tests.support.gateway_client import signed_up

_SCRIPT = 'mount --bind "$1" /etc/hosts && shift && exec "$@"'


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    """What the suite's resolver reads, changed by whoever owns the names."""
    mounting(tmp_path / "probe", "1m")  # skips where that cannot be done
    file = tmp_path / "hosts"
    say(file, "127.0.0.1 localhost")
    return file


def say(hosts: Path, *lines: str) -> None:
    """Change what the names mean."""
    hosts.write_text("\n".join(lines) + "\n", encoding="ascii")


async def test_a_name_is_judged_each_time_and_by_all_of_its_addresses(
    hosts: Path, tmp_path: Path
) -> None:
    cluster = one_process(tmp_path, AUTOWORKER_EGRESS_ALLOW="127.0.0.2")
    words = ("unshare", "-rm", "sh", "-c", _SCRIPT, "sh", str(hosts))
    cluster.processes[0].wrapped = words
    async with listening() as canary:
        url = f"http://rebinding.test:{canary.port}/"
        with started(cluster):
            await cluster.is_ready()
            async with signed_up(cluster.url) as person:
                await person.publish(FETCH)
                say(hosts, "127.0.0.2 rebinding.test")
                good = (await outcomes(person, [url]))[url]
                say(hosts, "127.0.0.1 rebinding.test")
                moved = (await outcomes(person, [url]))[url]
                say(hosts, "127.0.0.2 rebinding.test", "127.0.0.1 rebinding.test")
                mixed = (await outcomes(person, [url]))[url]

    assert good.output == REPLY
    assert [kind(moved), kind(mixed)] == [REFUSED, REFUSED]
    assert len(canary.hits) == 1
