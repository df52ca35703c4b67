"""Each example does what it says."""

import subprocess
import sys

from autoworker import Client
from tests.support.suite import ROOT, Suite, environment


async def test_hello_greets_the_world_unless_told_otherwise(suite: Suite) -> None:
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as client:
        definition = await client.publish((ROOT / "examples" / "hello.yaml").read_bytes())
        world = await client.start(definition.reference, {}, wait=20)

    assert world.output == {"message": "Hello, world!"}


def test_the_client_example_runs(suite: Suite) -> None:
    known = suite.administrator
    who = {"AUTOWORKER_EMAIL": known.email, "AUTOWORKER_PASSWORD": known.password}
    ended = subprocess.run(
        [sys.executable, "examples/start_order.py", suite.url],
        env=environment(suite.folder, **who),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.stderr == ""
    assert ended.returncode == 0
    assert "faulted" in ended.stdout or "completed" in ended.stdout
