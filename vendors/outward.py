"""Posts to servers that are no vendor's, the receivers of results and alerts: signed, and none may lead back inside."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from standardwebhooks import Webhook

from bellhop.schemas.results import signing_key
from bellhop.vendors.connections import Connections

ENOUGH_BYTES: Final = 16_384
"""Of a receiver's answer: its status counts, and the rest is for people."""


def signature_headers(id_: str, body: str, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a post, signed with each secret. now: of this try, as receivers refuse what is old."""
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(signing_key(secret)).sign(id_, now, body) for secret in secrets),
        "user-agent": "bellhop",
    }


class NameLeadsInside(OSError):
    """Raised instead of sending, where a receiver's name leads to this host or to a link-local address: whoever owns
    the name would have Bellhop post to what is meant for nobody outside. An address in the settings is the operator's
    own word, and a private network's may be a receiver's."""


def outward(connections: int) -> Connections:
    """The connections to receivers. connections: kept for each host."""
    return Connections(connections, refuse_inside)


def refuse_inside(name: str, peer: str) -> None:
    """The peer is looked at once it is connected to: asked before, the name might lead elsewhere the next moment."""
    if _is_named(name) and _is_inside(peer):
        raise NameLeadsInside


def _is_named(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host != "localhost"
    return False


def _is_inside(peer: str) -> bool:
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.is_loopback or address.is_link_local or address.is_unspecified
