"""How ``schedule`` is read, and what is refused where."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import definition_of
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.schedules.model import After, Cron, Every, On, Schedule

TASKS = "\ndo: [{a: {set: {x: 1}}}]"


def document(schedule: str, metadata: str = "{}") -> str:
    head = f"{{dsl: '1.0.3', namespace: test, name: spec, version: '0.1.0', metadata: {metadata}}}"
    return f"document: {head}\nschedule: {schedule}{TASKS}"


def read(schedule: str, metadata: str = "{}") -> Schedule | None:
    return definition_of(document(schedule, metadata)).schedule


def refusals(schedule: str, metadata: str = "{}") -> list[tuple[str, str]]:
    with pytest.raises(DefinitionInvalid) as refused:
        read(schedule, metadata)
    return [(problem.field, problem.message) for problem in refused.value.details]


def test_without_one_it_starts_by_nothing_but_a_request() -> None:
    assert definition_of(TASKS).schedule is None


def test_each_kind_is_read() -> None:
    assert read("{every: {minutes: 2}}") == Schedule(Every(120))
    assert read("{every: PT2M}") == Schedule(Every(120))
    assert read("{after: PT5S}") == Schedule(After(5))
    assert read("{cron: '0 0 * * *'}") == Schedule(Cron("0 0 * * *"))
    one: dict[str, JsonValue] = {"one": {"with": {"type": "a"}}}
    assert read("{on: {one: {with: {type: a}}}}") == Schedule(On(one, types=("a",)))
    assert read("{on: {one: {with: {type: a}}}, read: raw}") == Schedule(
        On(one, "raw", types=("a",))
    )


def test_zone_and_policies_are_in_the_metadata() -> None:
    metadata = "{schedule: {timezone: Europe/Berlin, missed: all, overlap: skip}, other: 1}"

    assert read("{cron: '0 0 * * *'}", metadata) == Schedule(
        Cron("0 0 * * *", "Europe/Berlin"), missed="all", overlap="skip"
    )


@pytest.mark.parametrize(
    ("schedule", "place", "told"),
    [
        ("{}", "/schedule", "must have one of every, cron, after, on"),
        ("{every: PT1M, cron: '* * * * *'}", "/schedule", "must have one of"),
        ("{cron: '61 * * * *'}", "/schedule/cron", "is not a cron expression: bad minute"),
        ("{cron: '0 0 30 2 *'}", "/schedule/cron", "is not a cron expression"),
        ("{cron: '@daily'}", "/schedule/cron", "has 1 fields"),
        ("{every: PT0.5S}", "/schedule/every", "limit schedule_seconds"),
        ("{after: PT0S}", "/schedule/after", "limit schedule_seconds"),
        ("{every: {hours: 1000000}}", "/schedule/every", "at most 100 years"),
        ("{read: data}", "/schedule/on", "is required"),
        ("{on: {}}", "/schedule/on", "must have one of"),
        ("{on: {one: {with: {type: a}}}, read: all}", "/schedule/read", "must be one of"),
        ("{on: {one: {with: {Type: a}}}}", "/schedule/on/one/with/Type", "lower-case letters"),
        (
            "{on: {one: {with: {data: '${ . + }'}}}}",
            "/schedule/on/one/with/data",
            "does not compile",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(schedule: str, place: str, told: str) -> None:
    (field, message), *_ = refusals(schedule)

    assert field == place
    assert told in message


@pytest.mark.parametrize(
    ("schedule", "metadata", "place", "told"),
    [
        ("{cron: '* * * * *'}", "{timezone: Mars/Olympus}", "/timezone", "is not a time zone"),
        ("{cron: '* * * * *'}", "{timezone: 7}", "/timezone", "is not a time zone"),
        ("{cron: '* * * * *'}", "{timezone: ''}", "/timezone", "is not a time zone"),
        ("{cron: '* * * * *'}", "{timezone: ../../etc/passwd}", "/timezone", "is not a time zone"),
        ("{cron: '* * * * *'}", "{missed: most}", "/missed", "must be one of skip, one, all"),
        ("{every: PT1M}", "{overlap: 1}", "/overlap", "must be one of allow, skip, cancel"),
        ("{every: PT1M}", "{timezone: UTC}", "/timezone", "means nothing"),
        ("{every: PT1M}", "{mised: all}", "/mised", "did you mean 'missed'"),
        ("{after: PT1M}", "{missed: all}", "/missed", "means nothing"),
        ("{on: {any: []}}", "{overlap: skip}", "/overlap", "means nothing"),
    ],
)
def test_wrong_metadata_are_refused_at_their_place(
    schedule: str, metadata: str, place: str, told: str
) -> None:
    ((field, message),) = refusals(schedule, f"{{schedule: {metadata}}}")

    assert field == f"/document/metadata/schedule{place}"
    assert told in message


def test_metadata_that_are_no_object_are_refused_and_of_no_schedule_nobodys_business() -> None:
    assert refusals("{every: PT1M}", "{schedule: daily}") == [
        ("/document/metadata/schedule", "must be an object")
    ]
    head = "{dsl: '1.0.3', namespace: test, name: spec, version: '0.1.0', metadata: {schedule: x}}"
    assert definition_of(f"document: {head}{TASKS}").schedule is None
