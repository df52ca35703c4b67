"""`python -m auth_service`: the auth service by itself."""
