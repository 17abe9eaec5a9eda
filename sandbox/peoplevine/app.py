"""Peoplevine Bookings, pretended (document: `peoplevine-bookings`): all nine methods, several accounts.

Every answer is HTTP 200 with `success`, `reason` and `message`; a failure is `success: false` with a reason. Reasons
the document does not show are inferred: "Invalid credentials", "Time is not available", "Invalid technician ID" and
their like.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from bellhop.sandbox.answers import Reply, ids
from bellhop.sandbox.peoplevine.answers import CallRefused, answer_body, id_of
from bellhop.sandbox.peoplevine.reservations import Reservations
from bellhop.sandbox.peoplevine.seed import Change, PeoplevineSeed, PeoplevineSeeds, Place, Treatment
from bellhop.sandbox.peoplevine.switches import PeoplevineSwitches

CREDENTIALS: Final = ("auth_id", "company", "user", "pass")
CHANGES: Final = ("profiles", "reservations")
_BARE_REASON: Final = "Error"
_IDS_ABOVE: Final = 5_000_000_000
"""Peoplevine's reservations are numbered otherwise than SimplyBook.me's bookings, which begin below."""
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH: Final = re.compile(r"\d{1,12}", re.ASCII)


class Peoplevine:
    """One account's state. Not safe between threads: its owner holds a lock. ids gives reservations theirs."""

    def __init__(
        self,
        seed: PeoplevineSeed,
        switches: Callable[[], PeoplevineSwitches],
        now: Callable[[], datetime],
        ids: Iterator[str],
    ) -> None:
        self.system = seed.system
        self.members = set(seed.members)
        self.synced: Counter[str] = Counter()
        self.changes = list(seed.changes)
        self.pulled: Counter[str] = Counter()
        self._seed = seed
        self._switches = switches
        self._now = now
        self._reservations = Reservations(seed, switches, now, ids)
        self._methods: dict[str, tuple[str, Callable[[Mapping[str, str], Any], Reply]]] = {
            "sync_member": ("GET", self._sync_member),
            "sync_profiles": ("GET", lambda query, _: self._pull("profiles", query)),
            "sync_reservations": ("GET", lambda query, _: self._pull("reservations", query)),
            "sync_services": ("GET", self._sync_services),
            "products": ("GET", self._products),
            "metadata": ("GET", self._metadata),
            "get_service_availability": ("POST", self._get_service_availability),
            "create_service_reservation": ("POST", self._create_service_reservation),
        }

    def snapshot(self) -> dict[str, Any]:
        return {
            "reservations": list(self.reservations),
            "members_synced": dict(self.synced),
            "pulled": dict(self.pulled),
        }

    @property
    def reservations(self) -> list[dict[str, Any]]:
        return self._reservations.all

    def set_status(self, id_: str, status: str) -> bool:
        """What the venue's staff does in SevenRooms; see `reservations`."""
        known = self._reservations.set_status(id_, status)
        if known:
            self.changes.append(Change("reservations", id_, self._now()))
        return known

    def call(self, verb: str, method: str, query: Mapping[str, str], asked: Any) -> Reply:
        """asked: the decoded JSON of the body; None where there is none or it is none."""
        if method not in self._methods:
            return self.failure(f"No such method: {method}", 404)
        wanted, handler = self._methods[method]
        if verb != wanted:
            return self.failure(f"Use {wanted}", 405)
        try:
            self._check_credentials(query)
            return handler(query, asked)
        except CallRefused as refused:
            return self.failure(str(refused))
        except OverflowError:  # a time at the end of the calendar
            return self.failure("Invalid date")

    def failure(self, reason: str, status: int | None = None) -> Reply:
        status = self._switches().peoplevine_failure_status if status is None else status
        where = self._switches().peoplevine_failure_words
        told = _BARE_REASON if where == "message" else reason
        message = None if where == "reason" else reason
        return Reply(answer_body(success=False, reason=told, message=message), status, refusal=reason)

    def _check_credentials(self, query: Mapping[str, str]) -> None:
        seed, region = self._seed, query.get("host", "1")
        if region not in ("1", "2"):
            raise CallRefused("Invalid host")
        right = (seed.auth_id, seed.company, seed.user, seed.password)
        if tuple(query.get(name) for name in CREDENTIALS) != right or region != self._switches().peoplevine_region:
            raise CallRefused(self._switches().peoplevine_credentials_words)

    def _sync_member(self, query: Mapping[str, str], asked: Any) -> Reply:
        member = query.get("member_id", "")
        if member not in self.members:
            raise CallRefused("Member not found")
        answer = self._count_body(1)
        if answer["success_count"]:
            self.synced[member] += 1
        return Reply(answer, effect="synced" if answer["success_count"] else "", id=member)

    def _pull(self, what: str, query: Mapping[str, str]) -> Reply:
        """Counts what was created or updated since `from`."""
        since = _since(query.get("from", ""), self._switches().peoplevine_from)
        changed = {change.id for change in self.changes if change.what == what and self._is_told(change, since)}
        self.pulled[what] += 1
        return Reply(self._count_body(len(changed)), effect="pulled")

    def _count_body(self, found: int) -> dict[str, Any]:
        """The answer to a sync that found so much to bring."""
        errors = self._switches().peoplevine_error_count
        message = "The record could not be saved" if errors else None
        return answer_body(success=True, message=message, success_count=max(0, found - errors), error_count=errors)

    def _is_told(self, change: Change, since: datetime) -> bool:
        """Whether it is among what changed since then. Book4Time passes reservations on in a batch after each day."""
        if self.system != "b4t" or change.what != "reservations" or not self._switches().book4time_daily_batches:
            return change.at >= since
        day = change.at.astimezone(self._seed.zone).date() + timedelta(days=1)
        batch = datetime.combine(day, time.min, self._seed.zone)
        return since <= batch <= self._now()

    def _sync_services(self, query: Mapping[str, str], asked: Any) -> Reply:
        """Counts nothing, as in the document's example."""
        self.pulled["services"] += 1
        return Reply(self._count_body(0), effect="pulled")

    def _products(self, query: Mapping[str, str], asked: Any) -> Reply:
        rows = [_product(treatment) for treatment in self._seed.treatments]
        return Reply(
            {"products": rows, **answer_body(success=self._switches().peoplevine_products_success, counts=False)}
        )

    def _metadata(self, query: Mapping[str, str], asked: Any) -> Reply:
        kinds = {"location": self._seed.locations, "guest_type": self._seed.guest_types}
        kind = query.get("type", "")
        if kind not in kinds:
            raise CallRefused("Invalid type")
        return Reply({"metaData": [_entry(place) for place in kinds[kind]], **answer_body(success=True, counts=False)})

    def _get_service_availability(self, query: Mapping[str, str], asked: Any) -> Reply:
        return Reply({"offers": self._reservations.available(asked), **answer_body(success=True, counts=False)})

    def _create_service_reservation(self, query: Mapping[str, str], asked: Any) -> Reply:
        if not isinstance(asked, dict):
            raise CallRefused("Invalid request")
        member = id_of(asked.get("member_id"))
        if member not in self.members:
            raise CallRefused("Invalid member ID")
        id_ = self._reservations.create(member, asked.get("notes"), asked.get("offers"))
        self.changes.append(Change("reservations", id_, self._now()))
        # The document's own example: a reservation made counts as nothing in success_count.
        return Reply(answer_body(success=True, message=id_), effect="booked", id=id_)


