"""Attack 11: what other sites and other people's browsers try with the pages."""

import re
from typing import Any
from urllib.parse import parse_qsl

from tests.support.oauth import CALLBACK, Web, made_client
from tests.support.oauth_browser import COOKIE, Browser, Person, asked, returned

Client = dict[str, Any]


async def test_a_login_form_from_elsewhere_is_refused(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    await browser.go(asked(client))
    fields = dict(browser.forms.fields)
    mine = {**fields, "email": grace.email, "password": grace.password}

    without = await browser.post("/oauth2/continue", {**mine, "csrf": ""})
    guessed = await browser.post("/oauth2/continue", {**mine, "csrf": "A" * 43})
    bare = await Browser(web).post("/oauth2/continue", mine)
    stranger = Browser(web)
    await stranger.go(asked(client))
    other = await stranger.post("/oauth2/continue", mine)

    for answer in (without, guessed, bare):
        assert answer.status == 403
        assert "csrf" in answer.text
    # A browser that did not begin the request does not find it at all.
    assert other.status == 400
    assert "Set-Cookie" not in other.headers
    assert (await browser.post("/oauth2/continue", mine)).status == 303


async def test_a_request_that_somebody_else_began_cannot_be_gone_on_with(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    attacker = Browser(web)
    sent = await attacker.go(asked(client), follow=False)

    answer = await browser.go(sent.headers["Location"])

    assert answer.status == 400
    assert "step" not in browser.forms.fields
    assert (await attacker.go(sent.headers["Location"])).status == 200


async def test_a_planted_cookie_is_worth_nothing_after_the_login(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    planted = "P" * 43
    browser.cookie = planted
    await browser.go(asked(client))
    await browser.sign_in(grace)
    assert browser.cookie != planted
    assert "code" in returned(await browser.send(decision="allow"))

    attacker = Browser(web, cookie=planted)
    silent = await attacker.go(asked(client, prompt="none"))

    assert returned(silent)["error"] == "login_required"


async def test_the_cookie_is_as_closed_as_cookies_can_be(client: Client, browser: Browser) -> None:
    answer = await browser.go(asked(client), follow=False)

    name, *attributes = [part.strip() for part in answer.headers["Set-Cookie"].split(";")]
    assert name.startswith(f"{COOKIE}=")
    assert COOKIE.startswith("__Host-")
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}


async def test_no_page_can_be_framed_scripted_or_made_to_post_elsewhere(
    client: Client, grace: Person, browser: Browser
) -> None:
    pages = [await browser.go(asked(client)), await browser.sign_in(grace)]
    pages.append(await browser.go("/oauth2/device"))
    pages.append(await browser.go("/oauth2/logout"))
    pages.append(await browser.go("/oauth2/continue?id=x"))

    for page in pages:
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert re.search(r"style-src 'sha256-[A-Za-z0-9+/=]+'", policy)
        assert "script-src" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "<script" not in page.text
        assert "Access-Control-Allow-Origin" not in page.headers
    assert (
        "form-action 'self' https://client.example;" in pages[0].headers["Content-Security-Policy"]
    )


async def test_whatever_was_posted_is_not_posted_on(
    client: Client, grace: Person, browser: Browser
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    await browser.send(decision="allow")

    posts = [step for step in browser.seen if step.startswith("POST")]
    assert posts == ["POST /oauth2/continue 303", "POST /oauth2/continue 303"]


async def test_every_answer_to_a_client_says_who_gives_it(
    web: Web, client: Client, grace: Person, browser: Browser
) -> None:
    refused = await browser.go(asked(client, prompt="none"))
    await browser.go(asked(client))
    await browser.sign_in(grace)
    sent = await browser.send(decision="allow")

    assert returned(refused)["iss"] == returned(sent)["iss"] == web.url


async def test_no_origin_is_let_in_by_asking(web: Web, client: Client) -> None:
    for path in ("/oauth2/token", asked(client), "/oauth2/userinfo"):
        method = "POST" if path.endswith("token") else "GET"
        answer = await web.ask(method, path, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_form_from_another_site_begins_a_request_with_the_browsers_own_login(
    client: Client, grace: Person, browser: Browser
) -> None:
    await browser.go(asked(client))
    await browser.sign_in(grace)
    await browser.send(decision="allow")
    before = browser.cookie
    values = dict(parse_qsl(asked(client).partition("?")[2]))

    # Lax cookies do not come with a post from elsewhere: it must not cost the login.
    bare = Browser(browser.web)
    sent = await bare.post("/oauth2/authorize", values)
    answer = await browser.go(sent.headers["Location"])

    assert "Set-Cookie" not in sent.headers
    assert sent.status == 303
    assert "code" in returned(answer)
    assert browser.cookie == before


async def test_names_of_clients_are_text(
    web: Web, admin: str, grace: Person, browser: Browser
) -> None:
    name = "<script>alert(1)</script>{{7*7}}\"'"
    evil = await made_client(web, admin, client_name=name, redirect_uris=[CALLBACK])

    page = await browser.go(asked(evil, login_hint='"><script>x</script>'))

    assert "<script>" not in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page.text
