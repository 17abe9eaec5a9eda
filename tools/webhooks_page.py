"""`docs/webhooks.md`, for who writes an upstream: made of the contracts, the answers and the snippets. `make docs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from marshmallow import Schema, fields

from bellhop.ingest.documents.answers import RESULT_TYPES, result_schema
from bellhop.ingest.documents.json_schemas import BEYOND
from bellhop.ingest.documents.refusals import REFUSALS
from bellhop.schemas import contract, event_contracts
from bellhop.vendors.markdown import markdown_table
from bellhop.vendors.registry import VENDORS

_ROOT: Final = Path(__file__).resolve().parents[1]
_SNIPPETS: Final = (
    ("curl and openssl", "webhook.sh", "sh"),
    ("Python", "webhook.py", "python"),
    ("JavaScript (Node.js 18 or newer)", "webhook.mjs", "js"),
    ("PHP 8", "webhook.php", "php"),
    ("C# (.NET, Mono)", "Webhook.cs", "csharp"),
    ("Ruby", "webhook.rb", "ruby"),
)
_FORMS: Final[Mapping[type[fields.Field[Any]], str]] = {
    contract.Identifier: f"text of 1 to {contract.MAX_ID} characters, or a whole number of at most 64 bits",
    contract.Moment: "ISO 8601, to be read without doubt: `2027-05-10T09:15:00`, with an offset or `Z`, or without",
    contract.ZoneName: "an IANA time zone, such as `Europe/London`",
    contract.TimeSpan: "minutes, or a text: `90 min`, `1h 30m`, `01:30`, `PT1H30M`; at most 7 days",
    contract.Price: f"a number from 0 to {contract.MAX_PRICE:,}, in the account's currency",
    contract.Count: f"a whole number from 1 to {contract.MAX_COUNT}; left out, it is 1",
    contract.EmailAddress: f"an e-mail address of at most {contract.MAX_EMAIL} characters",
    fields.Nested: "an object, see below",
    fields.Dict: f"an object of anything: {contract.MAX_DEPTH} levels at most, names of {contract.MAX_KEY} characters",
}
_BOOKS: Final = "*a booking*"


def page() -> str:
    """The whole document."""
    parts = ["\n".join(part) for part in (*_events(), _answers(), _results())]
    text = (_ROOT / "tools" / "webhooks_page.md").read_text("utf-8")
    for name, part in zip(
        ("head", "member", "booking", "client", "services", "statuses", "results"), parts, strict=True
    ):
        text = text.replace(f"{{{name}}}", part)
    beyond = "\n".join(f"- {rule[:1].upper()}{rule[1:]}." for rule in BEYOND.values())
    return text.replace("{beyond}", beyond).replace("{snippets}", "\n\n".join(map(_snippet, _SNIPPETS)))


def _snippet(one: tuple[str, str, str]) -> str:
    title, name, language = one
    text = (_ROOT / "docs" / "snippets" / name).read_text("utf-8").rstrip()
    return f"### {title}\n\n[{name}](snippets/{name})\n\n```{language}\n{text}\n```"


def _events() -> Iterator[Iterator[str]]:
    yield _table(event_contracts.BODY, "", by_venue=False)
    yield _table(event_contracts.MEMBER, "", by_venue=False)
    yield _table(event_contracts.BOOKING, "", by_venue=True)
    yield _table(_inner("client"), "client", by_venue=False)
    yield _table(_inner("services"), "services", by_venue=True)


def _inner(name: str) -> Schema:
    """The schema of what a field of a booking holds, one or many."""
    field: Any = event_contracts.BOOKING.fields[name]
    made: Schema = getattr(field, "inner", field).schema
    return made


def _table(schema: Schema, of: str, *, by_venue: bool) -> Iterator[str]:
    kinds = VENDORS if by_venue else ()
    rows = []
    for name, field in schema.fields.items():
        needed = "yes" if field.required else ""
        asked = [_asked(vendor.booking_demands, of, name) for vendor in kinds]
        rows.append((f"`{name}`", _form(name, field), needed, *asked))
    yield from markdown_table(("field", "what it may be", "needed", *(f"at {one.title}" for one in kinds)), rows)


def _form(name: str, field: fields.Field[Any]) -> str:
    if name == "timestamp":
        return "ISO 8601 with an offset or `Z`: `2027-05-01T09:30:00Z`"
    if name == "type":
        return "one of the types below"
    if isinstance(field, fields.List):
        return f"a list of at most {event_contracts.MAX_SERVICES} objects, see below"
    for kind, words in _FORMS.items():
        if isinstance(field, kind):
            return words
    sizes = [one for one in field.validators if getattr(one, "max", None)]
    return f"text of {sizes[0].min or 0} to {sizes[0].max} characters" if sizes else "text"  # type: ignore[attr-defined]


def _asked(demands: Mapping[str, Any], of: str, name: str) -> str:
    """What a vendor asks of a field of a booking that is to be made, "" for nothing more."""
    place = demands["properties"]["services"]["items"] if of else demands
    told = place.get("properties", {}).get(name, {})
    if any(name in one.get("required", ()) for one in place.get("anyOf", ())):
        names = [f"`{one['required'][0]}`" for one in place["anyOf"]]
        return f"{' or '.join(names)}"
    if 1 in told.get("enum", ()):
        return "must be 1"
    forms = told.get("anyOf", ())
    if any(form.get("maxProperties") == 0 or form.get("maxLength") == 0 for form in forms):
        return "must be left out"
    words = ["needed"] if name in place.get("required", ()) else []
    words += ["digits alone"] if any("pattern" in form for form in forms) else []
    return ", ".join(words) or ("needed" if name == "services" and not of else "")


def _answers() -> Iterator[str]:
    rows = [
        (str(status), ", ".join(f"`{n}`" for n in one.names), one.words, one.again) for status, one in REFUSALS.items()
    ]
    taken = ("200, 202", "", "Taken: it survives whatever dies from now on.", "no")
    yield from markdown_table(("status", "problem", "what it means", "send it again?"), [taken, *rows])


def _results() -> Iterator[str]:
    rows = []
    for type_ in RESULT_TYPES:
        data = result_schema(type_)["properties"]["data"]
        rows.append(
            (f"`{type_}`", _list(data["required"]), _list(sorted(set(data["properties"]) - {*data["required"]})))
        )
    yield from markdown_table(("type", "`data` has", "and may have"), rows)


def _list(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    print(page(), end="")
