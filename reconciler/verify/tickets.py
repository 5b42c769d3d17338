"""Tickets through GSSAPI, as a connector gets them: its own, one in the guest's name, one for the service.

One mechanism from the first credential to the last token: a credential that lacks the mechanism asked for is silently
replaced by the default cache's, and the service sees somebody else ([RFC 2743] 2.4.1 allows it). `verify/alone.py` sees to it that
there is nobody to be replaced by.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from reconciler.errors import ReconcileError

from .alone import memory
from .kdc import Refusal, Step
from .port import RefusedError
from .principals import component

_TABLE = 1765328384
"""MIT's error table for Kerberos begins at -1765328384: an error is this far above its protocol number."""
_ENTERPRISE = "1.2.840.113554.1.2.2.6"
"""KRB5_NT_ENTERPRISE_PRINCIPAL (RFC 6806, 5) as a GSS name type: a UPN that need not end in a realm."""
KRB5, SPNEGO = "1.2.840.113554.1.2.2", "1.3.6.1.5.5.2"
_INSTALL = "Install reconcile with its extra `kerberos` (see Install in README.md); it needs a C compiler and the Kerberos headers."


@dataclass(frozen=True, slots=True)
class Source:
    """Where the connector's identity comes from: a keytab or a credential cache, and which principal of it (None: the first)."""

    keytab: str | None = None
    cache: str | None = None
    principal: str | None = None

    def __str__(self) -> str:
        return f"keytab {self.keytab}" if self.keytab else f"cache {self.cache}"


def library() -> Any:
    """Return python-gssapi; raise ReconcileError where it, or what it needs, is not there."""
    try:
        gssapi = import_module("gssapi")
    except (ImportError, OSError) as error:
        raise ReconcileError("This needs the Python package gssapi, which is not installed.", _INSTALL) from error
    if not hasattr(gssapi.raw, "acquire_cred_impersonate_name"):
        raise ReconcileError(
            "This system's Kerberos library cannot act for others (no S4U extensions).",
            "Run it where MIT Kerberos 1.20 or later is: a Linux machine, or Windows with MIT Kerberos for Windows.",
        )
    return gssapi


class Connector:
    """The connector's credentials for one mechanism, in memory. Use it within `alone`."""

    def __init__(self, source: Source, realm: str, mechanism: str = KRB5) -> None:
        self._gss = library()
        self._realm = realm
        self._mech = self._gss.OID.from_int_seq(mechanism)
        self._credentials = self._sign_in(source)
        self.principal = str(self._credentials.name)

    def _sign_in(self, source: Source) -> Any:
        own = {"ccache": memory()}
        name = None
        if source.principal:
            full = source.principal if "@" in source.principal else f"{source.principal}@{self._realm}"
            name = self._gss.Name(full, self._gss.NameType.kerberos_principal)
        try:
            if source.keytab:
                store = own | {"client_keytab": source.keytab}
                found = self._gss.Credentials(name=name, usage="initiate", mechs=[self._mech], store=store)
            else:
                # Into memory first, or the tickets obtained here would end up in their cache. Kerberos alone can store.
                krb5 = self._gss.OID.from_int_seq(KRB5)
                theirs = self._gss.Credentials(
                    name=name, usage="initiate", mechs=[krb5], store={"ccache": source.cache}
                )
                theirs.store(usage="initiate", mech=krb5, overwrite=True, store=own)
                found = self._gss.Credentials(usage="initiate", mechs=[self._mech], store=own)
            found.inquire(lifetime=False)
        except self._gss.exceptions.GSSError as error:
            raise self._refused(Step.CONNECTOR, error) from error
        return found

    def forwardable(self) -> bool:
        """Whether the ticket-granting ticket is: only then can it be passed on, here to the KDC that issued it."""
        target = f"krbtgt/{self._realm}@{self._realm}"
        flags = [self._gss.RequirementFlag.delegate_to_peer, self._gss.RequirementFlag.mutual_authentication]
        context = self._context(self._credentials, target, flags, Step.CONNECTOR)
        try:
            context.step()
        except self._gss.exceptions.GSSError as error:
            raise self._refused(Step.CONNECTOR, error) from error
        return bool(context.actual_flags & self._gss.RequirementFlag.delegate_to_peer)

    def guest(self, name: str, *, by_upn: bool) -> Any:
        """Return credentials in the guest's name (S4U2Self, [MS-SFU] 3.1.5.1)."""
        if by_upn:
            wanted = self._gss.Name(component(name), self._gss.OID.from_int_seq(_ENTERPRISE))
        else:
            wanted = self._gss.Name(f"{component(name)}@{self._realm}", self._gss.NameType.kerberos_principal)
        try:
            found = self._credentials.impersonate(wanted, mechs=[self._mech], usage="initiate")
            found.inquire(lifetime=False)
        except self._gss.exceptions.GSSError as error:
            raise self._refused(Step.GUEST, error) from error
        return found

    def begin(self, guest: Any, spn: str) -> tuple[Any, bytes]:
        """Return a security context with the service, and its first token (S4U2Proxy, [MS-SFU] 3.1.5.2)."""
        flags = [self._gss.RequirementFlag.mutual_authentication]
        context = self._context(guest, f"{spn}@{self._realm}", flags, Step.SERVICE)
        try:
            return context, bytes(context.step())
        except self._gss.exceptions.GSSError as error:
            raise self._refused(Step.SERVICE, error) from error

    def finished(self, context: Any, answer: bytes) -> tuple[bool, str]:
        """Return whether the service's answer proves that it holds the service's key, else what it says is wrong."""
        try:
            context.step(answer)
            return bool(context.complete), ""
        except (
            self._gss.exceptions.GSSError
        ) as error:  # a service may answer with the reason (RFC 4121, 4.1: KRB_ERROR)
            return False, self._words(error)

    def impersonate(self, name: str, *, by_upn: bool, spn: str) -> str:
        """Obtain both tickets; return the name in them."""
        guest = self.guest(name, by_upn=by_upn)
        self.begin(guest, spn)
        return str(guest.name)

    def _context(self, credentials: Any, target: str, flags: list[Any], step: Step) -> Any:
        try:
            wanted = self._gss.Name(target, self._gss.NameType.kerberos_principal)
            return self._gss.SecurityContext(
                name=wanted, creds=credentials, mech=self._mech, usage="initiate", flags=flags
            )
        except self._gss.exceptions.GSSError as error:
            raise self._refused(step, error) from error

    def _refused(self, step: Step, error: Any) -> RefusedError:
        return RefusedError(Refusal(step, (error.min_code + _TABLE) % 2**32, self._words(error)))

    @staticmethod
    def _words(error: Any) -> str:
        said = [*error.get_all_statuses(error.min_code, False)] or [str(error)]
        return "; ".join(dict.fromkeys(words.rstrip("\0").strip() for words in said))
