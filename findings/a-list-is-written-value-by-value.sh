#!/usr/bin/env bash
# What is shown: psycopg writes a list, as `= ANY(%s)` and `unnest(%s)` take it, value by value in Python, also with its
#   compiled part installed: each text is searched by a pattern of a dozen branches, and of one with quotation marks in it
#   each mark is escaped by a replacement of its own. A list of forty JSON documents of 335 bytes takes 1.3 ms to write, some
#   fifty times of what it takes to write the list as one JSON, which PostgreSQL takes apart (json_array_elements_text).
# Seen with: psycopg 3.3.9 with psycopg-binary 3.3.9 on CPython 3.11, 59 times; 3.2.3 to 3.3.5 likewise, 53 to 58.
# Valid input: a list of forty texts, each a JSON object.
# Why it matters: lists are the documented way to write many rows in one statement. Of a worker's time for a booking a
#   seventh went into them; a row of thirteen columns took 70 us, as one JSON 5.
# Needs no server: what is measured is what is done before anything is sent. Nothing of Bellhop is used. Ends with 0 while
# the behaviour is as described, with 1 once it is not.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check psycopg==3.3.9 psycopg-binary==3.3.9
"$work/venv/bin/python" - <<'PY'
import json, statistics, sys, time

import psycopg
from psycopg.adapt import PyFormat, Transformer

documents = [json.dumps({f"field {place}": f"value {number}" for place in range(15)}) for number in range(40)]


def as_list() -> bytes:
    made = Transformer()
    return bytes(made.get_dumper(documents, PyFormat.AUTO).dump(documents))


def as_one_json() -> bytes:
    made, text = Transformer(), json.dumps(documents)
    return bytes(made.get_dumper(text, PyFormat.AUTO).dump(text))


def cost(write) -> float:
    begun = time.thread_time()
    for _ in range(100):
        write()
    return (time.thread_time() - begun) / 100


assert json.loads(as_one_json()) == documents
print("psycopg", psycopg.__version__, psycopg.pq.__impl__, "Python", sys.version.split()[0], "bytes of one", len(documents[0]))
rounds = [(cost(as_list), cost(as_one_json)) for _ in range(7)]
listed, whole = (statistics.median(one) * 1e6 for one in zip(*rounds))
ratio = statistics.median(one / other for one, other in rounds)
print(f"a list: {listed:.0f} us, one JSON: {whole:.0f} us, {ratio:.1f} times")
if ratio < 3:
    sys.exit("not as described any more")
PY
echo "as described: a list takes many times of what one JSON takes"
