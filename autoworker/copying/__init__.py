"""Copies the stores of all services from one place to another."""
