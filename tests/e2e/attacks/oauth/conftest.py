"""The suite, the client and the people of the OAuth tests."""

from tests.e2e.oauth.conftest import admin, browser, client, grace, suite, web

__all__ = ["admin", "browser", "client", "grace", "suite", "web"]
