#!/usr/bin/env bash
# What is shown: with publisher confirms on, a publish whose confirm comes too late raises, as it should; the *next*
#   publish then takes that late confirm for its own and returns, although the broker refuses it (basic.nack).
# Seen with: kombu 5.7.0 over amqp 5.4.2.
# Valid input: a broker may confirm whenever it likes, and says by the delivery tag which publish it means (RabbitMQ,
#   "Publisher Confirms"). The confirm of a publish that was given up is ordinary under load or a slow disk.
# Why it matters: who answers its caller "accepted" when publish() returns has lost the message.
# The broker here is thirty lines that speak AMQP 0-9-1's handshake: it confirms the first publish after 1 s, and refuses
# the second one when that has been confirmed. Nothing of Bellhop is used. Ends with 0 while the behaviour is as
# described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kombu==5.7.0 amqp==5.4.2
"$work/venv/bin/python" - <<'PY'
import socket, struct, sys, threading, time

from kombu import Connection

said = []


def frame(channel: int, class_: int, method: int, arguments: bytes) -> bytes:
    payload = struct.pack(">HH", class_, method) + arguments
    return struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce"


def broker(listener: socket.socket) -> None:
    peer, _ = listener.accept()
    stream = peer.makefile("rb")
    stream.read(8)  # the protocol's header
    text = lambda words: struct.pack(">I", len(words)) + words
    peer.sendall(frame(0, 10, 10, b"\x00\x09" + text(b"") + text(b"PLAIN") + text(b"en_US")))
    tag = 0
    while head := stream.read(7):
        kind, channel, size = struct.unpack(">BHI", head)
        payload = stream.read(size + 1)
        if kind != 1:
            continue
        asked = struct.unpack(">HH", payload[:4])
        if asked == (10, 11):
            peer.sendall(frame(0, 10, 30, struct.pack(">HIH", 0, 131072, 0)))
        elif asked == (10, 40):
            peer.sendall(frame(0, 10, 41, b"\x00"))
        elif asked == (20, 10):
            peer.sendall(frame(channel, 20, 11, text(b"")))
        elif asked == (85, 10):
            peer.sendall(frame(channel, 85, 11, b""))
        elif asked == (20, 40):
            peer.sendall(frame(channel, 20, 41, b""))
        elif asked == (10, 50):
            peer.sendall(frame(0, 10, 51, b""))
        elif asked == (60, 40):
            tag += 1
            if tag == 1:
                time.sleep(1)
                said.append("ack of 1")
                peer.sendall(frame(channel, 60, 80, struct.pack(">QB", 1, 0)))
            else:
                time.sleep(0.5)
                said.append(f"nack of {tag}")
                peer.sendall(frame(channel, 60, 120, struct.pack(">QB", tag, 0)))


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=broker, args=(listener,), daemon=True).start()
url = f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}//"
seen = []
with Connection(url, transport_options={"confirm_publish": True}) as connection:
    producer = connection.Producer(auto_declare=False)
    for number, seconds in ((1, 0.3), (2, 5)):
        began = len(said)
        try:
            producer.publish(f"message {number}", routing_key="work", confirm_timeout=seconds, timeout=5)
            seen.append("returned")
        except Exception as error:
            seen.append(type(error).__name__)
        print(f"publish {number}: {seen[-1]}; the broker had said {said}")
    time.sleep(1)
print("the broker said:", said)
if seen[1:] != ["returned"] or seen[0] == "returned" or "nack of 2" not in said:
    sys.exit("not as described any more")
PY
echo 'as described: the second publish returned on the first one'"'"'s confirm; the broker refused it'
