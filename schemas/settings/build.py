"""From a parsed TOML document, with overrides already laid over it, to the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError

from bellhop.schemas.errors import SettingsError
from bellhop.schemas.events import VenueFacts
from bellhop.schemas.settings.model import Account, Settings, SourceSettings
from bellhop.schemas.settings.sections import FORMATS, SECTIONS, SOURCE, TABLES, VENUE, AccountKind

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def build(
    document: Mapping[str, Any],
    kinds: Mapping[str, AccountKind],
    place: Callable[[str], str] = lambda _key: "bellhop.toml",
) -> Settings:
    """The settings in `document`. kinds: the vendors' accounts, by what `kind` says. `place`
    tells where a dotted key's value came from, for the error's line.

    Raises SettingsError for the first thing that is wrong.
    """

    def load(schema: Schema, value: object, key: str) -> Any:
        if not isinstance(value, Mapping):
            raise SettingsError(key, "must be a table", place(key))
        try:
            return schema.load(value)
        except ValidationError as error:
            path, problem = _first(error.messages)
            full = f"{key}.{path}" if path else key
            raise SettingsError(full, problem, place(full)) from None

    def table(name: str) -> Mapping[str, Any]:
        value = document.get(name, {})
        if not isinstance(value, Mapping):
            raise SettingsError(name, "must be a table", place(name))
        for key in value:
            if not _NAME.fullmatch(key):
                problem = "must be 1 to 40 of a-z, 0-9, - and _, and start with a letter or digit"
                raise SettingsError(f"{name}.{key}", problem, place(f"{name}.{key}"))
        return value

    for key in document:
        if key not in SECTIONS and key not in TABLES:
            raise SettingsError(key, "is not a setting", place(key))
    made = {name: load(schema, document.get(name, {}), name) for name, schema in SECTIONS.items()}
    accounts = {name: _account(name, value, kinds, load, place) for name, value in table("accounts").items()}
    settings = Settings(
        log_level=made.pop("log")["level"],
        accounts=accounts,
        sources={n: SourceSettings(name=n, **load(SOURCE, v, f"sources.{n}")) for n, v in table("sources").items()},
        venues={
            n: _venue(n, load(VENUE, v, f"venues.{n}"), accounts, kinds, place) for n, v in table("venues").items()
        },
        **made,
    )
    _check_whole(settings, kinds, place)
    return settings


def _account(
    name: str,
    value: Any,
    kinds: Mapping[str, AccountKind],
    load: Callable[[Schema, object, str], Any],
    place: Callable[[str], str],
) -> Account:
    key = f"accounts.{name}"
    kind = str(value.get("kind")) if isinstance(value, Mapping) else ""
    if kind not in kinds:
        raise SettingsError(f"{key}.kind", f"must be one of {', '.join(kinds)}", place(f"{key}.kind"))
    return kinds[kind].made(name=name, **load(kinds[kind].section, value, key))


def _venue(
    name: str,
    data: Mapping[str, Any],
    accounts: Mapping[str, Account],
    kinds: Mapping[str, AccountKind],
    place: Callable[[str], str],
) -> VenueFacts:
    account = accounts.get(data["account"])
    if account is None:
        key = f"venues.{name}.account"
        raise SettingsError(key, "is not one of the accounts", place(key))
    check_booking = kinds[account.kind].check_booking
    return VenueFacts(name, account.name, account.kind, data["zone"], check_booking)


def _check_whole(settings: Settings, kinds: Mapping[str, AccountKind], place: Callable[[str], str]) -> None:
    for source in settings.sources.values():
        _check_source(source, settings, kinds, place)
    for account in settings.accounts.values():
        # A claim that ends while its call is still on the way would let another worker call a second time. One call
        # is up to three requests: refused for its token, log in, again.
        if 3 * (account.connect_seconds + account.read_seconds) > settings.work.claim_seconds:
            problem = f"must be at least three times the time-outs of account {account.name} together"
            raise SettingsError("work.claim", problem, place("work.claim"))


def _check_source(
    source: SourceSettings, settings: Settings, kinds: Mapping[str, AccountKind], place: Callable[[str], str]
) -> None:
    accounts, posting = settings.accounts, {kind: one for kind, one in kinds.items() if one.posts}
    members, pulled = accounts.get(source.member_account), accounts.get(source.pull_account)
    its_own = accounts.get(source.account)
    fed = settings.venues.get(source.feed_venue)
    vendor = posting.get(source.format)
    formats = (*FORMATS, *posting)
    wrong = [] if source.format in formats else [("format", f"must be one of: {', '.join(formats)}")]
    if source.member_account and not (members and kinds[members.kind].takes_members):
        wrong.append(("member_account", f"is not a {_titles(kinds, 'takes_members')} account"))
    if source.pull_account and not (pulled and kinds[pulled.kind].takes_pulls):
        wrong.append(("pull_account", f"is not a {_titles(kinds, 'takes_pulls')} account"))
    wrong += [
        (f"venues.{key}.venue", "is not one of the venues")
        for key, venue in source.venues.items()
        if venue.venue not in settings.venues
    ]
    checks = {
        ("account", f"is required: the {vendor and vendor.title} account whose callbacks these are"): vendor
        and not source.account,
        ("account", f"is not a {vendor and vendor.title} account"): vendor
        and source.account
        and (its_own is None or its_own.kind != source.format),
        ("account", f"is for the format {' or '.join(posting)}"): source.account and not vendor,
        ("feed_venue", "is not one of the venues"): source.feed_venue and fed is None,
        ("feed_venue", f"is for the format {' or '.join(posting)}"): source.feed_venue and not vendor,
        ("feed_venue", "must be of another account than the callbacks"): fed and fed.account == source.account,
        ("feed_venue", "needs a map: where the details have what the venue's account needs"): fed and not source.map,
        ("map", "is required: the format mapped reads nothing else"): source.format == "mapped" and not source.map,
        ("map", "is not for the format bellhop"): source.format == "bellhop" and source.map,
        ("result_secret", "is required: it signs what is posted to result_url"): source.result_url
        and not source.result_secrets,
    }
    wrong += [told for told, is_wrong in checks.items() if is_wrong]
    for key, problem in wrong:
        full = f"sources.{source.name}.{key}"
        raise SettingsError(full, problem, place(full))


def _titles(kinds: Mapping[str, AccountKind], able: str) -> str:
    """The vendors whose accounts can do it."""
    return " or ".join(kind.title for kind in kinds.values() if getattr(kind, able))


def _first(messages: object) -> tuple[str, str]:
    """The first problem in marshmallow's messages, as dotted path and rule."""
    if isinstance(messages, Mapping):
        key, inner = next(iter(messages.items()))
        path, problem = _first(inner)
        return ".".join(part for part in (("" if key == "_schema" else str(key)), path) if part), problem
    text = str(messages[0] if isinstance(messages, list) else messages).rstrip(".")
    if text == "Unknown field":
        return "", "is not a setting"
    return "", text[:1].lower() + text[1:]
