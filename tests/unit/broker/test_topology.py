"""Lanes: which number an account has, and under which key its messages travel."""

from __future__ import annotations

import pytest

from bellhop.broker.headers import LANE
from bellhop.broker.port import Address, Delivery, Message, NoLimits
from bellhop.broker.rabbitmq.lanes import LaneQueues
from bellhop.broker.rabbitmq.topology import queues, routing_key
from bellhop.broker.topology import (
    DEAD,
    LANES_AT_MOST,
    NOWHERE,
    PULSE,
    Topology,
    lane_key,
    retry,
    route_of,
    work,
    work_queue,
)

MANY = tuple(f"account-{number}" for number in range(LANES_AT_MOST + 36))
TOPOLOGY = Topology(
    ("members", "bookings.spa", "pulls", "results"),
    ladder=(5.0,),
    lanes={"members": ("one", "two", "three"), "bookings.spa": ("two",), "pulls": MANY},
    soon=("bookings.spa",),
)


def message(account: str = "") -> Message:
    return Message("id", b"", {LANE: account} if account else {})


@pytest.mark.parametrize(
    ("to", "account", "key"),
    [
        (work("members"), "two", "members:2"),
        (retry("members", 5.0), "two", "members:2"),
        (work("members"), "", "members"),
        (work("members"), "left the settings", "members"),
        (work("bookings.spa"), "two", "bookings.spa:1"),
        (work("bookings.spa"), "two:soon", "bookings.spa:1:soon"),
        (retry("bookings.spa", 5.0), "two:soon", "bookings.spa:1:soon"),
        (work("bookings.spa"), "left the settings:soon", "bookings.spa"),
        (work("members"), "two:soon", "members:2"),
        (work("results"), "two", "results"),
        (work("pulls"), MANY[LANES_AT_MOST], "pulls:1"),
        (work("nowhere"), "two", "nowhere"),
        (DEAD, "two", ""),
        (NOWHERE, "two", ""),
        (PULSE, "two", ":pulse"),
    ],
)
def test_a_message_travels_to_its_accounts_lane_where_its_route_has_lanes(to: Address, account: str, key: str) -> None:
    assert routing_key(TOPOLOGY, message(account), to) == key


def test_each_account_has_a_lane_beside_the_common_one_and_many_share_so_many_and_no_more() -> None:
    names = [queue.name for queue in queues(TOPOLOGY)]
    assert {name for name in names if name.startswith("bellhop.work.results")} == {"bellhop.work.results"}
    assert {name for name in names if name.startswith("bellhop.work.bookings")} == {
        "bellhop.work.bookings.spa",
        "bellhop.work.bookings.spa:1",
        "bellhop.work.bookings.spa:1:soon",
    }
    assert {name for name in names if name.startswith("bellhop.work.members")} == {
        work_queue("members", lane) for lane in range(4)
    }
    assert len({name for name in names if name.startswith("bellhop.work.pulls")}) == LANES_AT_MOST + 1


def test_the_key_of_a_lane_tells_its_route() -> None:
    keys = [lane_key("bookings.spa", lane, is_soon=is_soon) for lane in range(3) for is_soon in (False, True)]
    assert {route_of(key) for key in keys} == {"bookings.spa"}


def test_whose_a_lane_is_can_be_told() -> None:
    assert TOPOLOGY.lane_accounts("members", 2) == ("two",)
    assert TOPOLOGY.lane_accounts("members", 0) == ()
    assert TOPOLOGY.lane_accounts("members", 9) == ()
    assert TOPOLOGY.lane_accounts("results", 1) == ()
    assert TOPOLOGY.lane_accounts("pulls", 1) == (MANY[0], MANY[LANES_AT_MOST])


class Rooms(NoLimits):
    """Room for so many of each lane."""

    def __init__(self, **rooms: int) -> None:
        self.rooms = rooms

    def room(self, lane: str, beside: int) -> int:
        return self.rooms.get(lane, 10)


def arrived(lanes: LaneQueues, account: str, count: int) -> None:
    for number in range(count):
        lanes.arrive(Delivery(message(account), f"{account}-{number}", lane=account))


def test_what_has_arrived_is_handed_out_one_account_after_the_other_as_far_as_there_is_room() -> None:
    lanes = LaneQueues(TOPOLOGY, "members", "bellhop.work.members", 100, Rooms(one=2, two=0))
    for account in ("one", "two", "three"):
        arrived(lanes, account, 3)
    assert [delivery.tag for delivery in lanes.pick(3)] == ["one-0", "one-1", "three-0"]
    assert [delivery.tag for delivery in lanes.pick(3)] == ["one-2", "three-1", "three-2"]
    assert [delivery.tag for delivery in lanes.all_arrived()] == ["two-0", "two-1", "two-2"]


@pytest.mark.parametrize(
    ("queue", "account", "lane"),
    [
        ("bellhop.work.members:2", "two", "two"),
        ("bellhop.work.members:2", "three", ""),
        ("bellhop.work.members", "two", ""),
        ("bellhop.work.members", "", ""),
        ("bellhop.work.members:4", "left the settings", ""),
    ],
)
def test_a_message_is_of_a_lane_only_where_that_is_its_own(queue: str, account: str, lane: str) -> None:
    """What lies in another one's since the settings changed is handed out whatever room there is, and sent on."""
    lanes = LaneQueues(TOPOLOGY, "members", "bellhop.work.members", 100, NoLimits())
    assert lanes.own_lane(queue, message(account)) == lane
