#!/usr/bin/env bash
# What is shown: jsonrpc-requests cannot call a method with exactly one argument; with none, two or more it can.
# Seen with: jsonrpc-requests 0.4.0, its newest, on CPython 3.11. It asks for collections.Mapping, gone since 3.10, only
#   where there is one argument.
# Valid input: any method of one parameter.
# Why it matters: a smoke test with getToken(company, key) and getEventList() passes; getAdditionalFields(7) raises
#   AttributeError in production.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jsonrpc-requests==0.4.0 requests==2.34.2
"$work/venv/bin/python" - <<'PY'
import json, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from jsonrpc_requests import Server


class Echo(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": asked.get("params", [])}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


http = HTTPServer(("127.0.0.1", 0), Echo)
threading.Thread(target=http.serve_forever, daemon=True).start()
server = Server(f"http://127.0.0.1:{http.server_port}/")
seen = []
for arguments in ((), ("a", "b"), ("a",)):
    try:
        seen.append(server.echo(*arguments))
    except AttributeError as error:
        seen.append(str(error))
    print(len(arguments), "arguments:", seen[-1])
sys.exit(seen != [[], ["a", "b"], "module 'collections' has no attribute 'Mapping'"])
PY
