"""SimplyBook.me's own callbacks, pretended: what it posts to a company's URL when one of its bookings changes.

The body is thin, as in the vendor's example; what it is sent again for and how often is second hand.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any, Final

from bellhop.sandbox.simplybook.switches import SimplybookSwitches
from bellhop.sandbox.switch import ControlError

_WAIT_SECONDS: Final = 10.0
_KEPT: Final = 10_000


@dataclass(slots=True)
class CallbackPost:
    """One callback. tries: how often it was posted. status: the last answer's, None where there was none."""

    body: dict[str, Any]
    tries: int = 0
    status: int | None = None


class Callbacks:
    """Posts on threads of its own, each callback in its turn; a switch without a URL posts nothing."""

    def __init__(self, switches: Callable[[], SimplybookSwitches], now: Callable[[], datetime], company: str) -> None:
        self._switches = switches
        self._now = now
        self._company = company
        self._lock = threading.Lock()
        self._posts: list[CallbackPost] = []

    def tell(self, kind: str, id_: str, hash_: str, old: Mapping[str, Any] | None = None) -> None:
        """Has one posted. kind: create, change, cancel or notify. old: the booking as it was before a change."""
        switches = self._switches()
        if not switches.simplybook_callback_url:
            return
        body: dict[str, Any] = {
            "booking_id": id_,
            "booking_hash": hash_,
            "company": self._company,
            "notification_type": kind,
        }
        if switches.simplybook_callback_newer_fields:
            body |= {"webhook_timestamp": int(self._now().timestamp()), "signature_algo": "sha256"}
            body |= {"old_data": dict(old)} if old else {}
        post = CallbackPost(body)
        with self._lock:
            self._posts = [*self._posts[1 - _KEPT :], post]
        self._begin(post)

    def again(self, which: Mapping[str, Any]) -> int:
        """Posts those of a booking, a kind, or all once more, as the vendor does; how many. Raises ControlError."""
        if unknown := set(which) - {"booking_id", "notification_type"}:
            raise ControlError(f"{min(unknown)} is neither booking_id nor notification_type")
        with self._lock:
            found = [post for post in self._posts if all(post.body[name] == value for name, value in which.items())]
        for post in found:
            self._begin(post)
        return len(found)

    def posts(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(post) for post in self._posts]

    def _begin(self, post: CallbackPost) -> None:
        threading.Thread(target=self._post_until_taken, args=(post,), name="callback", daemon=True).start()

    def _post_until_taken(self, post: CallbackPost) -> None:
        """And again after each of the delays while it is not answered 2xx; and, by a switch, though it is."""
        switches = self._switches()
        delays = [float(delay) for delay in switches.simplybook_callback_delays.split(",") if delay.strip()]
        for _ in range(switches.simplybook_callback_copies):
            self._post(post)
        while not self._post(post) and delays:
            time.sleep(delays.pop(0))

    def _post(self, post: CallbackPost) -> bool:
        """Whether it is done with: taken, or not wanted any more."""
        url = self._switches().simplybook_callback_url
        if not url:
            return True
        request = urllib.request.Request(  # noqa: S310  # the switch has http and https alone
            url, json.dumps(post.body).encode(), {"Content-Type": "application/json"}
        )
        status: int | None = None
        try:
            with urllib.request.urlopen(request, timeout=_WAIT_SECONDS) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as refused:
            status = refused.code
        except (OSError, HTTPException):
            pass  # nobody is there
        with self._lock:
            post.tries, post.status = post.tries + 1, status
        return status is not None and 200 <= status < 300
