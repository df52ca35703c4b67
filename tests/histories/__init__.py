"""Histories that were really recorded, and must be understood for ever."""
