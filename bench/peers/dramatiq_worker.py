"""Dramatiq, finishing only: two processes of 32 threads, quorum queues like everybody else."""

from __future__ import annotations

import sys
from typing import Any

import dramatiq
import urllib3
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.work import body, broker_url, vendor_call

QUEUE = "bench.dramatiq"


class QuorumBroker(RabbitmqBroker):
    """Dramatiq has no setting for the queues' type."""

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        return {**super()._build_queue_arguments(queue_name), "x-queue-type": "quorum"}


dramatiq.set_broker(QuorumBroker(url=broker_url(), confirm_delivery=True))

_http = urllib3.PoolManager(maxsize=32, block=True, retries=False)


@dramatiq.actor(queue_name=QUEUE)
def member(event: dict[str, Any]) -> None:
    answer = _http.request("GET", vendor_call(event["data"]["member_id"]))
    if answer.status != 200 or not answer.json()["success"]:
        raise RuntimeError("refused")


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        member.send(body(number))
