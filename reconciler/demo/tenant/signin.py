"""Entra's sign-in as one tenant and one application see it (OAuth 2.0: RFC 6749, 7523, 8628).

Errors have Entra's AADSTS codes. Nothing that was presented (a secret, an assertion) is ever repeated in an answer.
"""

from __future__ import annotations

import hmac
import json
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from .answers import Answer, Call, Entropy, Json, Stationery
from .assertions import Assertions, Issuers
from .devices import LIFETIME, Devices
from .faults import Faults
from .tokens import LIFETIME as TOKEN_LIFETIME
from .tokens import AccessTokens

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PERMISSION = "User.Read.All"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
GRAPH_CLOUDS = frozenset(
    f"https://{host}"
    for host in (
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    )
)

Form = Mapping[str, str]


class SignIn:
    """The token and device code endpoints of one application in one tenant."""

    def __init__(
        self,
        tenant_id: str,
        client_id: str,
        secret: str,
        *,
        assertions: Assertions,
        issuers: Issuers,
        devices: Devices,
        tokens: AccessTokens,
        faults: Faults,
        stationery: Stationery,
        entropy: Entropy,
    ) -> None:
        self._tenant_id, self._client_id, self._secret = tenant_id, client_id, secret
        self._assertions, self._issuers, self._devices, self._tokens = assertions, issuers, devices, tokens
        self._faults, self._stationery, self._entropy = faults, stationery, entropy
        self._lock = threading.Lock()
        self._refresh: set[str] = set()
        self._grants: dict[str, Callable[[Form, str], Answer]] = {
            "client_credentials": self._client_credentials,
            DEVICE_CODE: self._device_code,
            "refresh_token": self._refresh_token,
        }
        self.device_interval = 5
        self.roles = [PERMISSION]
        """The application permissions that an administrator has consented to."""

    def token(self, call: Call, authority: str) -> Answer:
        """Answer `POST …/oauth2/v2.0/token`; `authority` is `https://host/tenant`."""
        fault = self._faults.on_sign_in()
        if fault is not None:
            return fault
        form = _form(call)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                return self._missing(f"'{name}'")
        grant = self._grants.get(form["grant_type"])
        if grant is None:
            what = f"The app requested an unsupported grant type '{form['grant_type']}'."
            return self._stationery.sign_in_error(400, "unsupported_grant_type", 70003, what)
        return self._unknown_client(form) or grant(form, authority)

    def device_code(self, call: Call, authority: str) -> Answer:
        """Answer `POST …/oauth2/v2.0/devicecode`."""
        form = _form(call)
        for name in ("client_id", "scope"):
            if not form.get(name):
                return self._missing(f"'{name}'")
        unknown = self._unknown_client(form)
        if unknown is not None:
            return unknown
        code, user_code = self._devices.begin()
        page = f"{authority}/devicelogin"
        return Answer(
            200,
            {
                "user_code": user_code,
                "device_code": code,
                "verification_uri": page,
                "expires_in": int(LIFETIME.total_seconds()),
                "interval": self.device_interval,
                "message": f"To sign in, open {page} and enter the code {user_code} to authenticate.",
            },
            {"Cache-Control": "no-store"},
        )

    def _client_credentials(self, form: Form, authority: str) -> Answer:
        refused = self._credential(form, authority)
        if refused is not None:
            return refused
        scope = form.get("scope", "")
        resource = scope.removesuffix("/.default")
        if resource == scope:
            what = "The provided value for scope is not valid. Client credential flows must have a scope value with"
            return self._stationery.sign_in_error(400, "invalid_scope", 1002012, f"{what} /.default suffixed.")
        origin = authority.rpartition("/")[0]
        if resource.rstrip("/") not in GRAPH_CLOUDS | {origin}:
            what = f"The resource principal named {resource} was not found in the tenant."
            return self._stationery.sign_in_error(400, "invalid_resource", 500011, what)
        claims: dict[str, Json] = {"aud": resource, "tid": self._tenant_id, "appid": self._client_id}
        return self._granted({}, {**claims, "roles": [*self.roles]})

    def _credential(self, form: Form, authority: str) -> Answer | None:
        if form.get("client_assertion"):
            if form.get("client_assertion_type") != JWT_BEARER:
                return self._missing("'client_assertion_type'")
            audiences = (f"{authority}/oauth2/v2.0/token", f"{authority}/v2.0", f"{authority}/oauth2/token")
            problem = self._assertions.problem(form["client_assertion"], audiences)
            if problem is None:
                return None
            return self._stationery.sign_in_error(401, "invalid_client", problem.code, problem.what)
        if not form.get("client_secret"):
            what = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
            return self._stationery.sign_in_error(401, "invalid_client", 7000218, what)
        if not hmac.compare_digest(form["client_secret"].encode(), self._secret.encode()):
            what = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
            what = f"{what} value, not the client secret ID, for a secret added to app '{self._client_id}'."
            return self._stationery.sign_in_error(401, "invalid_client", 7000215, what)
        return None

    def _device_code(self, form: Form, authority: str) -> Answer:
        state = self._devices.redeem(form.get("device_code", ""))
        if state == "approved":
            return self._signed_in(form, authority)
        error, code, what = {
            "pending": ("authorization_pending", 70016, "OAuth 2.0 device flow error. Authorization is pending."),
            "declined": ("authorization_declined", 70042, "The end user denied the authorization request."),
            "expired": ("expired_token", 70020, "The provided value for the input parameter 'device_code' is expired."),
        }.get(state, ("bad_verification_code", 70019, "Verification code expired or not recognised."))
        return self._stationery.sign_in_error(400, error, code, what)

    def _refresh_token(self, form: Form, authority: str) -> Answer:
        with self._lock:
            known = form.get("refresh_token") in self._refresh
        if not known:
            what = "The provided grant has expired due to it being revoked, a fresh auth token is needed."
            return self._stationery.sign_in_error(400, "invalid_grant", 50173, what)
        return self._signed_in(form, authority)

    def _signed_in(self, form: Form, authority: str) -> Answer:
        oid = f"{self._tenant_id[:24]}00000000admin"[:36]
        scopes = form.get("scope") or "openid profile offline_access"
        refresh = urlsafe_b64encode(self._entropy(96)).decode()
        with self._lock:
            self._refresh.add(refresh)
        claims: dict[str, Json] = {"aud": self._client_id, "sub": oid, "oid": oid, "tid": self._tenant_id, "ver": "2.0"}
        claims |= {"preferred_username": "admin@contoso.onmicrosoft.com", "name": "Administrator"}
        client_info = json.dumps({"uid": oid, "utid": self._tenant_id}).encode()
        extra: dict[str, Json] = {
            "scope": scopes,
            "refresh_token": refresh,
            "id_token": self._issuers.sign(f"{authority}/v2.0", claims, timedelta(hours=1)),
            "client_info": urlsafe_b64encode(client_info).decode().rstrip("="),
        }
        return self._granted(extra, {"tid": self._tenant_id, "appid": self._client_id, "scp": scopes})

    def _granted(self, extra: Mapping[str, Json], claims: Mapping[str, Json]) -> Answer:
        seconds = int(TOKEN_LIFETIME.total_seconds())
        grant: dict[str, Json] = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds}
        return Answer(
            200, {**grant, "access_token": self._tokens.issue(claims), **extra}, {"Cache-Control": "no-store"}
        )

    def _unknown_client(self, form: Form) -> Answer | None:
        if form["client_id"].lower() == self._client_id.lower():
            return None
        what = f"Application with identifier '{form['client_id']}' was not found in the directory '{self._tenant_id}'."
        return self._stationery.sign_in_error(400, "unauthorized_client", 700016, what)

    def _missing(self, name: str) -> Answer:
        what = f"The request body must contain the following parameter: {name}."
        return self._stationery.sign_in_error(400, "invalid_request", 900144, what)


def _form(call: Call) -> Form:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
