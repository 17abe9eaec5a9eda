"""Posts a plan as an upstream does: on anything but a 2xx the same webhook is sent again."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import urllib3
from standardwebhooks import Webhook as Signer

from bellhop.drill.history import SentPost
from bellhop.drill.plan import AGAIN, Webhook
from bellhop.schemas.errors import BellhopError

_TIMEOUT: Final = urllib3.Timeout(connect=2, read=10)
_PAUSE_SECONDS: Final = 0.2
_SLACK_SECONDS: Final = 5.0
"""A post's answer comes later than its receipt."""
_PATIENCE_SECONDS: Final = 90.0


class NotAccepted(BellhopError):
    """Raised where a webhook was refused for good, or not accepted for very long; it is given up."""


class Sender:
    """Sends portion after portion, each once `release` has been called for it. posts: what was sent and answered."""

    def __init__(self, url: str, secret: str, portions: Sequence[Sequence[Webhook]], gap_seconds: float) -> None:
        self._url = url
        self._signer = Signer(secret)
        self._portions = portions
        self._gap_seconds = gap_seconds
        self._released = [threading.Event() for _ in portions]
        self._sent = [threading.Event() for _ in portions]
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)
        self._thread = threading.Thread(target=self._run, name="upstream", daemon=True)
        self._times: dict[str, str] = {}
        self.posts: list[SentPost] = []
        self._given_up: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def release(self, portion: int) -> None:
        self._released[portion].set()

    def wait(self, portion: int) -> None:
        """Until all of it was accepted or given up. Raises NotAccepted, once for what was given up."""
        self._sent[portion].wait()
        if self._given_up:
            words, self._given_up = "; ".join(self._given_up), []
            raise NotAccepted(words)

    @property
    def accepted(self) -> list[str]:
        """The ids of what was answered 2xx, each once."""
        return list(dict.fromkeys(post.id for post in list(self.posts) if 200 <= post.status < 300))

    def slots_of(self, id_: str) -> tuple[str, ...]:
        """What an event of this id wants to stand."""
        return next((one.slots for portion in self._portions for one in portion if one.id == id_), ())

    def send_again(self, count: int) -> None:
        """The last `count` that were accepted, to the byte, as after a restore of its own. Raises NotAccepted."""
        known = {webhook.id: webhook for portion in self._portions for webhook in portion}
        for id_ in self.accepted[-count:]:
            self._deliver(known[id_])

    def send_again_since(self, at: float) -> None:
        """What was accepted from then on, in Unix seconds. Raises NotAccepted."""
        known = {webhook.id: webhook for portion in self._portions for webhook in portion}
        again = [post.id for post in list(self.posts) if post.at >= at - _SLACK_SECONDS]
        accepted = set(self.accepted)
        for id_ in dict.fromkeys(id_ for id_ in again if id_ in accepted):
            self._deliver(known[id_])

    def _run(self) -> None:
        for webhooks, released, sent in zip(self._portions, self._released, self._sent, strict=True):
            released.wait()
            for webhook in webhooks:
                try:
                    self._deliver(webhook)
                except NotAccepted as error:
                    self._given_up.append(str(error))
                time.sleep(self._gap_seconds)
            sent.set()

    def _deliver(self, webhook: Webhook) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        stamp = datetime.now(UTC) + timedelta(seconds=webhook.seconds)
        when = self._times.setdefault(webhook.id.removesuffix(AGAIN), stamp.isoformat())
        body = json.dumps({"type": webhook.type, "timestamp": when, "data": webhook.data})
        while time.monotonic() < deadline:
            status = self._post(webhook.id, body)
            self.posts.append(
                SentPost(webhook.id, webhook.type, webhook.reference, when, webhook.slots, status, time.time())
            )
            if 200 <= status < 300:
                return
            if status not in (0, 429) and status < 500:
                raise NotAccepted(f"{webhook.id} was answered {status}")
            time.sleep(_PAUSE_SECONDS)
        raise NotAccepted(f"{webhook.id} was not accepted within {_PATIENCE_SECONDS:g} s")

    def _post(self, id_: str, body: str) -> int:
        """The answer's status; 0 where none came."""
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(id_, now, body),
        }
        try:
            return self._http.request("POST", self._url, body=body.encode(), headers=headers).status
        except urllib3.exceptions.HTTPError:
            return 0


def portions(webhooks: Sequence[Webhook], count: int) -> list[Sequence[Webhook]]:
    """In their order, in `count` parts of nearly the same size."""
    edges = [len(webhooks) * part // count for part in range(count + 1)]
    return [webhooks[start:end] for start, end in pairwise(edges)]
