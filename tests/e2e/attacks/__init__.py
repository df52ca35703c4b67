"""Attacks of the kind that any service on the Internet meets, on the real suite."""
