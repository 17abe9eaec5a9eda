"""What must be true of settings that are each well by themselves: what refers to what, and what fits together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bellhop.schemas.settings.accounts import Account, AccountKind, VenueSettings
from bellhop.schemas.settings.alerts import AlertReceiver
from bellhop.schemas.settings.published import PROBLEM, published_in, published_in_account
from bellhop.schemas.settings.sections import suggest
from bellhop.schemas.settings.services import LedgerSettings, WorkSettings
from bellhop.schemas.settings.source_tables import SourceVenue
from bellhop.schemas.settings.sources import SourceSettings

Found = tuple[str, str, str]
"""A dotted key, what is wrong with it, and what to write."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What could be made of the settings: what is wrong by itself is missing here, though `names` knows of it.

    names: of all entries that the document has, by the table's name. well: of what is wrong by itself, the
    attributes that are well, by its dotted key.
    """

    kinds: Mapping[str, AccountKind]
    names: Mapping[str, Iterable[str]]
    sections: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    sources: dict[str, SourceSettings] = field(default_factory=dict)
    venues: dict[str, VenueSettings] = field(default_factory=dict)
    alerts: dict[str, AlertReceiver] = field(default_factory=dict)
    well: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def value_of(self, table: str, name: str, attribute: str) -> Any:
        """What an entry's attribute is, None where that is wrong or missing."""
        made = getattr(self, table).get(name)
        return getattr(made, attribute) if made else self.well.get(f"{table}.{name}", {}).get(attribute)

    def is_broken(self, table: str, name: str) -> bool:
        """It is there, but is told of already: what refers to it is not wrong for that."""
        return name in self.names[table] and name not in getattr(self, table)


def find_conflicts(parts: Parts) -> Iterator[Found]:
    """All that does not fit together."""
    for name in parts.names["venues"]:
        account = parts.value_of("venues", name, "account")
        if account is not None and account not in parts.names["accounts"]:
            yield f"venues.{name}.account", "is not one of the accounts", suggest(account, parts.names["accounts"])
    for name in parts.names["sources"]:
        for key, problem, advice in _references(name, parts):
            yield f"sources.{name}.{key}", problem, advice
    for source in parts.sources.values():
        for key, problem, advice in _callbacks(source, parts):
            yield f"sources.{source.name}.{key}", problem, advice
        ledger = parts.sections.get("ledger")
        if isinstance(ledger, LedgerSettings) and source.resend_window_seconds > ledger.keep_seconds:
            # A webhook that is played back is known by its id, for as long as the ledger keeps its event.
            yield f"sources.{source.name}.resend_window", "must be at most as long as ledger.keep", ""
        for key in published_in(source, list(parts.accounts.values())):
            yield f"sources.{source.name}.{key}", PROBLEM, "make a new one"
    for account in parts.accounts.values():
        for key in published_in_account(account):
            yield f"accounts.{account.name}.{key}", PROBLEM, "write the vendor's own"
        work = parts.sections.get("work")
        # A claim that ends while its call is still on the way would let another worker call a second time. One call
        # is up to three requests: refused for its token, log in, again.
        if isinstance(work, WorkSettings) and work.claim_seconds < 3 * (account.connect_seconds + account.read_seconds):
            yield "work.claim", f"must be at least three times the time-outs of account {account.name} together", ""


def _references(source: str, parts: Parts) -> Iterator[Found]:
    for key, can in (("member_account", "takes_members"), ("pull_account", "takes_pulls")):
        name = parts.value_of("sources", source, key)
        fitting = [each.name for each in parts.accounts.values() if getattr(parts.kinds[each.kind], can)]
        if name and not parts.is_broken("accounts", name) and name not in fitting:
            titles = " or ".join(kind.title for kind in parts.kinds.values() if getattr(kind, can))
            yield key, f"is not a {titles} account", suggest(name, fitting)
    venues: Mapping[str, SourceVenue] = parts.value_of("sources", source, "venues") or {}
    for place, venue in venues.items():
        if venue.venue not in parts.names["venues"]:
            yield f"venues.{place}.venue", "is not one of the venues", suggest(venue.venue, parts.names["venues"])


def _callbacks(source: SourceSettings, parts: Parts) -> Iterator[Found]:
    """What is for sources of a vendor's own callbacks, and needed there."""
    posting = {name: kind for name, kind in parts.kinds.items() if kind.posts_callbacks}
    kind = posting.get(source.format)
    if kind is None:
        for key in ("account", "feed_venue"):
            if getattr(source, key):
                yield key, f"is for the format {' or '.join(posting)}", ""
        return
    its_own = parts.accounts.get(source.account)
    if not source.account:
        yield "account", f"is required: the {kind.title} account whose callbacks these are", ""
    elif not parts.is_broken("accounts", source.account) and (its_own is None or its_own.kind != source.format):
        fitting = [each.name for each in parts.accounts.values() if each.kind == source.format]
        yield "account", f"is not a {kind.title} account", suggest(source.account, fitting)
    if not source.feed_venue:
        if source.map:
            yield "feed_venue", "is required where map is set", ""
        return
    if source.feed_venue not in parts.names["venues"]:
        yield "feed_venue", "is not one of the venues", suggest(source.feed_venue, parts.names["venues"])
        return
    fed = parts.venues.get(source.feed_venue)
    if fed and fed.account == source.account:
        yield "feed_venue", "must be of another account than the callbacks", ""
    elif not source.map:
        yield "feed_venue", "needs a map: where the details have what the venue's account needs", ""
