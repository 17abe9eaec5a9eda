"""A mail server on loopback that keeps what it is sent: as much of RFC 5321 as a client of ours says to it."""

from __future__ import annotations

import email
import socketserver
from email.message import Message
from email.policy import default


class MailSink(socketserver.ThreadingTCPServer):
    """refuse: the reply to every RCPT, "" where all are taken."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, refuse: str = "") -> None:
        self.messages: list[Message] = []
        self.recipients: list[str] = []
        self.refuse = refuse
        super().__init__(("127.0.0.1", 0), _Session)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away without a word is what some tests are about."""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: MailSink

    def handle(self) -> None:
        self._say("220 sink")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "DATA":
                self._say("354 go on")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                self.server.messages.append(email.message_from_bytes(b"".join(lines), policy=default))
            if verb == "RCPT":
                self.server.recipients.append(line)
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._say(self.server.refuse if verb == "RCPT" and self.server.refuse else "250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
