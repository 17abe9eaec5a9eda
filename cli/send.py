"""`bellhop send`: sample webhooks, signed as an upstream would."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click

from bellhop.cli.common import App, Failed, as_json, echo_json, pass_app, printable
from bellhop.schemas.clock import utc_now
from bellhop.schemas.errors import LedgerError, SettingsError
from bellhop.schemas.events import BOOKING_TYPES, TYPES
from bellhop.schemas.settings.addresses import own_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bellhop.cli.demo.upstream import SignedWebhook, Upstream
    from bellhop.schemas.events import VenueFacts
    from bellhop.schemas.settings import Settings, SourceSettings

_NOT_VERIFIED: Final = 401


@click.command(short_help="Post signed sample webhooks.")
@click.argument("type_", metavar="[TYPE]", type=click.Choice(TYPES), default="booking.requested")
@click.option("--source", help="Source that posts it. Default: the first in the settings.")
@click.option("--venue", help="Where the booking is. Default: the first that can cancel, else the first.")
@click.option("--booking-id", help="The booking to change or cancel. Default: one that is requested first.")
@click.option("--member-id", type=int, help="The member of a member event. Default: one that the sandbox knows.")
@click.option("--count", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many to post.")
@click.option(
    "--file", type=click.File("rb"), help="Post this body as it is (- for stdin), signed as the source demands."
)
@click.option("--content-type", help="Of that body. Default: a form's or JSON's, by how it begins.")
@click.option("--to", "url", help="The ingress. Default: the settings' host and port.")
@click.option("--curl", is_flag=True, help="Print the curl command; send nothing.")
@as_json
@pass_app
def send(
    app: App,
    /,
    type_: str,
    source: str | None,
    count: int,
    file: BinaryIO | None,
    content_type: str | None,
    url: str | None,
    curl: bool,
    json_: bool,
    **more: Any,
) -> None:
    """Post signed sample webhooks, each with its own id and slot, and print the answers.

    TYPE is booking.requested unless given. With --file it is that body that is posted, whatever its format.

    Example: bellhop send --source tripleseat --file event.json
    """
    from bellhop.cli.demo.upstream import Upstream

    ingest = app.settings.ingest
    server = url or own_url(ingest.host, ingest.port)
    sender = _source(app.settings, source)
    upstream = Upstream(server, sender)
    refused, answers = 0, []
    events = _events(app.settings, sender, type_, count, **more)
    for post in _of_file(upstream, file, count, content_type) if file else (upstream.sign(*one) for one in events):
        if curl:
            click.echo(upstream.curl(post))
            continue
        status, body = upstream.send(post)
        if status == _NOT_VERIFIED:
            status, body = _send_again(app, server, sender, post) or (status, body)
        refused += status >= 300
        answers.append({"id": post.id, "type": post.type, "status": status, "answer": _json_or_text(body)})
        if not json_:
            click.echo(printable(f"{status}  {post.type}  {post.id}  {body.strip()}"))
    if json_ and not curl:
        echo_json(answers)
    if refused:
        raise Failed(f"{refused} of {len(answers)} were not accepted")


def _of_file(upstream: Upstream, file: BinaryIO, count: int, content_type: str | None) -> Iterator[SignedWebhook]:
    from bellhop.ingest.body import FORM, is_form_body

    content = file.read()
    try:
        body = content.decode()
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is not UTF-8") from None
    kind = content_type or (FORM if is_form_body(FORM, content) else "application/json")
    for _ in range(count):
        yield upstream.sign_body(body, f"{file.name} as {kind}", content_type=kind)


def _source(settings: Settings, name: str | None) -> SourceSettings:
    if not settings.sources:
        raise SettingsError("sources", "has none to send as", "the settings")
    if name is None:
        return next(iter(settings.sources.values()))
    if name not in settings.sources:
        raise click.BadParameter(f"is not one of {', '.join(settings.sources)}", param_hint="--source")
    return settings.sources[name]


def _send_again(app: App, server: str, source: SourceSettings, post: SignedWebhook) -> tuple[int, str] | None:
    """Signed with the secret that is good now; None where that is the settings', or the ledger is away."""
    from bellhop.cli.demo.upstream import Upstream
    from bellhop.letters.source_secrets import secrets_now

    try:
        with app.ledger() as ledger:
            good = secrets_now(source, ledger.rotations.of(source.name), utc_now())
    except LedgerError:
        return None
    upstream = Upstream(server, replace(source, secrets=good))
    return None if good == source.secrets else upstream.send(upstream.sign_again(post))


def _events(
    settings: Settings,
    sender: SourceSettings,
    type_: str,
    count: int,
    *,
    venue: str | None,
    booking_id: str | None,
    member_id: int | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    from bellhop.cli.demo import samples

    slots = samples.Slots()
    for _ in range(count):
        if type_ not in BOOKING_TYPES:
            yield type_, samples.member(member_id or samples.member_vendor(settings, sender).demo().member)
            continue
        place = _venue(settings, venue)
        reference = booking_id or f"S-{uuid.uuid4().hex[:10]}"
        if type_ != "booking.requested" and booking_id is None:
            yield "booking.requested", samples.booking(reference, place, slots)
        cancelled = type_ == "booking.cancelled"
        yield type_, samples.cancellation(reference, place) if cancelled else samples.booking(reference, place, slots)


def _venue(settings: Settings, name: str | None) -> VenueFacts:
    if not settings.venues:
        raise SettingsError("venues", "has none to book at", "the settings")
    if name is None:
        from bellhop.vendors.registry import BY_KIND

        return sorted(settings.venues.values(), key=lambda venue: not BY_KIND[venue.kind].demo().can_cancel)[0]
    if name not in settings.venues:
        raise click.BadParameter(f"is not one of {', '.join(settings.venues)}", param_hint="--venue")
    return settings.venues[name]


def _json_or_text(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
