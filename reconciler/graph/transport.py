"""HTTPS as both the sign-in and Graph need it: trust decided once, retries bounded, redirects never followed.

What `requests` would take from its surroundings is decided here instead: `verify=` is always explicit, because
REQUESTS_CA_BUNDLE otherwise overrides it; `.netrc` is never read, because it would replace the bearer token. Proxies
(HTTPS_PROXY, NO_PROXY) keep working as everywhere else.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from math import ceil
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import BaseHTTPResponse, Retry
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, LocationParseError, MaxRetryError, ResponseError
from urllib3.util import parse_url

from reconciler import __version__
from reconciler.errors import GraphError, SettingsError

BUSY: Final = frozenset({429, 503, 504})
"""Statuses that ask to come back later."""

LONGEST_WAIT: Final = 300.0
"""Seconds. Whoever asks for more patience than this gets an error, not a sleeping job."""

_HTTPS: Final = 443
_REPEATS: Final = 3
_FRACTION: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}")
_TUNNEL: Final = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
_NOT_NOW: Final = (9, 10)
"""X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED."""
_TIMEOUTS: Final = (10.0, 100.0)
_USER_AGENT: Final = f"reconcile/{__version__}"


class Patience(Retry):
    """Retries busy answers after what they ask for, and lost connections three times; gives up on longer waits.

    A wait that cannot be read (RFC 9110, 10.2.3) counts as none asked for.
    """

    @staticmethod
    def bounded() -> Patience:
        """Return the one configuration in use."""
        return Patience(
            total=8,
            connect=3,
            read=3,
            status=6,
            other=0,  # an untrusted certificate does not become trusted
            redirect=0,
            status_forcelist=BUSY,
            allowed_methods=frozenset({"GET", "POST"}),  # every POST here is a read or a sign-in
            backoff_factor=0.5,
            raise_on_status=False,
        )

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Return the seconds that an answer asks to wait, rounded up; None where it does not say, or not in a known form."""
        text = response.headers.get("Retry-After", "").strip()
        if _FRACTION.fullmatch(text):
            return float(ceil(float(text)))
        try:
            return super().get_retry_after(response)
        except InvalidHeader:
            return None

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        """Return the next state; raise MaxRetryError, which hands back the answer, when the wait is too long."""
        if response is not None and _pool is not None and (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            raise MaxRetryError(_pool, url or "", ResponseError("asks to wait too long"))
        return super().increment(method, url, response, error, _pool, _stacktrace)


class Transport(requests.Session):
    """A session that trusts exactly `trust` (a PEM file, a folder of them, or True for certifi's roots)."""

    def __init__(self, trust: str | bool) -> None:
        super().__init__()
        self.trust = trust
        self.auth = _unchanged
        self.headers["User-Agent"] = _USER_AGENT
        self.adapters.clear()  # nothing goes out without TLS
        self.mount("https://", HTTPAdapter(max_retries=Patience.bounded()))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, whatever the environment says about certificates; again where the answer broke off.

        That is beyond what urllib3 repeats: it hands an answer over before its body has been read. The same methods are
        repeated, and no others: what the first attempt did is not known.
        """
        kwargs["verify"] = self.trust
        kwargs["timeout"] = kwargs.get("timeout") or _TIMEOUTS
        for _ in range(_REPEATS if self._may_repeat(request) else 0):
            try:
                return super().send(request, **kwargs)
            except requests.RequestException as error:
                if not _broke_off(error):
                    raise
        return super().send(request, **kwargs)

    def _may_repeat(self, request: requests.PreparedRequest) -> bool:
        adapter = self.get_adapter(request.url or "")
        methods = adapter.max_retries.allowed_methods if isinstance(adapter, HTTPAdapter) else None
        return request.method in (methods or ())

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002  the library's signature
        """Follow nothing: a token or a secret must not go where an answer points."""
        return None


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def trust(ca_file: str | None, root: str, env: Mapping[str, str]) -> str | bool:
    """Return whom to trust: `ca_file` (relative to `root`), else the environment's bundle, else the system's roots.

    Raises SettingsError when the file named is not there or holds no certificates.
    """
    for name, source in ((ca_file, "entra.ca_file"), *((env.get(key), key) for key in _BUNDLES)):
        if name:
            path = Path(root, name) if source == "entra.ca_file" else Path(name)
            _check_bundle(path, source)
            return str(path)
    system = ssl.get_default_verify_paths()
    if system.cafile:
        return system.cafile
    folder = Path(system.capath) if system.capath else None
    return str(folder) if folder and any(folder.iterdir()) else True


_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def _check_bundle(path: Path, source: str) -> None:
    if path.is_dir():
        return
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one
        why = "holds no PEM certificates" if isinstance(error, ssl.SSLError) else error.strerror or "cannot be read"
        raise SettingsError(
            f"{source}: {path}: {why}", f"Point {source} at a PEM file with the roots to trust, or unset it."
        ) from error


def https_origin(url: str, source: str) -> str:
    """Return the origin of a URL from the settings; raise SettingsError, naming `source`, when it has none."""
    found = origin(url)
    if found is None:
        raise SettingsError(
            f"{source}: {url!r} is not an https:// URL",
            "A credential only ever travels over TLS: write it as https://host.",
        )
    return found


def origin(url: str) -> str | None:
    """Return `https://host[:port]` of an address as `requests` will read it, None where it is not one of that kind."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        return None
    if parts.scheme != "https" or not parts.host or parts.auth is not None:
        return None
    return f"https://{parts.host}" + (f":{parts.port}" if parts.port not in (None, _HTTPS) else "")


def explain(error: requests.RequestException, url: str) -> GraphError:
    """Return what a failed exchange with the host of `url` means to a person."""
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port}" if parts.port else f"{parts.hostname}"
    cause = next(_causes(error), "")
    detail = f": {cause}" if cause else ""
    if isinstance(error, requests.exceptions.SSLError) and not _broke_off(error):
        return _no_tls(error, host, detail)
    if isinstance(error, requests.exceptions.InvalidProxyURL | requests.exceptions.InvalidSchema):
        return GraphError(
            f"The proxy on the way to {host} cannot be used", "Write HTTPS_PROXY as http://host:port, or unset it."
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return GraphError(
            f"The proxy refused the way to {host}{detail}", _PROXY.get(cause, "Check HTTPS_PROXY and NO_PROXY.")
        )
    if _broke_off(error):
        return GraphError(
            f"An answer of {host} was cut off before its end{detail}", "Nothing was taken from it: run again."
        )
    if isinstance(error, requests.Timeout):
        return GraphError(
            f"{host} did not answer in time", "Run again; if it persists, check the network and the proxy."
        )
    return GraphError(
        f"{host} cannot be reached{detail}", "Check its name in reconcile.yaml, the network and the proxy."
    )


def _no_tls(error: requests.RequestException, host: str, detail: str) -> GraphError:
    refused = [each for each in _chain(error) if isinstance(each, ssl.SSLCertVerificationError)]
    if any(each.verify_code in _NOT_NOW for each in refused):
        return GraphError(
            f"The TLS certificate of {host} is not valid now{detail}",
            "If this machine's clock is right, it must be renewed by whoever runs that host, or the proxy on the way.",
        )
    if refused:
        return GraphError(
            f"The TLS certificate of {host} is not trusted{detail}",
            "If a private authority or an inspecting proxy issued it, name a PEM file with its root as entra.ca_file.",
        )
    return GraphError(
        f"{host} cannot be spoken to over TLS{detail}",
        "Check its address in reconcile.yaml, and the proxy: something other than HTTPS may answer there.",
    )


_PROXY: Final = {"HTTP 407": "It asks who you are: write HTTPS_PROXY as http://name:password@host:port."}


def _broke_off(error: requests.RequestException) -> bool:
    """Whether the other side began, or accepted the connection, and then went away."""
    if isinstance(error, requests.exceptions.SSLError):
        return any(isinstance(each, ssl.SSLEOFError | ssl.SSLZeroReturnError) for each in _chain(error))
    return isinstance(error, requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError)


def _causes(error: BaseException) -> Iterator[str]:
    """Yield what the innermost errors say of themselves; never a library's text, which quotes whole URLs."""
    for current in _chain(error):
        if isinstance(current, ssl.SSLCertVerificationError) and current.verify_message:
            yield current.verify_message
        elif isinstance(current, ssl.SSLError) and current.reason:
            yield current.reason.lower().replace("_", " ")
        elif isinstance(current, OSError) and current.strerror:
            yield current.strerror
        elif tunnel := _TUNNEL.match(str(current)):
            yield f"HTTP {tunnel[1]}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
