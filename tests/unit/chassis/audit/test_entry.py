from chassis.audit.entry import decoded, encoded, entry_of
from chassis.telemetry import tracing
from tests.support.ids import CountingIds
from tests.support.time import ManualClock

CLOCK = ManualClock()


def told(event: str, **facts: str | int | bool):  # type: ignore[no-untyped-def]
    return entry_of("auth", event, facts, clock=CLOCK, ids=CountingIds())


def test_facts_that_every_event_may_have_get_places_of_their_own() -> None:
    entry = told(
        "role_granted", tenant="acme", actor="u1", target="u2", address="192.0.2.1", reason="asked",
        role="admin", times=2,
    )  # fmt: skip

    assert (entry.tenant, entry.actor, entry.target) == ("acme", "u1", "u2")
    assert (entry.address, entry.reason, entry.outcome) == ("192.0.2.1", "asked", "done")
    assert entry.data == {"role": "admin", "times": 2}
    assert entry.time == CLOCK.now()


def test_older_names_of_who_and_what_are_understood() -> None:
    entry = told("logged_in", user_id="u1", session_id="s1", network="192.0.2.1")

    assert (entry.actor, entry.target, entry.address) == ("u1", "s1", "192.0.2.1")


def test_what_belongs_to_no_tenant_is_told_to_those_who_run_the_suite() -> None:
    assert told("signing_key_created", kid="k1").tenant == "default"


def test_refusals_are_known_by_their_names() -> None:
    refused = ("login_failed", "login_throttled", "access_token_refused", "request_refused")

    assert {told(event).outcome for event in refused} == {"refused"}
    assert told("login_failed", outcome="done").outcome == "done"
    assert told("logged_out").outcome == "done"


def test_secrets_and_addresses_of_people_are_masked() -> None:
    entry = told(
        "odd", email="ada@example.com", token="eyJhbGciOi.abc.def", note="Bearer abcdef012345",
        key="sk_live_0123456789", password="hunter2",
    )  # fmt: skip

    text = encoded(entry).decode()
    for secret in ("ada@example.com", "eyJhbGciOi", "abcdef012345", "sk_live", "hunter2"):
        assert secret not in text
    assert entry.personal == {"email": "a***@e***"}


def test_no_fact_can_fill_the_disk_or_break_the_store() -> None:
    entry = told("odd", note="x" * 100_000, cut="\ud800")

    assert len(str(entry.data["note"])) == 512
    assert encoded(entry)


def test_the_request_is_remembered() -> None:
    tracing.adopt("request-7", "")
    try:
        assert told("odd").request_id == "request-7"
    finally:
        tracing.adopt("", "")


def test_an_entry_travels_unchanged() -> None:
    entry = told("odd", email="ada@example.com", flag=True, count=3, tenant="acme")

    assert decoded(encoded(entry)) == entry
