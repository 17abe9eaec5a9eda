#!/usr/bin/env bash
# What is shown: JMESPath's to_number makes numbers of texts that are none by its specification, which names JSON's grammar:
#   "nan" becomes a number that JSON cannot hold, "1_000" a thousand. And a list is equal to another whose true is a 1,
#   where the two are told apart outside of lists.
# Seen with: jmespath 1.1.0, its newest, on CPython 3.11: it asks Python's int() and float().
# Valid input: an expression over a document with such texts: a guest's name, a number with an underscore as some write it.
# Why it matters: what is made of an expression is sent on as JSON: NaN in it ends the receiver's parser, and a filter for
#   [true] finds [1].
# Nothing of Bellhop is used. Ends with 0 while the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jmespath==1.1.0
"$work/venv/bin/python" - <<'PY'
import json, sys
import jmespath

texts = {"words": "two", "thousand": "1_000", "name": "Nan"}
made = jmespath.search("{words: to_number(words), thousand: to_number(thousand), name: to_number(name)}", texts)
print(texts, "->", json.dumps(made))
rows = {"rows": [{"id": "a", "flags": [1]}, {"id": "b", "flags": [True]}]}
found = [jmespath.search(text, rows) for text in ("rows[?flags==`[true]`].id", "rows[?flags[0]==`true`].id")]
print("rows whose flags are [true]:", found[0], " whose first flag is true:", found[1])
sys.exit(json.dumps(made) != '{"words": null, "thousand": 1000, "name": NaN}' or found != [["a", "b"], ["b"]])
PY
