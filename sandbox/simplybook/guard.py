"""Who may book at SimplyBook.me, pretended: captcha, External Booking Validator, and a limit of bookings by IP address.

They refuse in free text, with codes of no table.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bellhop.sandbox.answers import Reply
from bellhop.sandbox.simplybook.intake import entries
from bellhop.sandbox.simplybook.rpc import RpcError
from bellhop.sandbox.simplybook.switches import SimplybookSwitches

_CODE: Final = 0
_HOUR: Final = timedelta(hours=1)
_TOKEN: Final = "captcha_token"  # noqa: S105  # the name of a field
_ADDITIONAL: Final = 5


class Guard:
    """Not safe between threads: its owner holds a lock. address: of whoever calls. `methods` are the vendor's newer
    ones, by name."""

    def __init__(
        self,
        switches: Callable[[], SimplybookSwitches],
        now: Callable[[], datetime],
        hex_of: Callable[[int], str],
        book: Callable[..., Reply],
    ) -> None:
        self.address = ""
        self._switches = switches
        self._now = now
        self._hex = hex_of
        self._book_unguarded = book
        self._booked_at: dict[str, deque[datetime]] = {}
        self._tokens: set[str] = set()
        self.methods: Mapping[str, Callable[..., Reply]] = {
            "book": self._book,
            "getCaptchaChallenge": self._captcha_challenge,
        }

    def _book(self, *arguments: Any) -> Reply:
        self._check(entries(arguments[_ADDITIONAL]))
        reply = self._book_unguarded(*arguments)
        self._booked_at.setdefault(self.address, deque()).append(self._now())
        return reply

    def _check(self, additional: Mapping[str, Any]) -> None:
        switches, recent = self._switches(), self._booked_at.get(self.address, deque())
        while recent and recent[0] <= self._now() - _HOUR:
            recent.popleft()
        if switches.simplybook_bookings_per_ip and len(recent) >= switches.simplybook_bookings_per_ip:
            raise RpcError(_CODE, switches.simplybook_ip_words)
        token = additional.get(_TOKEN)
        if switches.simplybook_captcha and not (isinstance(token, str) and token in self._tokens):
            raise RpcError(_CODE, switches.simplybook_captcha_words)
        if switches.simplybook_validator_words:
            raise RpcError(_CODE, switches.simplybook_validator_words)

    def _captcha_challenge(self) -> Reply:
        """What the vendor's script shows. Whoever has solved it books with the token, which here is told at once."""
        if not self._switches().simplybook_captcha:
            return Reply({"provider": None})
        token = self._hex(16)
        self._tokens.add(token)
        assets = {"js": ["/v2/js/lib/captcha/imagecaptcha.js"]}
        return Reply({"provider": "imagecaptcha", "assets": assets, "token": token})
