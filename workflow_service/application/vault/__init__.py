"""Secrets: values that go in, are lent to effects, and never come out."""
