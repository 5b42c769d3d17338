"""The page itself, fetched as the guest: Negotiate (RFC 4559) with a ticket that the connector obtained."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import UsageError

from .kdc import Refusal, Step
from .port import Page, RefusedError
from .tickets import Connector

_TIMEOUTS = (10.0, 30.0)
_OK, _REDIRECT, _ERROR = 200, 300, 400


@dataclass(frozen=True, slots=True)
class Site:
    """One page. `header` is the response header in which the application says whom it saw. `trust`: a PEM file, or the usual roots."""

    url: str
    header: str | None
    trust: str | bool

    @staticmethod
    def of(url: str, header: str | None, env: Mapping[str, str]) -> Site:
        """Return the page, with the roots that the environment names; UsageError for anything but a plain URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            # A name and password in it would take the ticket's place.
            raise UsageError(f"Not a page's URL: {url}", "Write it as https://app.contoso.test/, without a name in it.")
        return Site(url, header, env.get("REQUESTS_CA_BUNDLE") or env.get("CURL_CA_BUNDLE") or True)


def fetch(site: Site, connector: Connector, name: str, *, by_upn: bool, spn: str) -> Page:
    """Fetch the page; raise RefusedError where there is no answer, the answer is not the page, or it would come without a ticket too.

    No redirect is followed and no .netrc read: the ticket goes to this URL and nowhere else.
    """
    context, token = connector.begin(connector.guest(name, by_upn=by_upn), spn)
    with _get(site, {"Authorization": f"Negotiate {base64.b64encode(token).decode()}"}) as answer:
        proven, wrong = _proven(answer.headers.get("WWW-Authenticate", ""), connector, context)
        if not _OK <= answer.status_code < _REDIRECT:
            raise RefusedError(Refusal(Step.PAGE, answer.status_code, _words(site, answer, wrong)))
        page = Page(answer.status_code, proven, answer.headers.get(site.header) if site.header else None)
    if site.header and page.user is None:
        words = f"{site.url} answered {page.status} without the header {site.header}"
        raise RefusedError(Refusal(Step.PAGE, page.status, words))
    if not page.proven and page.user is None:
        with _get(site, {}) as answer:
            if _OK <= answer.status_code < _REDIRECT:
                words = f"{site.url} answers {answer.status_code} without a ticket, too"
                raise RefusedError(Refusal(Step.PAGE, answer.status_code, words))
    return page


@contextmanager
def _get(site: Site, headers: Mapping[str, str]) -> Iterator[Any]:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(
                site.url, headers=headers, verify=site.trust, allow_redirects=False, timeout=_TIMEOUTS, stream=True
            )
        except requests.RequestException as error:
            raise RefusedError(Refusal(Step.PAGE, 0, f"{site.url}: {error}")) from error
        with answer:
            yield answer


def _words(site: Site, answer: Any, wrong: str) -> str:
    said = f"{site.url} answered {answer.status_code} {answer.reason or ''}".rstrip()
    if _REDIRECT <= answer.status_code < _ERROR:
        return f"{said} to {answer.headers.get('Location', 'nowhere')}, which is not followed: name the page itself"
    return f"{said}, and says of the ticket: {wrong}" if wrong else said


def _proven(header: str, connector: Connector, context: Any) -> tuple[bool, str]:
    scheme, _, text = header.partition(" ")
    if scheme.casefold() != "negotiate" or not text.strip():
        return False, ""
    try:
        answer = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        return False, ""
    return connector.finished(context, answer)
