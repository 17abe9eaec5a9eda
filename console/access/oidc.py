"""Signing in at a provider of OpenID Connect: the code flow with PKCE, by Authlib.

What is on its way between here and the provider is kept in this process, bound to the browser by a cookie of its own.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bellhop.console.access.login import LoginRefused
from bellhop.console.access.people import NameUnfit, fit_name
from bellhop.console.access.sessions import same
from bellhop.ledger.records import Role
from bellhop.schemas.settings import OidcSettings

_SCOPE: Final = "openid profile email"
_MINUTES: Final = 10
_MOST_ON_THEIR_WAY: Final = 10_000
_TIMEOUT_SECONDS: Final = 10
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class OidcFailed(LoginRefused):
    """Raised when the provider's answer does not let anybody in. Its text holds nothing of the answer."""


@dataclass(frozen=True, slots=True)
class _Way:
    verifier: str
    nonce: str
    browser_sha256: str
    until: float


class Provider:
    """Asks the provider for its addresses when it is first used."""

    def __init__(
        self, settings: OidcSettings, redirect_url: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._redirect_url = redirect_url
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._on_their_way: dict[str, _Way] = {}
        self._known: Mapping[str, Any] = {}

    def begin(self) -> tuple[str, str]:
        """Where the browser is to go, and what to give it in a cookie. Raises OidcFailed."""
        browser, verifier, nonce = (secrets.token_urlsafe(48) for _ in range(3))
        address = self._metadata()["authorization_endpoint"]
        url, state = self._client().create_authorization_url(address, nonce=nonce, code_verifier=verifier)
        with self._lock:
            now = self._monotonic()
            self._on_their_way = {s: way for s, way in self._on_their_way.items() if way.until > now}
            if len(self._on_their_way) >= _MOST_ON_THEIR_WAY:
                # Anybody can begin. To refuse the next one would let a stranger shut everybody out.
                del self._on_their_way[next(iter(self._on_their_way))]
            self._on_their_way[state] = _Way(verifier, nonce, _sha256(browser), now + _MINUTES * 60)
        return url, browser

    def finish(self, state: str, code: str, browser: str) -> tuple[str, Role]:
        """The person's name and role. browser: the cookie's. Raises OidcFailed."""
        with self._lock:
            way = self._on_their_way.pop(state, None)
        if way is None or way.until <= self._monotonic() or not same(_sha256(browser), way.browser_sha256):
            raise OidcFailed("This sign-in has expired. Start again.")
        try:
            answer = self._client().fetch_token(
                self._metadata()["token_endpoint"],
                code=code,
                code_verifier=way.verifier,
                grant_type="authorization_code",
                timeout=_TIMEOUT_SECONDS,
            )
            claims = self._claims(str(answer["id_token"]), way.nonce)
        except OidcFailed:
            raise
        except Exception as error:  # noqa: BLE001  # requests', Authlib's and joserfc's, whose texts may quote tokens
            raise OidcFailed(f"The provider's answer was not accepted ({type(error).__name__}).") from None
        return person_of(claims, self._settings)

    def _client(self) -> Any:
        from authlib.integrations.requests_client import OAuth2Session

        return OAuth2Session(
            self._settings.client_id,
            self._settings.client_secret,
            scope=_SCOPE,
            redirect_uri=self._redirect_url,
            code_challenge_method="S256",
        )

    def _metadata(self) -> Mapping[str, Any]:
        if not self._known:
            issuer = self._settings.issuer.rstrip("/")
            found = _fetch(f"{issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != issuer:
                raise OidcFailed("The provider calls itself by another name than console.oidc_issuer.")
            self._known = found
        return self._known

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """The ID token's, once its signature, issuer, audience, times and nonce have been found right."""
        from joserfc import jwt
        from joserfc.jwk import KeySet

        keys: Any = _fetch(self._metadata()["jwks_uri"])
        token = jwt.decode(id_token, KeySet.import_key_set(keys), algorithms=list(_ALGORITHMS))
        jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "value": str(self._metadata()["issuer"])},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(token.claims)
        return dict(token.claims)


def person_of(claims: Mapping[str, Any], settings: OidcSettings) -> tuple[str, Role]:
    """Name and role as the ID token's claims say. Raises OidcFailed where they say none."""
    name = _claim(claims, settings.name_claim)
    try:
        name = fit_name(name if isinstance(name, str) else "")
    except NameUnfit:
        raise OidcFailed("The provider did not say who you are (console.oidc_name_claim).") from None
    if settings.name_claim == "email" and claims.get("email_verified") in (False, "false"):
        raise OidcFailed("The provider has not verified your address.")
    given = _claim(claims, settings.role_claim)
    named = given if isinstance(given, list) else [given]
    roles = [role for role in Role if role.value in named]
    if not roles:
        raise OidcFailed("You have no role in this console. Ask an admin (console.oidc_role_claim).")
    return name, roles[-1]


def _claim(claims: Mapping[str, Any], path: str) -> Any:
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _fetch(url: str) -> Mapping[str, Any]:
    import urllib3

    http = urllib3.PoolManager(retries=False, timeout=_TIMEOUT_SECONDS)
    try:
        answer = http.request("GET", url)
        found = json.loads(answer.data)
    except (urllib3.exceptions.HTTPError, ValueError):
        raise OidcFailed("The provider cannot be reached.") from None
    if answer.status != 200 or not isinstance(found, dict):
        raise OidcFailed("The provider cannot be reached.")
    return found


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
