"""Second factors as administrators meet them who must have one, over HTTP and on a terminal."""

import asyncio
import re
import sys
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.e2e.attacks.raw import Raw
from tests.support.access import administrator, give, raw_of, send
from tests.support.factors import App, details, post
from tests.support.gateway_client import PASSWORD, Person
from tests.support.mailbox import SETTINGS, Mailbox
from tests.support.oauth import CALLBACK, web
from tests.support.oauth_browser import Browser, asked
from tests.support.oauth_browser import Person as BrowserPerson
from tests.support.suite import ROOT, Suite, command_line, environment, started


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose administrators need a second factor."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_MFA_REQUIRED="admins",
        **SETTINGS,
    ) as running:
        yield running


async def test_administrators_get_a_factor_before_anything_else(suite: Suite, ada: Person) -> None:
    known, hers = suite.administrator, (await ada.me()).id
    async with administrator(suite) as api:
        assert (await api("GET", "/v1/roles")).status == 403
        assert (await api("GET", "/v1/users/me")).status == 403
        await somebody_who_only_may_enrol_logs_out(suite)

        made = await post(api, "/v1/users/me/factors/totp", {})
        assert made.json["uri"].startswith("otpauth://totp/Autoworker:")
        assert ElementTree.fromstring(made.json["qr_svg"]).tag.endswith("svg")  # noqa: S314
        app = App(made.json["secret"])
        code = {"code": await app.code()}
        confirmed = await post(api, "/v1/users/me/factors/totp/confirm", code)
        assert len(confirmed.json["recovery_codes"]) == 10

        assert (await api("GET", "/v1/roles")).status == 200
        listed = (await api("GET", "/v1/users/me/factors")).json
        assert [each["kind"] for each in listed["items"]] == ["totp"]
        assert listed["recovery_codes_left"] == 10

        refused = await send(
            api, "POST", "/v1/auth/login", {"email": known.email, "password": known.password}
        )
        assert refused.json["error"]["code"] == "MFA_REQUIRED"
        said = details(refused)
        assert said["methods"] == "totp recovery"
        body = {
            "mfa_token": said["mfa_token"],
            "method": "totp",
            "code": await app.code(),
            "remember_device": True,
        }
        issued = await post(api, "/v1/auth/mfa", body)
        assert len(issued.json["device_token"]) == 43
        devices = (await api("GET", "/v1/users/me/devices")).json["items"]
        assert len(devices) == 1
        gone = await api("DELETE", f"/v1/users/me/devices/{devices[0]['id']}")
        again = await api("DELETE", f"/v1/users/me/devices/{devices[0]['id']}")
        assert (gone.status, again.status) == (204, 404)

        await give(api, ada, "admin", "user")
        await told_to_set_one_up_first(suite, api, ada)

        lost = await api("DELETE", f"/v1/users/{hers}/factors")
        unknown = await api("DELETE", "/v1/users/nobody/factors")
        assert (lost.status, unknown.status) == (204, 404)

    login = command_line(
        suite.folder,
        "login",
        settings={
            "AUTOWORKER_URL": suite.url,
            "AUTOWORKER_EMAIL": known.email,
            "AUTOWORKER_PASSWORD": known.password,
        },
        stdin=f"recovery\n{confirmed.json['recovery_codes'][0]}\n",
    )
    assert login.returncode == 0, login.stderr
    listing = command_line(suite.folder, "mfa", "list", settings={"AUTOWORKER_URL": suite.url})
    assert "9 recovery codes" in listing.stdout


async def somebody_who_only_may_enrol_logs_out(suite: Suite) -> None:
    async with administrator(suite) as other:
        assert (await other("GET", "/v1/users/me/factors")).status == 200
        assert (await other("GET", "/v1/users/me/sessions")).status == 403

        assert (await other("POST", "/v1/auth/logout")).status == 204

        assert (await other("GET", "/v1/users/me/factors")).status == 401


async def told_to_set_one_up_first(suite: Suite, admin: Raw, person: Person) -> None:
    """An administrator without a factor, whom an application sends to log in."""
    wanted = {
        "client_name": "Desk",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code"],
        "scope": "openid",
    }
    client = await post(admin, "/v1/oauth-clients", wanted)
    assert client.status == 201, client.body
    async with web(suite) as plain:
        browser = Browser(plain)
        await browser.go(asked(client.json))
        page = await browser.sign_in(BrowserPerson(person.email, PASSWORD))
    assert page.status == 403
    assert "Set one up first" in page.text


async def test_others_are_asked_for_nothing(suite: Suite, ada: Person) -> None:
    async with raw_of(suite, ada) as api:
        assert (await api("GET", "/v1/users/me")).status == 200
        assert (await api("GET", "/v1/users/me/factors")).json["items"] == []
        assert (await api("DELETE", "/v1/users/me/devices")).status == 204


async def test_codes_come_by_mail_to_a_confirmed_address(suite: Suite, ada: Person) -> None:
    mails = Mailbox(suite.data)
    async with raw_of(suite, ada) as api:
        early = await post(api, "/v1/users/me/factors/email", {})
        assert (early.status, early.json["error"]["code"]) == (409, "CONFLICT")
        token = await mails.token(ada.email, "Confirm your e-mail")
        await post(api, "/v1/auth/verify-email", {"token": token})

        assert (await post(api, "/v1/users/me/factors/email", {})).status == 201
        first = {"code": code_in(await mails.arrived(ada.email, "Your login code"))}
        confirmed = await post(api, "/v1/users/me/factors/email/confirm", first)
        assert confirmed.json["factor"]["target"].endswith("***@example.com")
        told = await mails.arrived(ada.email, "Your second factors were changed")
        assert "a second factor was set up (email)" in told

        refused = await post(api, "/v1/auth/login", {"email": ada.email, "password": PASSWORD})
        waiting = {"mfa_token": details(refused)["mfa_token"], "method": "email"}
        assert (await post(api, "/v1/auth/mfa/send", waiting)).status == 202
        mail = await mails.arrived(ada.email, "Your login code", number=2)
        assert first["code"] not in mail
        issued = await post(api, "/v1/auth/mfa", {**waiting, "code": code_in(mail)})
        assert issued.status == 200


def code_in(mail: str) -> str:
    """The six digits that stand alone in a line."""
    found = re.search(r"^[0-9]{6}$", mail, re.MULTILINE)
    assert found is not None
    return found.group()


async def test_an_app_is_set_up_on_a_terminal(suite: Suite, ada: Person) -> None:
    known = {
        "AUTOWORKER_URL": suite.url,
        "AUTOWORKER_EMAIL": ada.email,
        "AUTOWORKER_PASSWORD": PASSWORD,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "autoworker", "mfa", "setup",
        env=environment(suite.folder, **known), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    shown = ""
    while "type this into the app: " not in shown:
        shown = (await process.stdout.readline()).decode()
        assert shown, "it ended early"
    app = App(shown.rpartition(": ")[2].strip())
    process.stdin.write(f"{await app.code()}\n".encode())
    said = (await process.communicate())[0].decode()

    assert process.returncode == 0
    assert len(re.findall(r"^  [A-Z2-7-]{19}$", said, re.MULTILINE)) == 10
    login = command_line(suite.folder, "login", settings=known, stdin=f"totp\n{await app.code()}\n")
    assert login.returncode == 0, login.stderr
