"""What Entra and Graph mean when they refuse, and what a person can do about it.

Their own sentences are not repeated: they quote names, claims and tokens from elsewhere. Codes and ids are, because
documentation and support cases are looked up by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Final

from reconciler.errors import GraphError

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,79}")
_GUID: Final = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_AADSTS: Final = re.compile(r"AADSTS([0-9]{4,8})\b")

_FEDERATED: Final = (
    "Add or correct the federated credential of the app registration: issuer, audience and exact subject"
    " (for GitHub `repo:ORG/REPO:environment:NAME`) must be those of the token."
)
_TENANT: Final = "Check entra.tenant (and entra.authority, if the tenant is in a sovereign cloud)."
_APP: Final = "Check entra.client_id, and that the app registration is in this tenant."

_SIGN_IN: Final[Mapping[int, tuple[str, str]]] = {
    7000215: (
        "the client secret is wrong",
        "Set RECONCILE_ENTRA_SECRET to the secret's value; its id is not the value.",
    ),
    7000222: (
        "the client secret has expired",
        "Make a new one in the app registration and set RECONCILE_ENTRA_SECRET.",
    ),
    7000218: (
        "the app registration expects a secret or a certificate",
        "For device-code, switch on `Allow public client flows` under Authentication of the app registration.",
    ),
    7000112: ("the app is disabled", "Enable its enterprise application, or use another app registration."),
    7000229: ("the app has no service principal in the tenant", "Grant admin consent once, which makes it."),
    700016: ("the app is unknown in the tenant", _APP),
    700027: (
        "the certificate is not one of the app registration's, or has expired",
        "Upload its public half to the app registration, or name another in RECONCILE_ENTRA_CERTIFICATE.",
    ),
    700024: (
        "the assertion is outside its validity",
        "Check this machine's clock, and that the token file is kept fresh.",
    ),
    70021: ("no federated credential matches the token", _FEDERATED),
    700211: ("no federated credential matches the token's issuer", _FEDERATED),
    700212: ("no federated credential matches the token's audience", _FEDERATED),
    700213: ("no federated credential matches the token's subject", _FEDERATED),
    7002138: ("the federated credential's subject differs from the token's in upper and lower case", _FEDERATED),
    50013: ("the signature of the token presented does not hold", _FEDERATED),
    90002: ("the tenant is unknown", _TENANT),
    900021: ("the tenant is unknown", _TENANT),
    900023: ("the tenant is unknown", _TENANT),
    50020: ("the user belongs to another tenant", "Sign in with an account of this tenant."),
    50034: ("the user does not exist in the tenant", "Sign in with an account of this tenant."),
    50076: ("the user must complete multi-factor authentication", "Sign in again and complete it."),
    50079: ("the user must set up multi-factor authentication", "Set it up, then sign in again."),
    53003: ("a conditional access policy blocks the sign-in", "Ask for the app to be allowed from here."),
    65001: ("nobody has consented to the permission", "Grant admin consent for User.Read.All to the app registration."),
    500011: (
        "the resource asked for is unknown in the tenant",
        "Check entra.graph: it must be the Graph of this cloud.",
    ),
    70019: ("the code has expired", "Start again, and enter the new code within its time."),
    70020: ("the code has expired", "Start again, and enter the new code within its time."),
}
_BY_NAME: Final[Mapping[str, tuple[str, str]]] = {
    "expired_token": _SIGN_IN[70020],
    "code_expired": _SIGN_IN[70020],
    "authorization_pending": _SIGN_IN[70020],
    "authorization_declined": ("the sign-in was declined", "Start again and approve it."),
    "access_denied": ("the sign-in was declined", "Start again and approve it."),
    "invalid_tenant": _SIGN_IN[90002],
    "unauthorized_client": _SIGN_IN[700016],
}


def sign_in_refused(answer: Mapping[str, object], tenant: str, client_id: str) -> GraphError:
    """Return what a token endpoint's error answer (RFC 6749, 5.2, with Entra's additions) means."""
    name = _only(_CODE, answer.get("error"))
    codes = list(_codes(answer))
    meaning = next((_SIGN_IN[code] for code in codes if code in _SIGN_IN), _BY_NAME.get(name))
    why, remedy = meaning or ("the sign-in was refused", "Look the code up at https://login.microsoftonline.com/error.")
    facts = [name, *(f"AADSTS{code}" for code in codes)]
    facts += [f"{key.replace('_', ' ')} {found}" for key in _IDS if (found := _only(_GUID, answer.get(key)))]
    shown = ", ".join(fact for fact in facts if fact)
    return GraphError(
        f"Entra refused the app {client_id} in tenant {tenant}: {why}" + (f" ({shown})" if shown else ""), remedy
    )


_IDS: Final = ("trace_id", "correlation_id")


def _codes(answer: Mapping[str, object]) -> Iterator[int]:
    listed = answer.get("error_codes")
    if isinstance(listed, list):
        found = [code for code in listed if isinstance(code, int) and not isinstance(code, bool)]
        if found:
            yield from found[:5]
            return
    described = answer.get("error_description")
    if isinstance(described, str):
        yield from (int(code) for code in _AADSTS.findall(described)[:1])


def _only(pattern: re.Pattern[str], value: object) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""


def error_code(body: Mapping[str, object]) -> str:
    """Return `error.code` of a Graph error answer, or nothing where there is none that can be shown."""
    error = body.get("error")
    return _only(_CODE, error.get("code")) if isinstance(error, dict) else ""


def _request_id(body: Mapping[str, object]) -> str:
    error = body.get("error")
    inner = error.get("innerError") if isinstance(error, dict) else None
    return _only(_GUID, inner.get("request-id")) if isinstance(inner, dict) else ""


def graph_refused(status: int, body: Mapping[str, object], what: str) -> GraphError:
    """Return what a Graph answer other than the one hoped for means; `what` names the request and its object."""
    code = error_code(body)
    request = _request_id(body)
    facts = ", ".join(fact for fact in (f"HTTP {status}", code, f"request id {request}" if request else "") if fact)
    return GraphError(f"Graph refused {what} ({facts})", _remedy(status, code))


def _remedy(status: int, code: str) -> str:
    if code == "Authorization_RequestDenied" or status == HTTPStatus.FORBIDDEN:
        return _CONSENT
    if status == HTTPStatus.UNAUTHORIZED:
        return "The token was refused even when fresh: entra.graph and entra.authority must be of the same cloud."
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
        return "Graph is busy or throttles this app: run again later, and not several at once."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Graph failed: run again; quote the request id to Microsoft if it persists."
    return "Check entra.graph in reconcile.yaml; if it is right, quote the request id to Microsoft."


_CONSENT: Final = (
    "The app needs the application permission User.Read.All of Microsoft Graph (with device-code: the delegated one),"
    " consented by an administrator: Entra admin center, App registrations, the app, API permissions,"
    " Add a permission, then `Grant admin consent`. A consent can take some minutes to be felt."
)
