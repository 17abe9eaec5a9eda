"""The audit: who did what, when and why; as a page, CSV and JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from bellhop.console.context import ConsoleParts, parts
from bellhop.console.selection import clean_text
from bellhop.ledger.records import AuditRow
from bellhop.letters.serializers.people import audit_row

blueprint = Blueprint("audit", __name__)

PAGE: Final = 100
_CHUNK: Final = 1000
_COLUMNS: Final = ("at", "who", "act", "letter", "what", "why", "id", "prev", "words_hash", "hash", "forgotten")
_FORMULA: Final = tuple("=+-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH COMMERCIAL AT}")


@blueprint.get("/audit")
def index() -> str:
    own = parts()
    page = own.ledger.letters.audit_page(PAGE, request.args.get("after", "")[:200], **_audit_filter())
    said = {name: value for name in ("who", "act", "letter") if (value := request.args.get(name, "").strip())}
    return render_template("audit.html", acts=[audit_row(act) for act in page.rows], next=page.next, said=said)


@blueprint.get("/audit.csv")
def as_csv() -> Response:
    return _export(parts(), _csv, "text/csv; charset=utf-8", "csv")


@blueprint.get("/audit.jsonl")
def as_json_lines() -> Response:
    return _export(parts(), _json_lines, "application/jsonl; charset=utf-8", "jsonl")


def _export(
    own: ConsoleParts, write: Callable[[Iterator[AuditRow]], Iterator[str]], kind: str, ending: str
) -> Response:
    name = f"bellhop-audit-{own.now():%Y%m%d-%H%M%S}.{ending}"
    rows = _all(own, _audit_filter())
    first = list(islice(rows, 1))  # a ledger that is away is told before the answer begins
    answer = Response(write(chain(first, rows)), content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _all(own: ConsoleParts, wanted: dict[str, Any]) -> Iterator[AuditRow]:
    """Every row, the newest first, some at a time."""
    after = ""
    while True:
        page = own.ledger.letters.audit_page(_CHUNK, after, **wanted)
        yield from (replace(row, why=own.redactor.text(row.why)) for row in page.rows)
        after = page.next
        if not after:
            return


def _csv(rows: Iterator[AuditRow]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMNS)
    for row in rows:
        told = audit_row(row)
        writer.writerow([_harmless(told[name]) for name in _COLUMNS])
        yield _drain(buffer)
    yield _drain(buffer)


def _json_lines(rows: Iterator[AuditRow]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(audit_row(row), ensure_ascii=False) + "\n"


def _harmless(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _audit_filter() -> dict[str, Any]:
    args = request.args
    letter = args.get("letter", "").strip()
    return {
        "who": clean_text(args.get("who", ""), 200) or None,
        "act": clean_text(args.get("act", ""), 100) or None,
        "letter": int(letter) if letter.isdecimal() and len(letter) < 19 else None,
    }
