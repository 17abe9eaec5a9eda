#!/usr/bin/env bash
# What is shown: httpx reads the first member of a gzip body and drops the others without a word; requests, urllib3 and
#   aiohttp read all. aiohttp in its turn hands out packed bytes as the body where two codings are named ("gzip, gzip").
# Seen with: httpx 0.28.1, its newest, aiohttp 3.14.5, requests 2.34.2 with urllib3 2.8.0, CPython 3.11. RFC 1952 (2.2): a
#   gzip file is a series of members. RFC 9110 (8.4): Content-Encoding is a list.
# Valid input: what a server sends that flushes a page as two members, as log stores and block-gzip files do; and what stands
#   behind two proxies that both compress.
# Why it matters: status 200, the whole of Content-Length was read, and half of the records are missing: where records end
#   with the member, as in lines of JSON, nothing fails.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check httpx==0.28.1 aiohttp==3.14.5 requests==2.34.2 urllib3==2.8.0
"$work/venv/bin/python" - <<'PY'
import asyncio, gzip, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
import aiohttp, httpx, requests

FIRST, SECOND = b'{"room": 1}\n', b'{"room": 2}\n'
BODIES = {
    "/members": ("gzip", gzip.compress(FIRST) + gzip.compress(SECOND)),
    "/codings": ("gzip, gzip", gzip.compress(gzip.compress(FIRST + SECOND))),
}


class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        coding, body = BODIES[self.path]
        self.send_response(200)
        self.send_header("Content-Encoding", coding)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def by_aiohttp(url):
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.read()


http = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=http.serve_forever, daemon=True).start()
clients = {
    "httpx": lambda url: httpx.get(url).content,
    "requests": lambda url: requests.get(url).content,
    "aiohttp": lambda url: asyncio.run(by_aiohttp(url)),
}
seen = {}
for path in BODIES:
    for name, get in clients.items():
        body = get(f"http://127.0.0.1:{http.server_port}{path}")
        what = {FIRST + SECOND: "whole", FIRST: "half"}.get(body, "packed" if body[:2] == b"\x1f\x8b" else "other")
        seen[path, name] = what
        print(f"{path:10}{name:10}{what}")
wrong = {("/members", "httpx"): "half", ("/codings", "aiohttp"): "packed"}
sys.exit(seen != {key: wrong.get(key, "whole") for key in seen})
PY
