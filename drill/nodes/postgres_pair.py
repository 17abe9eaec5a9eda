"""Two private PostgreSQL nodes: one serves, the other follows it synchronously and takes its place when it dies.

Synchronous (`synchronous_standby_names`): a commit is answered once the standby has it, too, so that none is lost by a
fail-over. https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from bellhop.drill.nodes.postgres import PostgresNode, hand_over

_REPLICATES = "-c wal_level=replica -c max_wal_senders=8 -c wal_keep_size=256MB"


class PostgresPair:
    """`start` makes it in `folder`, whose path must be short."""

    def __init__(self, folder: Path) -> None:
        self._first, self._second = (PostgresNode(_folder(folder / name), _REPLICATES) for name in ("a", "b"))
        self._serving, self._standby = self._first, self._second

    @classmethod
    def start(cls, folder: Path) -> Self:
        """Both run, with an empty database `bellhop`. Raises NodeError."""
        pair = cls(folder)
        hand_over(folder)
        pair._serving.make()
        pair._follow()
        return pair

    @property
    def url(self) -> str:
        """Names both; a session is one with whichever can be written to."""
        hosts = "&".join(f"host=127.0.0.1:{node.port}" for node in (self._first, self._second))
        return f"postgresql://bellhop@/bellhop?{hosts}&target_session_attrs=read-write"

    def fail_over(self) -> None:
        """kill -9 of the one that serves; the other takes its place. Then the first follows it, from a new copy."""
        self._serving.kill()
        self._standby.promote()
        self._serving, self._standby = self._standby, self._serving
        self._follow()

    def mend(self) -> None:
        """Both run, whatever was done to them."""
        self._serving.mend()
        self._standby.mend()

    def destroy(self) -> None:
        self._first.kill()
        self._second.kill()

    def _follow(self) -> None:
        """The standby begins anew from a copy; from then on no commit is answered that it has not."""
        self._standby.copy_of(self._serving)
        self._standby.start_again()
        self._serving.wait_for_standby()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.destroy()


def _folder(folder: Path) -> Path:
    folder.mkdir()
    return folder
