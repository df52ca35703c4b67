"""Policies: conditions that narrow what permissions allow, the same in every service."""
