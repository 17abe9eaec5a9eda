"""How many of what, said to people."""

from __future__ import annotations


def quantity(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
