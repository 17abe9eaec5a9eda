#!/usr/bin/env bash
# What is shown: after an interim answer (103 Early Hints, 102 Processing) a Python client gives the interim answer out
#   as *the* answer, and the next request on the kept connection gets the answer to the one before.
# Seen with: urllib3 2.8.0 and requests 2.34.2 on CPython 3.11.7. httpx 0.28.1, on the same bytes, reads interim answers over.
# Valid input: RFC 9110, 15.2: a client must be able to parse one or more 1xx responses received before a final one,
#   even if it does not expect one. RFC 8297 has servers send 103 unasked.
# Why it matters: two bookings over one pooled connection; the second is told the first one's id.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check urllib3==2.8.0 requests==2.34.2 httpx==0.28.1
"$work/venv/bin/python" - <<'PY'
import contextlib, socket, sys, threading, time
import httpx, requests, urllib3


def serve(listener: socket.socket) -> None:
    """Answers each request with 103 and, a moment later, 200, whose body is the path that was asked for."""
    while True:
        threading.Thread(target=talk, args=listener.accept()[:1], daemon=True).start()


@contextlib.contextmanager
def gone():
    with contextlib.suppress(OSError):  # the client has ended
        yield


@gone()
def talk(peer: socket.socket) -> None:
    kept = b""
    while True:
        while b"\r\n\r\n" not in kept:
            got = peer.recv(65536)
            if not got:
                return
            kept += got
        head, _, kept = kept.partition(b"\r\n\r\n")
        path = head.split()[1]
        peer.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        time.sleep(0.2)  # what early hints are for: the answer takes a while
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
base = f"http://127.0.0.1:{listener.getsockname()[1]}"

pool, session, client = urllib3.PoolManager(retries=False), requests.Session(), httpx.Client()
seen = {
    "urllib3": [(a.status, a.data.decode()) for a in (pool.request("GET", f"{base}/{n}") for n in (1, 2))],
    "requests": [(a.status_code, a.text) for a in (session.get(f"{base}/{n}") for n in (1, 2))],
    "httpx": [(a.status_code, a.text) for a in (client.get(f"{base}/{n}") for n in (1, 2))],
}
for name, answers in seen.items():
    print(f"{name:9}", answers)
right = [(200, "/1"), (200, "/2")]
wrong = [(103, ""), (200, "/1")]
if seen["httpx"] != right or seen["urllib3"] != wrong or seen["requests"] != wrong:
    sys.exit("not as described any more")
PY
echo 'as described: the interim answer is given out, and the next request gets the answer to the one before'
