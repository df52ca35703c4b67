"""202 stays 202: a mail that was promised goes out, whatever happens to the suite in between."""

from pathlib import Path

from tests.support.account_client import registered, visitor
from tests.support.mailbox import SETTINGS, Mailbox
from tests.support.suite import started

ROUNDS = 2
RESET = "Set a new password"


async def test_a_promised_mail_survives_kill_9(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path / "data")
    people = [f"person-{number}@example.com" for number in range(ROUNDS)]
    for email in people:
        with started(tmp_path, **SETTINGS) as suite:
            async with visitor(suite.url) as who:
                await registered(who, email)
                asked = await who("POST", "/v1/auth/password-reset", {"email": email}, token="")
                assert asked[0] == 202
            suite.kill()

    with started(tmp_path, **SETTINGS) as suite:
        async with visitor(suite.url) as who:
            for email in people:
                token = await mailbox.token(email, RESET)
                body = {"token": token, "new_password": "Another-Password-8"}
                assert (await who("POST", "/v1/auth/password-reset/confirm", body))[0] == 204
    # Once each: the id of a mail is the same however often it is passed on.
    assert [len(mailbox.to(email, RESET)) for email in people] == [1] * ROUNDS
