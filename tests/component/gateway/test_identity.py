"""Sign-up, sessions, oneself."""

from tests.component.gateway.world import World

ACCOUNT = {"email": "ada@example.com", "password": "Correct-Horse-9", "name": "Ada"}


async def test_an_account_is_made_and_opened(world: World) -> None:
    made = await world.ask("POST", "/v1/auth/register", ACCOUNT, anonymous=True)
    opened = await world.ask(
        "POST",
        "/v1/auth/login",
        {"email": ACCOUNT["email"], "password": ACCOUNT["password"]},
        anonymous=True,
    )

    assert made.status == 201
    assert made.json == {
        "user": {
            "id": "u0",
            "email": "ada@example.com",
            "name": "Ada",
            "roles": ["user"],
            "created_at": "2026-01-15T10:30:00Z",
        }
    }
    assert opened.status == 200
    assert opened.json["token_type"] == "Bearer"
    assert set(opened.json) == {"access_token", "token_type", "expires_in", "refresh_token"}
    me = await world.ask(
        "GET", "/v1/users/me", headers={"Authorization": f"Bearer {opened.json['access_token']}"}
    )
    assert me.status == 200
    assert me.json["id"] == "u0"


async def test_a_taken_address_is_a_conflict(world: World) -> None:
    await world.ask("POST", "/v1/auth/register", ACCOUNT, anonymous=True)

    again = await world.ask("POST", "/v1/auth/register", ACCOUNT, anonymous=True)

    assert (again.status, again.error["code"]) == (409, "CONFLICT")


async def test_what_the_auth_service_refuses_keeps_its_details(world: World) -> None:
    weak = await world.ask(
        "POST", "/v1/auth/register", ACCOUNT | {"password": "short"}, anonymous=True
    )

    assert weak.status == 422
    assert weak.error["details"] == [{"field": "password", "message": "must be longer"}]


async def test_all_problems_of_a_body_are_told_at_once(world: World) -> None:
    bad = await world.ask(
        "POST",
        "/v1/auth/register",
        {"email": 7, "role": "admin", "tenant_id": "other"},
        anonymous=True,
    )

    assert (bad.status, bad.error["code"]) == (422, "VALIDATION_ERROR")
    assert bad.fields() == {"email", "password", "role", "tenant_id"}
    assert not world.auth.behaviour.named("Register")


async def test_a_wrong_password_is_401_with_a_challenge(world: World) -> None:
    wrong = await world.ask(
        "POST", "/v1/auth/login", {"email": "a@b.c", "password": "x"}, anonymous=True
    )

    assert (wrong.status, wrong.error["code"]) == (401, "UNAUTHENTICATED")
    assert wrong.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_refresh_token_is_spent_for_new_tokens(world: World) -> None:
    fresh = await world.ask("POST", "/v1/auth/refresh", {"refresh_token": "r-old"}, anonymous=True)

    assert fresh.status == 200
    assert fresh.json["refresh_token"] == "r-next"


async def test_after_logout_the_token_is_dead_at_once(world: World) -> None:
    headers = world.bearer(session="bye")
    assert (await world.ask("GET", "/v1/users/me", headers=headers)).status == 200

    gone = await world.ask("POST", "/v1/auth/logout", headers=headers)
    after = await world.ask("GET", "/v1/users/me", headers=headers)
    other_service = await world.ask("GET", "/v1/executions", headers=headers)
    other_session = await world.ask("GET", "/v1/users/me")

    assert (gone.status, gone.body) == (204, b"")
    assert after.status == other_service.status == 401
    assert other_session.status == 200


async def test_one_may_change_ones_name_and_nothing_else(world: World) -> None:
    changed = await world.ask("PATCH", "/v1/users/me", {"name": "Ada Lovelace"})
    refused = await world.ask("PATCH", "/v1/users/me", {"roles": ["admin"]})

    assert (changed.status, changed.json["name"]) == (200, "Ada Lovelace")
    assert (refused.status, refused.fields()) == (422, {"roles"})


async def test_the_keys_are_public(world: World) -> None:
    keys = await world.ask("GET", "/.well-known/jwks.json", anonymous=True)

    assert keys.status == 200
    assert keys.json["keys"][0]["kid"] == "a1"
    assert "d" not in keys.json["keys"][0]


async def test_the_clients_address_and_agent_reach_the_auth_service(world: World) -> None:
    await world.ask(
        "POST",
        "/v1/auth/login",
        {"email": "a@b.c", "password": "x"},
        anonymous=True,
        headers={"User-Agent": "probe/1", "X-Forwarded-For": "10.9.8.7"},
    )

    origin = world.auth.behaviour.named("Login")[0].origin
    assert (origin.address, origin.user_agent) == ("127.0.0.1", "probe/1")
