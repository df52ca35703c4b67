"""Copies what a service keeps from one store to another one of a different make, and compares the two.

What is kept is told as records, which are the same wherever they are: a `Kind` names the values of its records, and each store
knows how it keeps them.
"""
