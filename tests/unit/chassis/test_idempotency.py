"""Protos say which methods only read: those may be asked again elsewhere."""

import importlib
import pkgutil

import pytest
from google.protobuf import descriptor_pool

import protos
from chassis.rpc.retries import is_repeatable, only_reads

READING = ("Get", "List", "Explain", "Validate", "Check", "Search", "Verify")
# They leave something behind: a number drawn, an attempt counted.
WRITING_ALL_THE_SAME: frozenset[str] = frozenset()


def methods() -> list[str]:
    """Every method with one response, as `/package.Service/Method`."""
    found = list[str]()
    for module in pkgutil.walk_packages(protos.__path__, "protos."):
        if not module.name.endswith("_pb2"):
            continue
        name = importlib.import_module(module.name).DESCRIPTOR.name
        file = descriptor_pool.Default().FindFileByName(name)
        for service in file.services_by_name.values():
            found += [
                f"/{service.full_name}/{method.name}"
                for method in service.methods
                if not method.server_streaming
            ]
    return found


@pytest.mark.parametrize("method", methods())
def test_what_reads_by_its_name_says_so(method: str) -> None:
    name = method.rpartition("/")[2]

    if name.startswith(READING) and name not in WRITING_ALL_THE_SAME:
        assert only_reads(method)


@pytest.mark.parametrize("name", ["StartExecution", "Login", "Refresh", "PutSecret"])
def test_what_changes_something_is_not_repeated(name: str) -> None:
    (method,) = [each for each in methods() if each.endswith(f"/{name}")]

    assert not is_repeatable(method)


def test_an_unknown_method_is_not_repeated() -> None:
    assert not is_repeatable("/somebody.v1.Else/Get")
