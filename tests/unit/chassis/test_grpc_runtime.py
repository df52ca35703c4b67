"""How the gRPC library is set up before it is imported."""

import subprocess
import sys

import pytest

SERVICES = ("gateway", "auth_service", "workflow_service", "notification_service")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)


@pytest.mark.parametrize("service", SERVICES)
def test_it_is_set_up_before_the_library_is_imported(service: str) -> None:
    code = (
        f"import sys, {service}.__main__\n"
        "order = list(sys.modules)\n"
        "print(order.index('chassis') < order.index('grpc'))"
    )
    assert run(code).stdout.strip() == "True"


def test_the_library_knows_what_is_switched_off() -> None:
    code = "import chassis, grpc, os; print(os.environ['GRPC_EXPERIMENTS'])"
    told = run(code)
    assert "-event_engine_client" in told.stdout
    assert "Unknown experiment" not in told.stderr

    unknown = run("import os; os.environ['GRPC_EXPERIMENTS'] = '-no_such_thing'; import grpc")
    assert "Unknown experiment" in unknown.stderr
