#!/usr/bin/env bash
# What is shown: two JSON-RPC clients report a call as done that failed, or of which nothing is known.
#   jsonrpcclient makes Ok(None) of an error beside which stands `"result": null`.
#   jayson's client calls back without an error, and without an answer, for HTTP 200 with an empty body.
# Seen with: jsonrpcclient 4.0.3 on CPython 3.11; jayson 5.0.0 on Node.js 20.
# Valid input: JSON-RPC 1.0 has every answer carry both members, one of them null, and servers of 2.0 keep to it for their
#   older clients. An empty body is what Zend's JSON-RPC server sends when a result cannot be encoded, after the call was
#   carried out; to a call with an id no answer may be left out.
# Why it matters: "the slot is taken" is filed as a booking with no id, and a booking nobody knows the id of as well.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not. Without npm the
#   second part is left out, and says so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jsonrpcclient==4.0.3
"$work/venv/bin/python" - <<'PY'
import sys
from jsonrpcclient import Error, Ok, parse

error = {"code": -32054, "message": "Selected time start is not available"}
told = parse({"jsonrpc": "2.0", "id": 1, "result": None, "error": error})
alone = parse({"jsonrpc": "2.0", "id": 1, "error": error})
print("an error beside a null result:", told)
print("the same error alone:         ", alone)
sys.exit(not (told == Ok(None, 1) and isinstance(alone, Error)))
PY
command -v npm >/dev/null || { echo 'npm is missing: jayson is left out' >&2; exit 0; }
cd "$work"
npm install --silent --no-audit --no-fund --ignore-scripts jayson@5.0.0 >/dev/null
cat > empty.cjs <<'JS'
const http = require("node:http");
const jayson = require("jayson");

const server = http.createServer((_, answer) => answer.writeHead(200, { "Content-Type": "application/json" }).end());
server.listen(0, "127.0.0.1", () => {
  const client = jayson.client.http({ hostname: "127.0.0.1", port: server.address().port });
  client.request("book", ["7", "3"], (failure, answer) => {
    console.log("jayson, after an empty answer to a call with an id: failure", failure, "answer", answer);
    process.exit(!failure && answer === undefined ? 0 : 1);
  });
});
JS
node empty.cjs
