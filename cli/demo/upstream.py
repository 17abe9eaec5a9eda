"""The other side of the ingress: posts signed webhooks and asks what became of them."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

import urllib3

from bellhop.cli.demo.signing import credentials
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import BellhopError
from bellhop.schemas.settings import SourceSettings
from bellhop.schemas.settings.sources import RAW

_TIMEOUT: Final = urllib3.Timeout(connect=3, read=30)


class NoAnswer(BellhopError):
    """Raised when the ingress cannot be reached."""


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    """One webhook, ready to be sent. `body` is what is signed, to the byte."""

    id: str
    type: str
    body: str
    headers: Mapping[str, str] = field(repr=False)
    address: str = field(repr=False)


class Upstream:
    """Plays `source`, with the first of its secrets. url: the ingress'."""

    def __init__(self, url: str, source: SourceSettings, now: Callable[[], datetime] = utc_now) -> None:
        self._url = url.rstrip("/")
        self._source = source
        self._now = now
        self._http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)

    @property
    def address(self) -> str:
        return f"{self._url}/webhooks/{self._source.name}"

    def sign(self, type_: str, data: Mapping[str, Any], id_: str | None = None) -> SignedWebhook:
        """The webhook with its credentials. They hold for the source's tolerance, 5 minutes as a rule."""
        body = json.dumps({"type": type_, "timestamp": self._now().isoformat(), "data": data})
        return self.sign_body(body, type_, id_)

    def sign_body(
        self, body: str, type_: str = "", id_: str | None = None, content_type: str = "application/json"
    ) -> SignedWebhook:
        """A body as it is, signed as the source demands. type_: for people."""
        id_ = id_ or f"sample-{uuid.uuid4().hex[:12]}"
        given = credentials(self._source, body.encode(), id_, self._now())
        headers = {"content-type": content_type, "webhook-id": id_, **given.headers}
        return SignedWebhook(id_, type_, body, headers, f"{self.address}{given.path}{given.query}")

    def sign_again(self, post: SignedWebhook) -> SignedWebhook:
        """The same, signed anew."""
        return self.sign_body(post.body, post.type, post.id, post.headers["content-type"])

    def send(self, post: SignedWebhook) -> tuple[int, str]:
        """Status and body of the answer. Raises NoAnswer."""
        return self._request("POST", post.address, body=post.body.encode(), headers=dict(post.headers))

    def status(self, id_: str) -> dict[str, Any]:
        """The event as its source is told it; empty where that cannot be told now. Raises NoAnswer."""
        headers = {"authorization": f"Bearer {self._source.secrets[0].removeprefix(RAW)}"}
        url = f"{self._url}/events/{self._source.name}/{quote(id_, safe='')}"
        status, body = self._request("GET", url, headers=headers)
        told: dict[str, Any] = json.loads(body) if status == 200 else {}
        return told

    def curl(self, post: SignedWebhook) -> str:
        """The same as a command line. A bearer secret is left for the shell's variable SECRET."""
        lines = [f"curl -i {shlex.quote(post.address)}"]
        for name, value in post.headers.items():
            lines.append('-H "authorization: Bearer $SECRET"' if name == "authorization" else f"-H '{name}: {value}'")
        return " \\\n  ".join((*lines, f"--data-raw {shlex.quote(post.body)}"))

    def _request(self, method: str, url: str, **more: Any) -> tuple[int, str]:
        try:
            answer = self._http.request(method, url, **more)
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer(f"no answer from {self._url}: {type(error).__name__}; is the ingress running?") from None
        return answer.status, answer.data.decode("utf-8", "replace")
