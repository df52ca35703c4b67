"""What the container engine is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow_service.adapters.processes.engine import ContainerSettings, run_arguments
from workflow_service.adapters.sandbox import SandboxLimits
from workflow_service.domain.execution.effects import ContainerCall
from workflow_service.domain.execution.problem import Raised


def arguments(call: ContainerCall, **settings: object) -> list[str]:
    chosen = ContainerSettings(**settings)  # type: ignore[arg-type]
    return list(run_arguments(call, "e1:/do/0/x#1", chosen, SandboxLimits()))


def refused(call: ContainerCall, **settings: object) -> str:
    with pytest.raises(Raised) as raised:
        arguments(call, **settings)
    assert raised.value.problem.type.endswith("/configuration")
    return raised.value.problem.detail or ""


def value_of(option: str, told: list[str]) -> list[str]:
    return [told[at + 1] for at, each in enumerate(told) if each == option]


def test_a_container_gets_little() -> None:
    told = arguments(ContainerCall(image="alpine", name="n"))

    assert told[0] == "run"
    assert value_of("--network", told) == ["none"]
    assert value_of("--cap-drop", told) == ["ALL"]
    assert value_of("--security-opt", told) == ["no-new-privileges"]
    assert value_of("--memory", told) == value_of("--memory-swap", told) == ["536870912"]
    assert value_of("--pids-limit", told) == ["64"]
    assert value_of("--cpus", told) == ["1"]
    assert "--privileged" not in told
    assert told[-1] == "alpine"


def test_a_command_is_a_line_of_the_containers_shell_and_arguments_are_its_own() -> None:
    told = arguments(
        ContainerCall(image="alpine", name="n", command='echo "$1"', arguments=["a; b", "--rm"])
    )

    image = told.index("alpine")
    assert told[image - 2 : image] == ["--entrypoint", "/bin/sh"]
    assert told[image + 1 :] == ["-c", 'echo "$1"', "sh", "a; b", "--rm"]


def test_without_a_command_the_image_gets_the_arguments() -> None:
    told = arguments(ContainerCall(image="alpine", name="n", arguments=["a"]))

    assert told[-2:] == ["alpine", "a"]
    assert "--entrypoint" not in told


@pytest.mark.parametrize(
    ("pull", "expected"), [("ifNotPresent", "missing"), ("always", "always"), ("never", "never")]
)
def test_how_the_image_is_had(pull: str, expected: str) -> None:
    told = arguments(ContainerCall(image="alpine", name="n", pull=pull))  # type: ignore[arg-type]

    assert value_of("--pull", told) == [expected]


def test_what_becomes_of_it() -> None:
    kept = arguments(ContainerCall(image="a", name="n"))
    gone = arguments(ContainerCall(image="a", name="n", cleanup="always"))
    later = arguments(ContainerCall(image="a", name="n", cleanup="eventually", cleanup_after=90.0))

    assert "--rm" not in kept
    assert "--rm" in gone
    assert "io.autoworker.delete-after=90" in value_of("--label", later)
    assert "--rm" not in later


def test_input_keeps_it_open() -> None:
    assert "--interactive" in arguments(ContainerCall(image="a", name="n", stdin="x"))
    assert "--interactive" not in arguments(ContainerCall(image="a", name="n"))


def test_ports_need_a_network() -> None:
    call = ContainerCall(image="a", name="n", ports={"8080": "80"})

    assert "AUTOWORKER_CONTAINER_NETWORK" in refused(call)
    assert value_of("--publish", arguments(call, network="bridge")) == ["8080:80"]
    assert "ports map" in refused(
        ContainerCall(image="a", name="n", ports={"0.0.0.0:1": "80"}), network="bridge"
    )


def test_volumes_lie_where_the_operator_allows(tmp_path: Path) -> None:
    shared, secret = tmp_path / "shared", tmp_path / "secret"
    shared.mkdir()
    secret.mkdir()
    (shared / "way-out").symlink_to(secret)

    def volume(folder: str, place: str = "/data") -> ContainerCall:
        return ContainerCall(image="a", name="n", volumes={folder: place})

    told = arguments(volume(f"{shared}/in", "/data:ro"), volumes=(shared,))
    assert value_of("--volume", told) == [f"{shared}/in:/data:ro"]
    for folder in (str(secret), f"{shared}/../secret", f"{shared}/way-out", "named", "/"):
        assert "AUTOWORKER_CONTAINER_VOLUMES" in refused(volume(folder), volumes=(shared,))
    assert "AUTOWORKER_CONTAINER_VOLUMES" in refused(volume(str(shared)))
    assert "absolute" in refused(volume(str(shared), "data"), volumes=(shared,))
    assert "absolute" in refused(volume(str(shared), "/data:rw,z"), volumes=(shared,))


@pytest.mark.parametrize("image", ["--privileged", "", "a b", "a\nb", "-v/:/host"])
def test_no_image_is_an_option(image: str) -> None:
    assert "image" in refused(ContainerCall(image=image, name="n"))


@pytest.mark.parametrize("name", ["--rm", "a b", ""])
def test_no_name_is_an_option(name: str) -> None:
    assert "name of a container" in refused(ContainerCall(image="a", name=name))


def test_images_may_be_restricted() -> None:
    allowed = ("registry.test/*", "alpine:3*")

    for image in ("registry.test/tools:1", "alpine:3.20"):
        assert image in arguments(ContainerCall(image=image, name="n"), images=allowed)
    assert "AUTOWORKER_CONTAINER_IMAGES" in refused(
        ContainerCall(image="evil.test/x", name="n"), images=allowed
    )


@pytest.mark.parametrize("variable", [("A\nB", "x"), ("A=B", "x"), ("A", "x\ny"), ("", "x")])
def test_a_variable_cannot_smuggle_others(variable: tuple[str, str]) -> None:
    name, value = variable
    assert "environment variable" in refused(
        ContainerCall(image="a", name="n", environment={name: value})
    )
