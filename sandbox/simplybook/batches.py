"""SimplyBook.me's batches, pretended: several bookings that are confirmed with one signature."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bellhop.sandbox.simplybook.rpc import RpcError, identifier

GROUP: Final = "batch_booking"
RECURRENT: Final = "batch_recurrent_booking"
_ID_OF: Final = {GROUP: "batch_id", RECURRENT: "recurrent_batch_id"}


@dataclass(frozen=True, slots=True)
class Batch:
    """bookings: the ids of those that are in it."""

    id: str
    type: str
    hash: str
    bookings: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, str]:
        """As at the end of the document's `book response`."""
        return {"batch_type": self.type, _ID_OF[self.type]: self.id, "batch_hash": self.hash}


class Batches:
    """Not safe between threads: its owner holds a lock. hex_of gives that many random bytes as hex."""

    def __init__(self, ids: Iterator[str], hex_of: Callable[[int], str], secret_key: str) -> None:
        self._all: dict[str, Batch] = {}
        self._ids = ids
        self._hex = hex_of
        self._secret = secret_key

    def new(self, type_: str) -> Batch:
        batch = Batch(next(self._ids), type_, self._hex(16))
        self._all[batch.id] = batch
        return batch

    def group(self, id_: Any) -> Batch:
        """One that bookings can be added to. Raises RpcError -32095."""
        batch = self._all.get(identifier(id_))
        if batch is None or batch.type != GROUP:
            raise RpcError(-32095)
        return batch

    def by_signature(self, id_: Any, type_: Any, sign: Any) -> Batch:
        """Raises RpcError -32095 where there is none of that type, -32085 where the signature is wrong."""
        batch = self._all.get(identifier(id_))
        if batch is None or batch.type != type_:
            raise RpcError(-32095)
        if sign != signature(batch.id, batch.hash, self._secret):
            raise RpcError(-32085)
        return batch


def signature(id_: str, hash_: str, secret_key: str) -> str:
    """md5(id + hash + secret key), as hex: the document's formula for bookings, batches and carts."""
    return hashlib.md5(f"{id_}{hash_}{secret_key}".encode(), usedforsecurity=False).hexdigest()
