"""Addresses of Bellhop's own servers."""

from __future__ import annotations


def own_url(host: str, port: int) -> str:
    """By which a server is reached on its own host."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
