"""Three private RabbitMQ nodes in a cluster. What is done to one is done to the first, which clients are told to try
first."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from bellhop.drill.nodes.ports import free_port
from bellhop.drill.nodes.rabbitmq import NodeError, RabbitNode

_NODES: Final = 3
_COOKIE: Final = "of-this-folder-alone"
_WAIT_SECONDS: Final = 60.0


class RabbitCluster:
    """nodes: each has all queues. `start` makes it in `folder`."""

    def __init__(self, folder: Path) -> None:
        epmd_port = free_port()
        self.nodes = [_node(folder / str(number), epmd_port) for number in range(1, _NODES + 1)]

    @classmethod
    def start(cls, folder: Path) -> Self:
        cluster = cls(folder)
        first, *others = cluster.nodes
        first.start_again()
        for node in others:
            node.start_again()
            node.control("stop_app")
            node.control("join_cluster", first.name)
            node.control("start_app")
        return cluster

    def urls(self) -> tuple[str, ...]:
        """Of a new, empty virtual host, at each node."""
        parts = urlsplit(self.nodes[0].vhost())
        return tuple(urlsplit(node.url)._replace(path=parts.path).geturl() for node in self.nodes)

    def kill_in_turn(self, pause_seconds: float) -> None:
        """kill -9 of each, and up again before the next: a majority of every queue is there all the time."""
        for node in self.nodes:
            node.kill()
            time.sleep(pause_seconds)
            node.start_again()
            self._await_quorum(node)

    def cut_off_first(self) -> None:
        """The first node and the others see each other no more; clients reach all of them. Undone by `join_first`."""
        # All at once: of one that it lost it tells those it still sees, who then leave that one, too.
        self._let_first(_COOKIE + "-no-more", "disconnect_node")

    def join_first(self) -> None:
        """As an operator does: a cut leaves Mnesia, the store of metadata before 4.3, as two until the lesser part is
        started anew."""
        first = self.nodes[0]
        self._let_first(_COOKIE, "is_atom")
        if self._has_mnesia:
            first.stop()
            first.start_again()
        self._await_quorum(first)

    @property
    def _has_mnesia(self) -> bool:
        try:
            self.nodes[0].control("eval", "undefined = whereis(mnesia_sup).")
        except NodeError:
            return True
        return False

    def _let_first(self, cookie: str, act: str) -> None:
        others = ",".join(f"'{node.name}'" for node in self.nodes[1:])
        told = f"[erlang:set_cookie(N, '{cookie}') || N <- [{others}]], [erlang:{act}(N) || N <- [{others}]]."
        self.nodes[0].control("eval", told)

    def freeze_others(self) -> None:
        """The first stands alone, as it does cut off; nobody else is left to go to."""
        for node in self.nodes[1:]:
            node.freeze()

    def upgrade(self) -> None:
        """All are stopped, and all started on the newer RabbitMQ. Before that their metadata move to Khepri: 4.3 has no
        other store, and a node that moves them at its start ends unless all others are up at that moment."""
        self.nodes[0].control("enable_feature_flag", "--experimental", "khepri_db")
        for node in self.nodes:
            node.stop()
        for node in self.nodes:
            node.move_on()
            node.launch()  # none is up before most of them are
        for node in self.nodes:
            node.await_answer()

    def mend(self) -> None:
        for node in self.nodes:
            node.mend()

    def _await_quorum(self, node: RabbitNode) -> None:
        """Until no queue needs another node of the three any more. Raises NodeError."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                return node.diagnose("check_if_node_is_quorum_critical")
            except NodeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for node in self.nodes:
            node.destroy()


def _node(folder: Path, epmd_port: int) -> RabbitNode:
    folder.mkdir()
    cookie = folder / ".erlang.cookie"
    cookie.touch(0o600)
    cookie.write_text(_COOKIE)
    cookie.chmod(0o400)
    return RabbitNode(folder, epmd_port)
