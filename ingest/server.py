"""The ingress' HTTP server: gunicorn with threads, told all it needs by the program, none of it by its environment."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn

import gunicorn.http.wsgi
import gunicorn.util
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from bellhop.ingest.worker import IngressWorker
from bellhop.schemas.errors import BellhopError, SettingsError
from bellhop.schemas.observe import Observe, silent
from bellhop.schemas.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_BACKLOG: Final = 2048
_KEEP_ALIVE_SECONDS: Final = 30
# A process that does not even beat its heart for so long is killed and made anew. Requests do not count: they run in
# threads, each within the time for its body and its confirm.
_HEARTBEAT_SECONDS: Final = 30
LINGER_SECONDS: Final = 5
_FIRST_DESCRIPTOR: Final = 3  # sd_listen_fds(3): where systemd puts the sockets


def serve(
    settings: Settings,
    make_app: Callable[[], WSGIApplication],
    *,
    observe: Observe = silent,
    reread: Callable[[], bool] = lambda: False,
) -> NoReturn:
    """Serves until SIGTERM or SIGINT, then ends the process with SystemExit. On SIGTERM nothing new is taken, and what
    has come is answered; kept connections get `Connection: close`.

    Where a socket is handed over (LISTEN_FDS, as systemd does) it is served instead of the settings' address. It
    outlives the process: who connects while none serves it waits for the next instead of being refused.

    `make_app` is called in each process after its fork, so that what it makes may start threads and connections.
    On SIGHUP `reread` is called in the first process; where it is true, each other one's `ReloadedApp` reloads.
    Raises SettingsError where the address cannot be listened on.
    Tells `server.listening` (host, port), `server.problem` (what gunicorn says, never what a client sent) and
    `connection.slow` for a request whose head did not come in time.
    """
    handed = _inherited_socket()
    listener = handed or _listen(settings.ingest.host, settings.ingest.port)
    # What the answer's Server header says. gunicorn has no setting for it.
    gunicorn.http.wsgi.SERVER = "bellhop"
    gunicorn.util.http_date = lambda: _http_date(int(time.time()))  # it writes each answer's anew, the same all second
    _Arbiter(_Application(settings, make_app, listener, observe, reread, outlives=handed is not None)).run()
    sys.exit(0)


def processes(settings: Settings) -> int:
    """0 in the settings: one with the embedded broker, which commits for one process best, two with RabbitMQ."""
    return settings.ingest.processes or (1 if settings.broker.embedded else 2)


def _inherited_socket() -> socket.socket | None:
    """The socket that systemd, or whoever keeps to its way, has handed to this process. Raises SettingsError."""
    told = {name: os.environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")}
    if told["LISTEN_PID"] != str(os.getpid()):
        return None
    if told["LISTEN_FDS"] == "1":
        with suppress(OSError):
            handed = socket.socket(fileno=_FIRST_DESCRIPTOR)
            if handed.family in (socket.AF_INET, socket.AF_INET6):
                return handed
    raise SettingsError("LISTEN_FDS", "must hand over one socket, which listens on TCP", "the environment")


def _listen(host: str, port: int) -> socket.socket:
    """Listens here and not in gunicorn, which tries five times and then exits by itself."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: what cannot be a host's name
        problem = f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or type(error).__name__}"
        raise SettingsError("ingest.port", problem, "the settings") from None


class _Application(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(
        self,
        settings: Settings,
        make_app: Callable[[], WSGIApplication],
        listener: socket.socket,
        observe: Observe,
        reread: Callable[[], bool],
        *,
        outlives: bool,
    ) -> None:
        self.reread = reread
        self._settings = settings
        self._make_app = make_app
        self._address = listener.getsockname()[:2]
        self.listener_outlives = outlives
        # Given away for good: gunicorn duplicates an fd:// descriptor that it is given, and closes this one.
        self._descriptor = listener.detach()
        self._observe = observe
        self.request_seconds = settings.ingest.body_seconds
        super().__init__()

    def load_config(self) -> None:
        ingest = self._settings.ingest
        finish = ingest.body_seconds + self._settings.broker.confirm_seconds + LINGER_SECONDS
        options = {
            "bind": f"fd://{self._descriptor}",
            "workers": processes(self._settings),
            "threads": ingest.threads,
            "worker_class": IngressWorker,
            "timeout": _HEARTBEAT_SECONDS,
            "graceful_timeout": int(finish),
            "keepalive": _KEEP_ALIVE_SECONDS,
            "sendfile": False,  # the kernel would send a file of the console's past `sendall`, which holds its head
            "proc_name": "bellhop-ingest",
            "logger_class": _logger(self._observe),
            "control_socket_disable": True,
            "when_ready": self._ready,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return self._make_app()

    def _ready(self, _arbiter: object) -> None:
        host, port = self._address
        self._observe("server.listening", host=host, port=port)


class _Arbiter(Arbiter):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's first process. Settings that are new reach the processes as they are: gunicorn's own way, new ones in
    their place, would close kept connections, and post after post with them."""

    def handle_hup(self) -> None:
        if self.app.reread():
            self.kill_workers(signal.SIGUSR1)

    def handle_usr2(self) -> None: ...


@lru_cache(2)
def _http_date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def _logger(observe: Observe) -> type:
    """gunicorn's logger, as far as it is worth telling. Only its own words are told, not what they are about: that
    may be a piece of a request."""

    class Logger:
        def __init__(self, cfg: object) -> None:
            self.cfg = cfg

        def critical(self, message: object, *args: object, **kwargs: object) -> None:
            error = sys.exc_info()[1]
            if isinstance(error, TimeoutError):
                observe("connection.slow")
                return
            # Bellhop's own errors are written to be read by the operator; others may quote what they choked on.
            why = str(error) if isinstance(error, BellhopError) else type(error).__name__ if error else ""
            observe("server.problem", message=str(message), error=why)

        error = exception = critical

        def ignore(self, *args: object, **kwargs: object) -> None: ...

        warning = info = debug = log = access = reopen_files = close_on_exec = setup = ignore

    return Logger
