"""An answer that waits for the broker's confirms without holding a thread, where the server can wait so.

WSGI lets an application hand over an iterable and name its status only as that is asked for its first piece (PEP 3333).
A server that puts an `Awaited` into a request's environ is told in it what to wait for before it asks. Where there is
none, the application waits itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from flask import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

AWAITED: Final = "bellhop.awaited"
"""The environ's key."""


@dataclass(slots=True)
class Awaited:
    """What an answer waits for: nothing, unless the application says otherwise. until: monotonic seconds, from when on
    the answer can be made without."""

    confirms: Sequence[Future[None]] = field(default_factory=tuple)
    until: float = 0.0


class Later:
    """An answer to come, as a WSGI application. make: the answer; it waits for confirms that are not there, until their
    time is over, and raises nothing."""

    def __init__(self, confirms: Sequence[Future[None]], until: float, make: Callable[[], Response]) -> None:
        self._confirms = confirms
        self._until = until
        self.make = make

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        awaited = environ.get(AWAITED)
        if isinstance(awaited, Awaited):
            awaited.confirms, awaited.until = self._confirms, self._until
        return self._answer(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        yield from self.make()(environ, start_response)


class JsonAnswer(Response):
    """JSON, handed over as it is: werkzeug looks first for what redirects, ranges and answers without a body have."""

    def __init__(self, told: Mapping[str, object], status: int) -> None:
        super().__init__(json.dumps(told), status, content_type="application/json")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response(self.status, list(self.headers))
        return [self.get_data()]
