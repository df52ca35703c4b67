"""The documents say what is in the code."""

import re
import tomllib
from pathlib import Path

from workflow_service.domain.definition.not_yet import NOT_YET

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = (
    "chassis",
    "auth_service",
    "workflow_service",
    "notification_service",
    "gateway",
    "autoworker",
)
COMMAND_LINE = {
    "AUTOWORKER_URL",
    "AUTOWORKER_API_KEY",
    "AUTOWORKER_TOKEN",
    "AUTOWORKER_EMAIL",
    "AUTOWORKER_PASSWORD",
    "AUTOWORKER_TENANT",
}
SETTING = re.compile(r'"((?:AUTOWORKER|OTEL)_[A-Z_]+[A-Z])"')
METRIC = re.compile(r'\b(?:counter|gauge|histogram)\(\s*"([a-z_]+)"')


def document(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    files = [
        file
        for package in PACKAGES
        for pattern in ("config.py", "config/*.py", "settings.py", "backends.py", "*/opening.py")
        for file in (ROOT / package).glob(pattern)
    ]
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    known = set(SETTING.findall(sources))

    told = set(re.findall(r"`((?:AUTOWORKER|OTEL)_[A-Z_]+[A-Z])`", document("running.md")))

    assert known - told == set()
    # Of what somebody else reads: addresses of services are put together from their names, and
    # the command line's own are read where it connects.
    assembled = {name for name in told if name.endswith(("_HOST", "_PORT"))}
    assert told - known - assembled - COMMAND_LINE == set()


def test_every_metric_is_documented() -> None:
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    emitted = {name for file in files for name in METRIC.findall(file.read_text(encoding="utf-8"))}
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))

    assert {name for name in emitted if f"`{name}" not in pages} == set()


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=;\[ ]", requirement)[0] for requirement in wanted}

    told = set(re.findall(r"^\| ([\w-]+) \| \w", document("dependencies.md"), re.MULTILINE))

    assert told - {"package"} == names


def test_what_is_refused_is_documented() -> None:
    told = document("workflows.md")
    words = {name.rpartition(".")[2] for name in NOT_YET if name.startswith(("task.", "use."))}

    assert {word for word in words if word not in told} == set()


def test_links_between_documents_lead_somewhere() -> None:
    files = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        (file.name, place)
        for file in files
        for place in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8"))
        if not (file.parent / place).exists()
    ]

    assert broken == []
