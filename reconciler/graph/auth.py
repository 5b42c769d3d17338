"""Signing in to Entra: one source of bearer tokens per kind of credential. Tokens live in memory only."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote

import requests

from reconciler.errors import GraphError, SettingsError
from reconciler.model.settings import Entra

from .refusals import sign_in_refused
from .transport import Transport, explain, https_origin, origin

logging.getLogger("msal").addHandler(logging.NullHandler())  # or its warnings would go to standard error

PERMISSION: Final = "User.Read.All"
"""The one permission of Microsoft Graph this program asks for."""

_TOKEN: Final = re.compile(r"[ -~]+")
_USER_CODE: Final = re.compile(r"[A-Za-z0-9-]{1,40}")


class TokenSource(Protocol):
    """Gives bearer tokens for Graph, renewing them before they expire."""

    def token(self, *, renew: bool = False) -> str:
        """Return a token that is valid now; with `renew`, a new one whatever is in memory.

        Raises GraphError when Entra refuses, SettingsError when the credential cannot be read.
        """
        ...


def sign_in(entra: Entra, env: Mapping[str, str], session: Transport, say: Callable[[str], None]) -> TokenSource:
    """Return the token source for `entra.credential`. Nothing is sent before the first token is asked for.

    `env` holds the secrets; `say` is given the line a person must act on (device-code). Raises SettingsError when a
    variable is missing or a file cannot be used.
    """
    graph = https_origin(entra.graph, "entra.graph")
    https_origin(entra.authority, "entra.authority")
    scope = f"{graph}/.default"
    match entra.credential:
        case "secret":
            return _App(entra, session, _required(env, "RECONCILE_ENTRA_SECRET", entra), scope)
        case "certificate":
            from .certificate import load  # cryptography costs 100 ms, and only this kind needs it

            file = Path(_required(env, "RECONCILE_ENTRA_CERTIFICATE", entra))
            return _App(entra, session, load(file, env.get("RECONCILE_ENTRA_CERTIFICATE_PASSWORD", "")), scope)
        case "federated":
            from .federated import assertion

            return _App(entra, session, {"client_assertion": assertion(env, session, entra.authority)}, scope)
        case "device-code":
            return _Person(entra, session, PERMISSION, say)
        case "azure":
            from .azure import AzureTokens

            return AzureTokens(entra, scope)
    raise SettingsError(
        f"entra.credential: {entra.credential!r} is not known",
        "Use secret, certificate, federated, device-code or azure.",
    )


def _required(env: Mapping[str, str], name: str, entra: Entra) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(f"entra.credential is {entra.credential}, and {name} is not set", f"Set {name}.")
    return value


class _App:
    """Client credentials (RFC 6749, 4.4) by secret, certificate or assertion."""

    def __init__(self, entra: Entra, session: Transport, credential: object, scope: str) -> None:
        self._entra = entra
        self._wire = _Wire(entra, session)
        self._credential = credential
        self._scope = scope
        self._app: Any = None

    def token(self, *, renew: bool = False) -> str:
        if self._app is None:
            self._app = _application("ConfidentialClientApplication", self._entra, self._wire, self._credential)
        elif renew:
            self._app.remove_tokens_for_client()
        return _access_token(
            _acquired(self._entra, lambda: self._app.acquire_token_for_client([self._scope])), self._entra
        )


class _Person:
    """The device authorization grant (RFC 8628): a person signs in with a browser, anywhere."""

    def __init__(self, entra: Entra, session: Transport, scope: str, say: Callable[[str], None]) -> None:
        self._entra = entra
        self._wire = _Wire(entra, session)
        self._scope = scope
        self._say = say
        self._app: Any = None

    def token(self, *, renew: bool = False) -> str:
        if self._app is None:
            self._app = _application("PublicClientApplication", self._entra, self._wire, None)
        for account in self._app.get_accounts()[:1]:
            silently = partial(self._app.acquire_token_silent, [self._scope], account, force_refresh=renew)
            answer = _acquired(self._entra, silently)
            if answer:
                return _access_token(answer, self._entra)
        flow = self._begin()
        self._say(f"To sign in, open {flow['verification_uri']} and enter the code {flow['user_code']}")
        return _access_token(_acquired(self._entra, lambda: self._app.acquire_token_by_device_flow(flow)), self._entra)

    def _begin(self) -> dict[str, Any]:
        try:
            flow: dict[str, Any] = self._app.initiate_device_flow([self._scope])
        except ValueError as error:
            raise _no_sign_in(self._entra) from error
        page, code = flow.get("verification_uri"), flow.get("user_code")
        if not isinstance(page, str) or not isinstance(code, str) or not flow.get("device_code"):
            raise sign_in_refused(flow, self._entra.tenant, self._entra.client_id)
        if not page.isprintable() or not origin(page) or not _USER_CODE.fullmatch(code):
            raise _no_sign_in(self._entra)
        return flow


def _application(kind: str, entra: Entra, wire: _Wire, credential: object) -> Any:
    import msal  # 200 ms that no offline command should pay

    try:
        return getattr(msal, kind)(
            entra.client_id,
            client_credential=credential,
            authority=f"{entra.authority.rstrip('/')}/{quote(entra.tenant, safe='')}",
            instance_discovery=False,  # the settings say whom to trust: no public host is asked about it
            azure_region=False,
            http_client=wire,
        )
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:  # what msal makes of a document that is not one
        raise _no_sign_in(entra) from error


def _no_sign_in(entra: Entra) -> GraphError:
    what = f"{entra.authority} describes no {entra.credential} sign-in for tenant {entra.tenant}"
    return GraphError(what, "Check entra.authority and entra.tenant.")


def _acquired(entra: Entra, acquire: Callable[[], Any]) -> Any:
    """Return what msal makes of the token endpoint's answer; raise GraphError for one that it cannot read."""
    try:
        return acquire()
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise _no_token(entra) from error


def _no_token(entra: Entra) -> GraphError:
    what = f"{entra.authority} answered the sign-in with something that is no token"
    return GraphError(what, "Check entra.authority; a proxy or a captive portal may have answered in its place.")


def _access_token(answer: Mapping[str, object], entra: Entra) -> str:
    token = answer.get("access_token")
    if isinstance(token, str) and token:
        if not _TOKEN.fullmatch(token):
            raise _no_token(entra)
        return token
    raise sign_in_refused(answer, entra.tenant, entra.client_id)


class _Wire:
    """What msal sends through. It hands msal JSON objects only, since msal logs anything else word for word."""

    def __init__(self, entra: Entra, session: Transport) -> None:
        self._entra = entra
        self._session = session

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        response = self._exchange("GET", url, **kwargs)
        if not response.ok:
            raise sign_in_refused(response.json(), self._entra.tenant, self._entra.client_id)
        return response

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        return self._exchange("POST", url, **kwargs)

    def close(self) -> None:
        """Leave the session open: it is not msal's."""

    def _exchange(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        try:
            response = self._session.request(method, url, **kwargs)
        except requests.RequestException as error:
            raise explain(error, url) from error
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise GraphError(f"Entra's sign-in is busy or failing (HTTP {status})", "Run again later.")
        try:
            understood = isinstance(json.loads(response.content), dict)
        except (ValueError, RecursionError):
            understood = False
        if not understood:
            raise GraphError(
                f"{https_origin(url, 'the sign-in')} answered with something other than a sign-in (HTTP {status})",
                "Check entra.authority; a proxy or a captive portal may have answered in its place.",
            )
        return response
