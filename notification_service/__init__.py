"""Tells people what became of what they started: in an inbox and by e-mail."""
