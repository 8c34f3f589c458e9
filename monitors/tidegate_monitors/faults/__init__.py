"""Fault injectors: small seeded functions that put a silent failure into a real batch, one file each.

Each takes a ``pyarrow.Table`` and gives back the table with the fault in it; the table it was given is its clean twin.
"""
