"""Settings that the standing queues do not have: told by `config check`, changed by `queues migrate`."""

from __future__ import annotations

from pathlib import Path

from bellhop.broker.port import Message
from bellhop.broker.topology import work
from bellhop.vendors.registry import connect_broker
from bellhop.vendors.settings import load
from tests.support.rabbitmq import RabbitNode
from tests.support.service import Service, free_port, wait_for


def test_a_delivery_limit_is_compared_with_the_broker_and_changed_with_messages_in_the_queues(
    rabbitmq_node: RabbitNode, tmp_path: Path
) -> None:
    with Service(tmp_path, [rabbitmq_node.vhost()]) as service:
        settings = load(service.settings, {})
        broker = connect_broker(settings)
        broker.declare()
        broker.publisher().publish(Message("m", b"{}", {}), work("members")).result(10)
        assert service.run("config", "check").stdout == "ok: 1 source, 2 accounts, 2 venues\n"
        assert "every queue stands as the settings want it" in service.run("queues", "migrate").stdout

        text = service.settings.read_text().replace("[broker]\n", "[broker]\ndelivery_limit = 7\n")
        service.settings.write_text(text)
        told = service.run("config", "check")
        assert told.returncode == 1
        assert "work.members: x-delivery-limit stands at 20, the settings want 7" in told.stderr
        assert "queues migrate" in told.stderr
        started = service.run("work", "members")
        assert started.returncode == 1
        assert "x-delivery-limit stands at 20, the settings want 7" in started.stderr

        moved = service.run("queues", "migrate")
        assert (moved.returncode, "work.members: made anew, with 1 message" in moved.stdout) == (0, True)
        assert service.run("config", "check").stdout == "ok: 1 source, 2 accounts, 2 venues\n"
        wait_for(lambda: broker.stats()["members"].ready == 1, "the message is there")
        broker.close()


def test_settings_are_checked_although_the_broker_is_away(tmp_path: Path) -> None:
    with Service(tmp_path, [f"amqp://guest:guest@127.0.0.1:{free_port()}/"]) as service:
        told = service.run("config", "check")
        assert told.returncode == 0
        assert told.stdout == (
            "ok: 1 source, 2 accounts, 2 venues; the broker was not reached, and its queues were not compared\n"
        )
