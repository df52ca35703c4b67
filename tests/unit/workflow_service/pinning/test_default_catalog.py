"""The operator's catalog as a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow_service.adapters.resources.catalogs import FolderCatalog
from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.definition.pinned import CatalogFunction, in_catalog


@pytest.fixture
def catalog(tmp_path: Path) -> FolderCatalog:
    folder = tmp_path / "catalog" / "functions" / "log" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "function.yaml").write_text("set: {logged: true}")
    (tmp_path / "function.yaml").write_text("outside")
    return FolderCatalog(tmp_path / "catalog", 1000)


async def test_a_function_is_read_from_its_folder(catalog: FolderCatalog) -> None:
    found = await catalog.function(CatalogFunction("log", "1.0.0"), tenant="default")

    assert found.content == b"set: {logged: true}"


@pytest.mark.parametrize(("name", "version"), [("log", "2.0.0"), ("gone", "1.0.0"), ("..", "..")])
async def test_what_is_not_in_the_folder_is_refused(
    catalog: FolderCatalog, name: str, version: str
) -> None:
    with pytest.raises(ResourceFailed):
        await catalog.function(CatalogFunction(name, version), tenant="default")


@pytest.mark.parametrize(
    "call",
    [
        "log@c",
        "log:one@c",
        "../x:1.0.0@c",
        "a/b:1.0.0@c",
        "log:1.0.0@a/b",
        "log:1.0.0@",
        "log:1.0.0",
    ],
)
def test_what_is_no_call_of_a_catalog_is_not_taken_for_one(call: str) -> None:
    assert in_catalog(call) is None
    assert in_catalog("log:1.0.0@c") == (CatalogFunction("log", "1.0.0"), "c")
