"""What a publisher to RabbitMQ owes its callers: each publish is settled once, by what became of it."""

from __future__ import annotations

import pytest

from bellhop.broker.port import Address, Message
from bellhop.broker.rabbitmq.outbox import Outbox
from bellhop.schemas.errors import BrokerError, BrokerUnavailable, PublishRefused, PublishUnconfirmed, Unroutable

TO = Address("work", "key")


def test_a_confirm_of_several_settles_those_up_to_its_tag_and_no_other() -> None:
    outbox = Outbox()
    first, second, third = (outbox.add(Message("m", b"", {}), TO, 9.0) for _ in range(3))
    while outbox.next():
        pass
    assert outbox.answer(2, multiple=True, nacked=False) == 2
    assert (first.done(), second.done(), third.done()) == (True, True, False)
    assert outbox.answer(3, multiple=False, nacked=True) == 1
    assert isinstance(third.exception(), PublishRefused)
    assert not outbox


def test_what_comes_back_is_unroutable_and_its_confirm_settles_nothing() -> None:
    outbox = Outbox()
    future = outbox.add(Message("m", b"", {}), TO, 9.0)
    outbox.next()
    outbox.bring_back(1, "exchange 'work'")
    assert isinstance(future.exception(), Unroutable)
    assert outbox.answer(1, multiple=False, nacked=False) == 0


def test_what_its_caller_gave_up_is_not_sent() -> None:
    outbox = Outbox()
    outbox.add(Message("m", b"", {}), TO, 9.0).cancel()
    outbox.add(Message("n", b"", {}), TO, 9.0)
    taken = outbox.next()
    assert taken is not None
    assert (taken[0], taken[1].message.id) == (1, "n")


def test_on_a_new_channel_tags_count_from_one() -> None:
    outbox = Outbox()
    future = outbox.add(Message("m", b"", {}), TO, 9.0)
    outbox.next()
    outbox.fail_sent("the connection closed")
    outbox.begin_channel()
    outbox.add(Message("n", b"", {}), TO, 9.0)
    taken = outbox.next()
    assert taken is not None
    assert taken[0] == 1
    assert isinstance(future.exception(), PublishUnconfirmed), "it may be there"


@pytest.mark.parametrize(("is_sent", "error"), [(True, PublishUnconfirmed), (False, BrokerUnavailable)])
def test_what_is_overdue_fails_by_whether_it_was_sent(is_sent: bool, error: type[BrokerError]) -> None:
    outbox = Outbox()
    early, late = (outbox.add(Message("m", b"", {}), TO, deadline) for deadline in (1.0, 2.0))
    while is_sent and outbox.next():
        pass
    outbox.fail(outbox.overdue(1.0), "no confirm")
    outbox.fail_waiting("no connection", until=1.0)
    assert isinstance(early.exception(), error)
    assert not late.done()
    assert outbox.is_waiting is not is_sent
