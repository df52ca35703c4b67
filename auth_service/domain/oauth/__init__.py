"""The rules of OAuth 2.1 and OpenID Connect, as far as they are pure."""
