"""`bellhop sources`: list who may post; try what a body would become."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from bellhop.cli.common import App, Failed, as_json, echo_json, echo_table, pass_app, printable
from bellhop.schemas.clock import iso

if TYPE_CHECKING:
    from bellhop.ingest.formats.parts import Ignored, Tested
    from bellhop.schemas.envelope import Envelope
    from bellhop.schemas.errors import FieldProblem
    from bellhop.schemas.settings import Settings, SourceSettings


@click.group(short_help="List sources; try a webhook's body.")
def sources() -> None:
    """List the sources that may post webhooks; try what a body would become."""


@sources.command("list", short_help="List sources: format, verifier, address.")
@as_json
@pass_app
def list_(app: App, json_: bool) -> None:
    """List the settings' sources: format, verifier and the address they post to."""
    from bellhop.ingest.verify import TABLE

    told = []
    for source in app.settings.sources.values():
        in_path = source.verifier in TABLE and TABLE[source.verifier].in_path
        path = f"/webhooks/{source.name}{'/<secret>' if in_path else ''}"
        path += "?secret=<secret>" if source.verifier == "query-secret" else ""
        told.append(
            {
                "name": source.name,
                "format": source.format,
                "verifier": source.verifier,
                "path": path,
                "status": source.answer,
            }
        )
    if json_:
        echo_json(told)
    else:
        cells = [list(row.values()) for row in told]
        echo_table(("name", "format", "verifier", "path", ">status"), cells, "no sources in the settings")


@sources.command("try", short_help="Show what a body would become.")
@click.argument("name", metavar="SOURCE")
@click.argument("file", type=click.File("rb"))
@click.option("--content-type", default="", help="Content type of the body. Default: the verifier's.")
@as_json
@pass_app
def try_(app: App, name: str, file: BinaryIO, content_type: str, json_: bool) -> None:
    """Show what FILE's body (- for stdin) would become, posted to SOURCE. Verifies and publishes nothing.

    Exit code 1 if it would be refused.
    """
    source = app.settings.sources.get(name)
    if source is None:
        raise Failed(f"there is no source {name} in the settings: `bellhop sources list` lists them")
    status, found, problems = _read(app.settings, source, file.read(), content_type)
    told = app.redact(
        {
            "source": name,
            "status": status,
            "events": [_as_json(one) for one in found],
            "problems": [{"field": problem.field, "rule": problem.rule} for problem in problems],
        }
    )
    if json_:
        echo_json(told)
    else:
        _show(told)
    if problems:
        raise click.exceptions.Exit(1)


def _read(
    settings: Settings, source: SourceSettings, body: bytes, content_type: str
) -> tuple[int, Sequence[Envelope | Ignored | Tested], Sequence[FieldProblem]]:
    """What would be answered, what of the body is taken, and every problem."""
    from bellhop.ingest import body as bodies
    from bellhop.ingest.formats.parts import Receipt, RefusedItem
    from bellhop.ingest.intake import Intake
    from bellhop.ingest.verify import TABLE
    from bellhop.schemas.errors import EventInvalid, FieldProblem
    from bellhop.schemas.problems import Problem

    forms = source.verifier in TABLE and TABLE[source.verifier].takes_forms
    media = content_type.partition(";")[0].strip().lower() or (bodies.FORM if forms else "")
    is_form = bodies.is_form_body(media, body)
    if not bodies.is_taken(media, is_form=is_form, takes_forms=forms):
        return 415, (), (FieldProblem("body", "would be refused for its Content-Type"),)
    if len(body) > settings.ingest.max_body_bytes:
        return 413, (), (FieldProblem("body", f"is over {settings.ingest.max_body_bytes} bytes"),)
    receipt = Receipt(datetime.now(UTC), uuid.uuid4().hex, hashlib.sha256(body).hexdigest())
    try:
        decoded = bodies.decode_form(body) if is_form else bodies.decode_json(body)
        found = Intake(settings, source).read(decoded, receipt)
    except EventInvalid as error:
        return 422, (), error.problems
    except Problem as problem:
        return problem.status, (), (FieldProblem("body", problem.detail),)
    taken = [one for one in found if not isinstance(one, RefusedItem)]
    problems = [problem for one in found if isinstance(one, RefusedItem) for problem in one.problems]
    return 422 if problems else source.answer, taken, problems


def _as_json(one: Envelope | Ignored | Tested) -> dict[str, Any]:
    from bellhop.ingest.formats.parts import Ignored, Tested

    if isinstance(one, Tested):
        return _as_json(one.event or Ignored("it is a test"))
    if isinstance(one, Ignored):
        return {"ignored": one.why}
    return {
        "id": one.id,
        "type": one.type,
        "subject": one.subject,
        "route": one.route,
        "account": one.account,
        "time": iso(one.time),
        "not_after": iso(one.not_after),
        "warnings": list(one.warnings),
        "data": dict(one.data),
    }


def _show(told: dict[str, Any]) -> None:
    for event in told["events"]:
        if "ignored" in event:
            click.echo(printable(f"ignored: {event['ignored']}"))
            continue
        click.echo(printable(f"{event['type']}  {event['id']}  of {event['subject']}  at {event['time']}"))
        click.echo(printable(f"  route {event['route']}  account {event['account']}"))
        for warning in event["warnings"]:
            click.echo(printable(f"  warning: {warning}"))
        for line in json.dumps(event["data"], indent=2, ensure_ascii=False).splitlines():
            click.echo(printable(f"  {line}"))
    for problem in told["problems"]:
        click.echo(printable(f"{problem['field']}: {problem['rule']}"))
    click.echo(f"would be answered {told['status']}")
