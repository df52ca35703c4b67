"""The contract, the page that shows it, and the ways to start wrongly."""

import socket
from pathlib import Path

import pytest

from chassis.errors import CannotStart
from tests.component.gateway.world import World, a_world


async def test_the_contract_describes_every_route(world: World) -> None:
    answer = await world.ask("GET", "/openapi.json", anonymous=True)

    document = answer.json
    assert document["openapi"] == "3.1.0"
    assert {
        "/v1/auth/register",
        "/v1/auth/login",
        "/v1/auth/refresh",
        "/v1/auth/logout",
        "/v1/users/me",
        "/v1/auth/mfa",
        "/v1/auth/mfa/send",
        "/v1/auth/step-up",
        "/v1/auth/step-up/send",
        "/v1/users/me/factors",
        "/v1/users/me/factors/{id}",
        "/v1/users/me/factors/totp",
        "/v1/users/me/factors/totp/confirm",
        "/v1/users/me/factors/email",
        "/v1/users/me/factors/email/confirm",
        "/v1/users/me/factors/sms",
        "/v1/users/me/factors/sms/confirm",
        "/v1/users/me/factors/recovery-codes",
        "/v1/users/me/devices",
        "/v1/users/me/devices/{id}",
        "/v1/users/{id}/factors",
        "/v1/auth/password-reset",
        "/v1/auth/password-reset/confirm",
        "/v1/auth/verify-email",
        "/v1/auth/verify-email/resend",
        "/v1/users/me/sessions",
        "/v1/users/me/sessions/{id}",
        "/v1/users/me/password",
        "/v1/users/me/email",
        "/v1/users/me/export",
        "/v1/users/me/deactivate",
        "/v1/users",
        "/v1/users/{id}",
        "/v1/users/{id}/deactivate",
        "/v1/users/{id}/activate",
        "/v1/users/{id}/sessions",
        "/v1/users/{id}/roles",
        "/v1/users/{id}/roles/{role}",
        "/v1/roles",
        "/v1/roles/{name}",
        "/v1/api-keys",
        "/v1/api-keys/{id}",
        "/v1/api-keys/{id}/rotate",
        "/v1/policies",
        "/v1/policies/{name}",
        "/v1/policies/{name}/versions",
        "/v1/policies/{name}/rollback",
        "/v1/policies/explain",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/v1/oauth-clients",
        "/v1/oauth-clients/{id}",
        "/v1/oauth-clients/{id}/rotate-secret",
        "/oauth2/token",
        "/v1/workflows",
        "/v1/workflows/check",
        "/v1/workflows/{namespace}/{name}",
        "/v1/workflows/{namespace}/{name}/{version}",
        "/v1/executions",
        "/v1/executions/{id}",
        "/v1/executions/{id}/cancel",
        "/v1/executions/{id}/suspend",
        "/v1/executions/{id}/resume",
        "/v1/executions/{id}/retry",
        "/v1/executions/{id}/history",
        "/v1/executions/{id}/events",
        "/v1/executions/{id}/explain",
        "/v1/events",
        "/v1/functions",
        "/v1/functions/tokens",
        "/v1/schedules",
        "/v1/schedules/{id}",
        "/v1/schedules/{id}/pause",
        "/v1/schedules/{id}/resume",
        "/v1/schedules/{id}/trigger",
        "/v1/audit",
        "/v1/audit/export",
        "/v1/audit/verify",
        "/v1/dead-letters",
        "/v1/dead-letters/redrive",
        "/v1/dead-letters/{id}",
        "/v1/secrets",
        "/v1/secrets/{name}",
        "/v1/notifications",
        "/v1/notifications/{id}/read",
        "/v1/notifications/stream",
        "/v1/notification-preferences",
        "/openapi.json",
        "/docs",
        "/healthz",
        "/readyz",
        "/oauth2/revoke",
        "/oauth2/introspect",
        "/oauth2/par",
        "/oauth2/device_authorization",
        "/oauth2/userinfo",
        "/oauth2/authorize",
        "/oauth2/continue",
        "/oauth2/device",
        "/oauth2/logout",
        "/oauth2/logout/confirm",
        "/account/forgot-password",
        "/account/reset-password",
        "/account/invitation",
        "/account/verify-email",
        "/account/confirm-email",
        "/v1/users/me/consents",
        "/v1/users/me/consents/{client_id}",
    } == set(document["paths"])


async def test_the_page_is_whole_without_a_network(world: World) -> None:
    page = await world.ask("GET", "/docs", anonymous=True)
    script = await world.ask("GET", "/docs/app.js", anonymous=True)
    style = await world.ask("GET", "/docs/style.css", anonymous=True)
    home = await world.ask("GET", "/", anonymous=True)

    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert b"http://" not in page.body
    assert b"https://" not in page.body
    assert b"<script>" not in page.body
    assert b" style=" not in page.body
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert (home.status, home.headers["Location"]) == (302, "/docs")


async def test_an_unchanged_page_is_not_sent_again(world: World) -> None:
    page = await world.ask("GET", "/docs", anonymous=True)

    again = await world.ask(
        "GET", "/docs", anonymous=True, headers={"If-None-Match": page.headers["ETag"]}
    )

    assert (again.status, again.body) == (304, b"")


async def test_metrics_count_requests_by_route(world: World) -> None:
    await world.ask("GET", "/v1/executions/secret-id")

    async with world.http.get(f"http://{world.admin}/metrics") as response:
        text = await response.text()

    assert 'http_requests_total{method="GET",route="/v1/executions/{id}",status="404"}' in text
    assert 'http_request_duration_seconds_bucket{le="0.001",route="/v1/executions/{id}"}' in text
    assert "secret-id" not in text


async def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]

        with pytest.raises(CannotStart, match=f"Port {port} .* taken .* AUTOWORKER_HTTP_PORT"):
            async with a_world(tmp_path, http_port=port):
                pass
