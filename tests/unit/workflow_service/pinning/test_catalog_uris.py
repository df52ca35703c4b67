"""Where the files of cataloged functions are."""

from __future__ import annotations

import pytest

from workflow_service.domain.definition.catalog_uris import function_uri, raw_root

PATH = "functions/log/1.0.0/function.yaml"
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("root", "file"),
    [
        ("https://catalog.test/v1", f"https://catalog.test/v1/{PATH}"),
        ("https://catalog.test/v1/", f"https://catalog.test/v1/{PATH}"),
        (
            "https://github.com/serverlessworkflow/catalog/tree/main",
            f"https://raw.githubusercontent.com/serverlessworkflow/catalog/refs/heads/main/{PATH}",
        ),
        (
            "https://github.com/serverlessworkflow/catalog",
            f"https://raw.githubusercontent.com/serverlessworkflow/catalog/HEAD/{PATH}",
        ),
        (
            "https://github.com/a/b.git/",
            f"https://raw.githubusercontent.com/a/b/HEAD/{PATH}",
        ),
        (
            f"https://github.com/a/b/blob/{_COMMIT}/deep/down/",
            f"https://raw.githubusercontent.com/a/b/{_COMMIT}/deep/down/{PATH}",
        ),
        (
            "https://gitlab.com/group/sub/project",
            f"https://gitlab.com/group/sub/project/-/raw/HEAD/{PATH}",
        ),
        (
            "https://git.company.test/group/project/-/tree/main/catalog",
            f"https://git.company.test/group/project/-/raw/main/catalog/{PATH}",
        ),
        (
            "https://raw.githubusercontent.com/a/b/refs/heads/main",
            f"https://raw.githubusercontent.com/a/b/refs/heads/main/{PATH}",
        ),
        ("https://github.com.evil.test/a/b", f"https://github.com.evil.test/a/b/{PATH}"),
    ],
)
def test_a_function_is_where_its_catalog_files_it(root: str, file: str) -> None:
    assert function_uri(root, PATH) == file


@pytest.mark.parametrize(
    ("page", "file"),
    [
        ("https://github.com/a/b/blob/main/x/y.json", "https://raw.githubusercontent.com/a/b/refs/heads/main/x/y.json"),
        ("https://GitHub.com/a/b/tree/v1/x.json?plain=1", "https://raw.githubusercontent.com/a/b/refs/heads/v1/x.json"),
        ("https://gitlab.com/a/b/-/blob/main/x.json?ref_type=heads", "https://gitlab.com/a/b/-/raw/main/x.json"),
        ("https://x.test/a/b/blob/main/x", "https://x.test/a/b/blob/main/x"),
        ("https://github.com.evil.test/a/b/blob/main/x", "https://github.com.evil.test/a/b/blob/main/x"),
    ],
)  # fmt: skip
def test_the_page_of_a_file_leads_to_the_file(page: str, file: str) -> None:
    assert raw_root(page) == file
