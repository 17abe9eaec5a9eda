#!/usr/bin/env bash
# What is shown: a client made from an OpenAPI 3.1 document knows none of an object's own fields where the object also has a
#   choice (`properties` and `required` beside `oneOf`: these fields, and one of two ways to say who). Each alternative
#   becomes a class of its own without them, the required one too, and nothing is warned of, also with --fail-on-warning.
# Seen with: openapi-python-client 0.29.1 on CPython 3.11.7; openapi-spec-validator 0.7.2 finds the document valid.
# Valid input: JSON Schema 2020-12, 10.2: keywords that apply subschemas in place (`oneOf`) constrain an instance beside
#   all others of the same schema object; none replaces its siblings.
# Why it matters: a booking is built with all that its class takes and posted without its start; the type checker agrees.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    openapi-python-client==0.29.1 openapi-spec-validator==0.7.2 ruff==0.14.0
cat > "$work/rooms.json" <<'JSON'
{
  "openapi": "3.1.0",
  "info": {"title": "Rooms", "version": "1"},
  "paths": {"/bookings": {"post": {
    "operationId": "book",
    "requestBody": {"required": true,
      "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Booking"}}}},
    "responses": {"201": {"description": "Booked."}}
  }}},
  "components": {"schemas": {"Booking": {
    "type": "object",
    "required": ["start"],
    "properties": {"start": {"type": "string"}, "room": {"type": "string"}},
    "oneOf": [
      {"title": "ByGuest", "type": "object", "required": ["guest"], "properties": {"guest": {"type": "string"}}},
      {"title": "ByMember", "type": "object", "required": ["member"], "properties": {"member": {"type": "string"}}}
    ]
  }}}
}
JSON
cd "$work"
export PATH="$work/venv/bin:$PATH"
openapi-spec-validator rooms.json
openapi-python-client generate --path rooms.json --output-path made --fail-on-warning
cd made
python - <<'PY'
import inspect
import sys

from rooms_client.api.default import book
from rooms_client import models

taken = {name: list(inspect.signature(getattr(models, name)).parameters) for name in models.__all__}
print("classes and what they take:", taken)
print("the body of a booking:", book._get_kwargs.__annotations__["body"])
lost = bool(taken) and not any("start" in names for names in taken.values())
print("no class takes the start that every booking must have" if lost else "the start is taken")
sys.exit(0 if lost else 1)
PY
