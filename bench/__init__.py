"""Bellhop measured beside what a careful team would build instead. `README.md` says how to read it."""
