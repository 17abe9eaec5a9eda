"""An application that other settings make another of, while it serves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ReloadedApp:
    """A WSGI application that is another from one request to the next: no connection is closed for it, and what is
    being answered is answered by the one that began. make: of the settings as they are; take: takes new ones, where
    there are any. gather: of one that waits, of a webhook, for nothing but what it says in `Awaited`; what it publishes
    inside leaves together at its end. None where it waits as any other does: while traces are on, as a span lasts as
    long as the application's call."""

    def __init__(
        self,
        make: Callable[[], WSGIApplication],
        take: Callable[[], bool],
        *,
        gather: Callable[[], AbstractContextManager[None]] | None = None,
    ) -> None:
        self.gather = gather
        self._make = make
        self._take = take
        self._making = threading.Lock()
        self._app = make()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    def reload(self) -> None:
        """In a thread of its own, while others answer."""
        if self._take():
            self.make_anew()

    def make_anew(self) -> None:
        """Likewise. One at a time: of two, the one that began last is to stay."""
        with self._making:
            self._app = self._make()
