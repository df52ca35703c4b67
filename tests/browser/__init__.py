"""The provider as people and foreign programs meet it: a real browser, and a client that others wrote."""
