"""Searches, kept out of addresses.

An e-mail in an address would stand in a proxy's log and in the browser's history.

The words live in this process alone, under a key that tells nothing. What if it dies? The address that holds the key
says that the search is forgotten; it never means "everything".
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from typing import Final

from bellhop.schemas.errors import BellhopError

_KEPT: Final = 5000


class SearchForgotten(BellhopError):
    """Raised for a key that is none, or no longer."""


class Asked:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._words: OrderedDict[str, str] = OrderedDict()
        self._keys: dict[str, str] = {}

    def keep(self, words: str) -> str:
        """The words' key; the same for the same words."""
        with self._lock:
            key = self._keys.get(words) or secrets.token_urlsafe(9)
            self._keys[words], self._words[key] = key, words
            self._words.move_to_end(key)
            if len(self._words) > _KEPT:
                _, old = self._words.popitem(last=False)
                del self._keys[old]
            return key

    def words(self, key: str) -> str:
        """Raises SearchForgotten."""
        with self._lock:
            if key not in self._words:
                raise SearchForgotten("This search has expired, or the console was restarted.")
            self._words.move_to_end(key)
            return self._words[key]
