"""The vendors' clients against the sandbox: arguments as the documents have them, tokens shared, codes classified."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bellhop.sandbox.server import Sandbox
from bellhop.schemas.redact import Redactor
from bellhop.vendors.failure import Kind, VendorFailure
from bellhop.vendors.http import HttpClient
from bellhop.vendors.peoplevine.client import PeoplevineClient
from bellhop.vendors.peoplevine.settings import PeoplevineAccount
from bellhop.vendors.simplybook.client import SimplybookClient, signature_of
from bellhop.vendors.simplybook.settings import SimplybookAccount

GUEST = {"name": "Ada Lee", "email": "ada@example.test", "phone": "+442071234567"}
DAY = "2027-03-01"


class Tokens:
    """As the ledger shares them, in memory."""

    def __init__(self, token: str | None = None) -> None:
        self.current = token
        self.logins = 0

    def token(self, account: str) -> str | None:
        return self.current

    def replace_token(self, account: str, stale: str | None, login: Callable[[], str]) -> str:
        if self.current is None or self.current == stale:
            self.logins += 1
            self.current = login()
        return self.current

    def renew_token(self, account: str, login: Callable[[], str]) -> str:
        self.current = login()
        return self.current


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def http() -> HttpClient:
    return HttpClient(pool_size=8, redactor=Redactor())


def salon(sandbox: Sandbox, tokens: Tokens, api_key: str = "sandbox-api-key") -> SimplybookClient:
    account = SimplybookAccount("sb", sandbox.url, "sandbox", api_key, "sandbox-secret-key", True, 1.0, 2.0)
    return SimplybookClient(account, http(), tokens)


def spa(sandbox: Sandbox, password: str = "sandbox-password") -> PeoplevineClient:
    account = PeoplevineAccount("pv", sandbox.url, "sandbox", "4711", "bellhop", password, "", True, 1.0, 2.0)
    return PeoplevineClient(account, http())


def book(client: SimplybookClient, time: str = "09:00:00", unit: int = 1, count: int | None = None) -> list[str]:
    answer = client.book(7, unit, DAY, time, GUEST, {}, count, None, None)
    return [row.id for row in answer.bookings]


def test_a_signature_is_the_documents_md5() -> None:
    assert signature_of("434", "785cb8cce316e64765b94c05a635f4be", "secret") == "bf429f080b8254c26293cc67b4244e8c"


def test_book_confirm_and_cancel_go_through_with_the_bookings_own_hash(sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_require_confirm=True)
    client = salon(sandbox, Tokens())
    answer = client.book(7, 1, DAY, "09:00:00", GUEST, {}, None, None, None)
    assert answer.require_confirm
    (row,) = answer.bookings
    assert not row.confirmed
    client.confirm_booking(row.id, row.hash)
    client.cancel_booking(row.id, row.hash)
    with pytest.raises(VendorFailure) as caught:
        client.cancel_booking(row.id, row.hash)
    assert caught.value.code == "-32080"
    with pytest.raises(VendorFailure) as caught:
        client.cancel_booking(row.id, "not-its-hash")
    assert caught.value.kind is Kind.REJECTED


def test_a_group_of_bookings_comes_back_with_every_id(sandbox: Sandbox) -> None:
    assert len(book(salon(sandbox, Tokens()), unit=65, count=3)) == 3


def test_a_taken_slot_is_refused_with_the_vendors_code_and_an_advice(sandbox: Sandbox) -> None:
    client = salon(sandbox, Tokens())
    book(client)
    with pytest.raises(VendorFailure) as caught:
        book(client)
    failure = caught.value
    assert (failure.kind, failure.code) == (Kind.REJECTED, "-32054")
    assert failure.answer is not None
    assert failure.answer["advice"]


def test_free_starts_and_the_capacity_of_units_can_be_asked(sandbox: Sandbox) -> None:
    client = salon(sandbox, Tokens())
    book(client)
    starts = client.get_start_time_matrix(DAY, DAY, 7, 1, 1)
    assert "09:00:00" not in starts[DAY]
    assert "09:15:00" in starts[DAY]
    assert {unit["id"]: unit["qty"] for unit in client.get_unit_list()}["65"] == 5


def test_an_expired_token_is_replaced_once_and_the_call_made_again(sandbox: Sandbox) -> None:
    tokens = Tokens("0f4e-ended")
    assert book(salon(sandbox, tokens))
    assert tokens.logins == 1


def test_a_call_refused_again_with_a_new_token_is_given_up(sandbox: Sandbox) -> None:
    tokens = Tokens()
    sandbox.fault(method="book", kind="error", code=-32600, message="Access denied", times=None)
    with pytest.raises(VendorFailure) as caught:
        book(salon(sandbox, tokens))
    assert caught.value.kind is Kind.AUTH
    assert len([call for call in sandbox.calls() if call["method"] == "book"]) == 2
    assert tokens.logins == 2


def test_many_threads_share_one_token(sandbox: Sandbox) -> None:
    tokens = Tokens()
    client = salon(sandbox, tokens)
    book(client, unit=64)
    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(lambda unit: book(client, unit=unit), range(1, 33)))
    assert len({id_ for ids in made for id_ in ids}) == 32
    assert tokens.logins == 1


def test_a_wrong_key_is_a_matter_of_credentials_and_is_not_told(sandbox: Sandbox) -> None:
    with pytest.raises(VendorFailure) as caught:
        book(salon(sandbox, Tokens(), api_key="a-wrong-api-key"))
    assert (caught.value.kind, caught.value.code) == (Kind.AUTH, "-33002")
    assert "a-wrong-api-key" not in f"{caught.value}{caught.value.answer}"


def test_an_internal_error_leaves_open_whether_it_booked(sandbox: Sandbox) -> None:
    sandbox.fault(method="book", kind="error", code=-32603, message="Internal error")
    with pytest.raises(VendorFailure) as caught:
        book(salon(sandbox, Tokens()))
    assert caught.value.kind is Kind.UNKNOWN


def test_peoplevine_synchronises_a_member_and_refuses_one_it_does_not_know(sandbox: Sandbox) -> None:
    spa(sandbox).sync_member("3125141")
    with pytest.raises(VendorFailure) as caught:
        spa(sandbox).sync_member("9999999")
    assert caught.value.kind is Kind.REJECTED
    assert "Member not found" in str(caught.value)


def test_peoplevine_reserves_what_it_offers(sandbox: Sandbox) -> None:
    client = spa(sandbox)
    offers = client.get_service_availability(DAY, "10:00", "10:15", False, False, ["7"])
    assert offers
    chosen = {
        "start": f"{DAY}T10:00:00",
        "end": f"{DAY}T10:15:00",
        "price": 10.0,
        **{key: offers[0][key] for key in ("technician_id", "service_id", "facility_id")},
    }
    assert client.create_service_reservation("3125141", "", [chosen])
    left = client.get_service_availability(DAY, "10:00", "10:15", False, False, ["7"])
    assert chosen["technician_id"] not in [offer["technician_id"] for offer in left]


def test_peoplevines_wrong_password_is_a_matter_of_credentials(sandbox: Sandbox) -> None:
    with pytest.raises(VendorFailure) as caught:
        spa(sandbox, password="wrong-password").sync_member("3125141")
    assert caught.value.kind is Kind.AUTH
    assert "wrong-password" not in f"{caught.value}{caught.value.answer}"


def test_a_login_that_ends_unknown_leaves_no_doubt_about_the_call_it_was_for(sandbox: Sandbox) -> None:
    sandbox.fault(method="getToken", kind="http", status=502, times=None)
    with pytest.raises(VendorFailure) as caught:
        book(salon(sandbox, Tokens("0f4e-ended")))
    assert caught.value.kind is Kind.TRANSIENT
    assert len(sandbox.state.vendors["simplybook"].bookings.all) == 0


def test_a_service_url_of_another_house_gets_no_token(sandbox: Sandbox) -> None:
    sandbox.switch(simplybook_service_url="https://simplybook.me.evil.test")
    account = SimplybookAccount(
        "sb", sandbox.url, "sandbox", "sandbox-api-key", "sandbox-secret-key", True, 1.0, 2.0, discover=True
    )
    with pytest.raises(VendorFailure, match=r"not SimplyBook\.me's") as caught:
        book(SimplybookClient(account, http(), Tokens()))
    assert caught.value.kind is Kind.AUTH
