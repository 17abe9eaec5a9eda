"""What every contender is given: one webhook, its secret, and the vendor call that ends it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any, Final

from standardwebhooks import Webhook

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATH: Final = "/webhooks/crm"
VENDOR_QUERY: Final = "auth_id=bench&company=4711&user=bench&pass=bench&member_id="


def broker_url() -> str:
    """amqp:// URL of the run's private node; peers' processes find it in their environment."""
    return os.environ["BENCH_BROKER"]


def vendor_call(member_id: str) -> str:
    """The address of Peoplevine's sync_member for one member, at the run's vendor."""
    return f"{os.environ['BENCH_VENDOR']}/res/sync_member?{VENDOR_QUERY}{member_id}"


def body(number: int) -> dict[str, Any]:
    """The number-th webhook: a member whose profile has changed."""
    return {
        "type": "member.updated",
        "timestamp": datetime.now(UTC).isoformat(),
        "data": {
            "member_id": str(1_000_000 + number),
            "profile": {
                "first_name": "Ada",
                "last_name": "Lee",
                "email": f"ada.{number}@example.test",
                "phone": "+442071234567",
                "birthday": "1990-12-10",
            },
            "attributes": {"tier": "gold", "home_venue": "mayfair", "vip": "false"},
        },
    }


def signed_requests(count: int, host: str) -> list[bytes]:
    """`count` whole HTTP/1.1 requests, each with an id and a signature of its own, as an upstream would send them."""
    webhook, now = Webhook(SECRET), datetime.now(UTC)
    stamp = str(int(now.timestamp()))
    requests = []
    for number in range(count):
        content = json.dumps(body(number))
        signature = webhook.sign(f"bench-{number}", now, content)
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nwebhook-id: bench-{number}\r\nwebhook-timestamp: {stamp}\r\n"
            f"webhook-signature: {signature}\r\n\r\n"
        )
        requests.append((head + content).encode())
    return requests