class Accounts:
    """Every account of one Peoplevine. No two give the same id to a reservation."""

    def __init__(
        self, seeds: PeoplevineSeeds, switches: Callable[[], PeoplevineSwitches], now: Callable[[], datetime]
    ) -> None:
        shared = ids(now(), _IDS_ABOVE)
        every = (seeds.first, *seeds.behind)
        self.by_auth_id = {seed.auth_id: Peoplevine(seed, switches, now, shared) for seed in every}
        self.first = self.by_auth_id[seeds.first.auth_id]

    def snapshot(self) -> dict[str, Any]:
        """Reservations and synchronisations; `behind`: those of the accounts with a system behind them, by its name."""
        behind = {one.system: one.snapshot() for one in self.by_auth_id.values() if one.system}
        return {**self.first.snapshot(), "behind": behind}

    def of(self, query: Mapping[str, str]) -> Peoplevine:
        """The account a call names; the first, which will refuse it, where there is none such."""
        return self.by_auth_id.get(query.get("auth_id", ""), self.first)

    def find(self, auth_id: object) -> Peoplevine | None:
        """The account of that auth_id, the first for None."""
        if auth_id is None:
            return self.first
        return self.by_auth_id.get(auth_id) if isinstance(auth_id, str) else None


def _since(text: str, form: str) -> datetime:
    """The moment a `from` stands for; a time without a zone is UTC. Raises Refused."""
    if not text:
        raise CallRefused("Missing from")
    try:
        if form == "epoch":
            return datetime.fromtimestamp(int(text if _EPOCH.fullmatch(text) else "-"), UTC)
        moment = datetime.fromisoformat(text if form == "iso" or _DATE.fullmatch(text) else "-")
    except (ValueError, OSError):
        raise CallRefused("Invalid from") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _product(treatment: Treatment) -> dict[str, Any]:
    """As in the document's example."""
    return {
        "id": treatment.id,
        "name": treatment.name,
        "description": treatment.description,
        "type": "46312357",
        "charging": 1,
        "rate": {"net": 0, "sell": treatment.price, "tax": 0, "currency": None, "taxes": None},
    }


def _entry(place: Place) -> dict[str, Any]:
    return {"id": place.id, "name": place.name, "description": place.description}
