"""What a consumer takes of what has arrived in many lanes."""

from __future__ import annotations

from bellhop.broker.port import Delivery, Message, NoLimits
from bellhop.broker.rabbitmq.lanes import LaneQueues
from bellhop.broker.topology import Topology

PLACES = 4
TOPOLOGY = Topology(("members",), (1.0,))


class Places(NoLimits):
    """Has so many, and tells whose room was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def room(self, lane: str, beside: int) -> int:
        self.asked.append(lane)
        return 1

    def is_full(self, beside: int) -> bool:
        return beside >= PLACES


def arrived(*lanes: str) -> tuple[LaneQueues, Places]:
    places = Places()
    queues = LaneQueues(TOPOLOGY, "members", "bellhop.work.members", 10, places)
    for lane in lanes:
        queues.arrive(Delivery(Message("crm/1", b"", {}), lane, 0, {}, lane))
    return queues, places


def test_no_account_is_asked_for_once_there_is_no_room_for_any() -> None:
    many = [f"a{number}" for number in range(1000)]
    for limit, taken in (3, 3), (10, PLACES):
        queues, places = arrived(*many)
        assert [one.lane for one in queues.pick(limit)] == places.asked == many[:taken]


def test_what_names_no_account_is_taken_beside_accounts_for_which_there_is_no_room() -> None:
    queues, _ = arrived(*"abcde", "", "f")
    assert [one.lane for one in queues.pick(10)] == [*"abcd", ""]
    assert [one.lane for one in queues.pick(10)] == [*"ef"]
