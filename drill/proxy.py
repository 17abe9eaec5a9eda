"""A TCP proxy that a drill puts between Bellhop and what it talks to, to cut, silence or slow the connection."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from enum import StrEnum
from typing import Final, Self
from urllib.parse import urlsplit

from bellhop.drill.nodes.ports import free_port

_CHUNK: Final = 65536
_DELAY_SECONDS: Final = 0.15


class Mode(StrEnum):
    PASSING = "passing"
    CUT = "cut"
    """What is connected is reset, and so is who connects."""
    BLACK_HOLE = "black hole"
    """Everybody connects, and not a byte comes through, either way."""
    SLOW = "slow"


class Link:
    """Passes 127.0.0.1:port on to a host and port. Its loop is a thread of its own; every method is safe from any."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self.port = free_port()
        self._mode = Mode.PASSING
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._opened = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"link-{self.port}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(10)
        return self

    def __exit__(self, *_error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, mode: Mode) -> None:
        asyncio.run_coroutine_threadsafe(self._set(mode), self._loop).result(10)

    async def _begin(self) -> None:
        self._opened.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=1024)

    async def _end(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _set(self, mode: Mode) -> None:
        was, self._mode = self._mode, mode
        if mode is Mode.BLACK_HOLE:
            self._opened.clear()
        elif mode is Mode.CUT or was is Mode.BLACK_HOLE:
            # What a black hole swallowed is gone for good: as after a router's restart, both sides must begin anew.
            for writer in list(self._writers):
                writer.transport.abort()
            self._opened.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ours = [writer]
        self._writers.add(writer)
        try:
            if self._mode is not Mode.CUT:
                await self._opened.wait()
                there, onward = await asyncio.open_connection(*self._target)
                ours.append(onward)
                self._writers.add(onward)
                await asyncio.gather(self._pass(reader, onward), self._pass(there, writer))
        except (OSError, asyncio.CancelledError):
            pass  # the target is away, or one side hung up, so does the other; or all of it ends
        finally:
            self._writers.difference_update(ours)
            for one in ours:
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            await self._opened.wait()
            if self._mode is Mode.SLOW:
                await asyncio.sleep(_DELAY_SECONDS)
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()


def link_before(url: str) -> tuple[Link, str] | None:
    """A link to where a broker's or database's URL leads, and the URL through it. None where the server's name is a
    part of what is checked (TLS), and where it names no host, or several."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme == "amqps" or "sslmode" in parts.query:
        return None
    link = Link(parts.hostname, parts.port or (5672 if parts.scheme == "amqp" else 5432))
    user = parts.netloc.rpartition("@")
    return link, parts._replace(netloc=f"{user[0]}{user[1]}127.0.0.1:{link.port}").geturl()
