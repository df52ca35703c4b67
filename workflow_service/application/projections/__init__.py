"""Histories in the form that others see."""
