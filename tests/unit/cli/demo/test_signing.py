"""What `bellhop send` signs, the ingress takes: for every verifier that there is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bellhop.cli.demo.upstream import Upstream
from bellhop.ingest.proofs import AddressSecrets
from bellhop.ingest.verify import TABLE, NotVerified, Verifier
from bellhop.vendors.settings import build
from tests.support.ingress import DOCUMENT, SECRET

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def source(verifier: str) -> Any:
    secret = SECRET if verifier == "standard-webhooks" else "a-secret-of-the-upstream"
    more = {"notification_url": "https://hooks.test/webhooks/one"} if TABLE[verifier].needs_url else {}
    return build(DOCUMENT | {"sources": {"one": {"verifier": verifier, "secrets": [secret], **more}}}).sources["one"]


@pytest.mark.parametrize("verifier", TABLE)
def test_a_body_of_any_form_is_signed_as_its_source_demands(verifier: str) -> None:
    sender = source(verifier)
    post = Upstream("http://x.test", sender, lambda: NOW).sign_body('{"ä": 1}\n')
    rest = post.address.removeprefix("http://x.test/webhooks/one")
    address = AddressSecrets(rest.partition("?")[0].removeprefix("/"), [q for q in [rest.partition("secret=")[2]] if q])
    headers = {name.lower(): value for name, value in post.headers.items()}

    class Headers:
        def get(self, name: str) -> str | None:
            return headers.get(name.lower())

    Verifier(sender).verify(Headers(), post.body.encode(), NOW, address)
    if verifier not in ("bearer", "path-secret", "query-secret"):
        with pytest.raises(NotVerified):
            Verifier(sender).verify(Headers(), b"another body", NOW, address)
