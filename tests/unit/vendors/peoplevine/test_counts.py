"""What Peoplevine's counts say: a success is one only where nothing of it failed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpAnswer
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount

SINCE = datetime(2026, 11, 21, 12, tzinfo=UTC)
SYNCS: dict[str, Callable[[PeoplevineClient], object]] = {
    "sync_profiles": lambda client: client.sync_profiles(SINCE),
    "sync_reservations": lambda client: client.sync_reservations(SINCE),
    "sync_services": lambda client: client.sync_services(),
    "sync_member": lambda client: client.sync_member("1000"),
}


def client(**answer: Any) -> PeoplevineClient:
    """Of a vendor that answers so."""
    body = {"success": True, "reason": None, "message": None, "success_count": 0, "error_count": 0, **answer}

    class Http:
        def request(self, *_: object, **__: object) -> HttpAnswer:
            return HttpAnswer(200, body, json.dumps(body).encode(), None, Redactor([]))

    account = PeoplevineAccount("pv", "http://x", "a", "c", "u", "p", "", True, 1.0, 1.0)
    return PeoplevineClient(account, Http())  # type: ignore[arg-type]


@pytest.mark.parametrize("errors", [2, "2"])
@pytest.mark.parametrize("name", SYNCS)
def test_a_sync_of_which_some_failed_is_no_success_and_tells_the_vendors_words(name: str, errors: object) -> None:
    answered = client(success_count=3, error_count=errors, reason="2 of 5", message="Object reference not set")
    with pytest.raises(VendorFailure, match=r"3 brought, 2 failed: 2 of 5\. Object reference not set") as caught:
        SYNCS[name](answered)
    assert caught.value.kind is Kind.REJECTED


@pytest.mark.parametrize("count", [0, "0", None, False])
def test_a_member_is_synchronised_only_where_one_is_counted(count: object) -> None:
    with pytest.raises(VendorFailure, match="counts nobody: Nothing to do") as caught:
        client(success_count=count, message="Nothing to do").sync_member("1000")
    assert caught.value.kind is Kind.REJECTED
    client(success_count=1).sync_member("1000")
    client(success_count="1").sync_member("1000")


def test_a_pull_may_count_nothing_and_counts_written_as_text_are_read() -> None:
    assert client().sync_profiles(SINCE) == 0
    assert client(success_count="4").sync_profiles(SINCE) == 4


def test_a_reservation_made_with_errors_may_be_half_and_names_its_id() -> None:
    with pytest.raises(VendorFailure, match="reservation 77 may hold only a part") as caught:
        client(message="77", error_count=1).create_service_reservation("1000", "", [])
    assert caught.value.kind is Kind.UNKNOWN
    assert client(message="77").create_service_reservation("1000", "", []) == "77"
