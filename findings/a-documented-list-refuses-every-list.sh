#!/usr/bin/env bash
# What is shown: apispec writes a list that may hold only some words (marshmallow's ContainsOnly) as an enum of the list
#   itself: the documented schema refuses every list that the schema accepts. Limits that are exclusive become inclusive
#   ones, and a dict's least number of entries becomes a minLength, which says nothing of an object.
# Seen with: apispec 6.10.1, marshmallow 4.4.0, OpenAPI 3.1 checked by jsonschema 4.26.0, CPython 3.11.
# Valid input: three validators that marshmallow ships, each on a field it is made for.
# Why it matters: a client generated from the document, or a gateway that checks bodies by it, sends back every body that
#   names days or tags, and lets the zero through that the server then refuses.
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apispec==6.10.1 marshmallow==4.4.0 jsonschema==4.26.0
"$work/venv/bin/python" - <<'PY'
import sys
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from jsonschema import Draft202012Validator
from marshmallow import Schema, fields, validate

CASES = [
    (fields.List(fields.String(), validate=validate.ContainsOnly(["mon", "tue"])), ["mon"], (True, False)),
    (fields.Float(validate=validate.Range(min=0, min_inclusive=False)), 0, (False, True)),
    (fields.Dict(validate=validate.Length(min=1)), {}, (False, True)),
]
seen = []
for number, (field, value, expected) in enumerate(CASES):
    schema = Schema.from_dict({"value": field}, name=f"Shown{number}")
    spec = APISpec("shown", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Shown", schema=schema)
    told = spec.to_dict()["components"]["schemas"]["Shown"]
    body = {"value": value}
    found = (not schema().validate(body), Draft202012Validator(told).is_valid(body))
    print(f"{told['properties']['value']}  {body}: marshmallow accepts {found[0]}, its document {found[1]}")
    seen.append(found == expected)
sys.exit(not all(seen))
PY
