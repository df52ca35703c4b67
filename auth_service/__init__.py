"""Identity: who somebody is, and the tokens that prove it."""
