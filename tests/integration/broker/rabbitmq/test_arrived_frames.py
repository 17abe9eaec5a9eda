"""Frames that have come over TLS: what its buffer holds wakes no poll, so all of it is read, and nothing waited for."""

from __future__ import annotations

import socket
import ssl
import struct
from pathlib import Path
from threading import Thread

from amqp.transport import SSLTransport
from werkzeug.serving import make_ssl_devcert

from bellhop.broker.rabbitmq.raw import SecureTransport

FRAME = struct.pack(">BHI", 3, 1, 30_000) + b"x" * 30_000 + b"\xce"
"""Longer than one record of TLS."""


class Link(SecureTransport.Connection):
    def __init__(self, transport: SSLTransport) -> None:
        self._own = transport
        self.frames = 0

    @property
    def transport(self) -> SSLTransport:
        return self._own

    def on_inbound_frame(self, _frame: object) -> None:
        self.frames += 1


def test_all_that_has_come_over_tls_is_read_and_no_more_is_waited_for(tmp_path: Path) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(*make_ssl_devcert(str(tmp_path / "own"), cn="localhost"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "own.crt"))
    ours, theirs = socket.socketpair()
    agreed: list[ssl.SSLSocket] = []
    agreeing = Thread(target=lambda: agreed.append(serving.wrap_socket(theirs, server_side=True)))
    agreeing.start()
    transport = SSLTransport("localhost", connect_timeout=10)
    transport.sock = trusting.wrap_socket(ours, server_hostname="localhost")
    transport._quick_recv = transport.sock.read
    agreeing.join()
    link = Link(transport)
    link.read_arrived()
    assert link.frames == 0

    sending = Thread(target=agreed[0].sendall, args=(3 * FRAME + FRAME[:100],))
    sending.start()
    while link.frames < 3 or len(transport._read_buffer) < 100:
        link.read_arrived()
    sending.join()
    assert (link.frames, transport._read_buffer) == (3, FRAME[:100])
    for end in (transport.sock, agreed[0]):
        end.close()
