"""From settings and environment to a directory: controllers in order, verified TLS, one sign-in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from reconciler.errors import DirectoryUnavailableError, SettingsError
from reconciler.model.dn import DN
from reconciler.model.schema import Attribute, attribute
from reconciler.model.settings import Settings

from .port import DirectoryReader, DirectoryWriter

if TYPE_CHECKING:
    from reconciler.verify.port import DelegationFacts

    from .ldap.dial import Credentials
    from .ldap.reader import LdapReader

USER = "RECONCILE_LDAP_USER"
PASSWORD = "RECONCILE_LDAP_PASSWORD"  # noqa: S105  the variable's name


class Ask(Protocol):
    """A person who answers, "" where they do not. What is `secret` is not shown while they type."""

    def __call__(self, prompt: str, *, secret: bool) -> str:
        """Ask, and return the answer."""
        ...


Kinds = Callable[[str], Attribute]
_Reader = TypeVar("_Reader", bound="LdapReader")


def open_reader(
    settings: Settings,
    env: Mapping[str, str],
    ask: Ask | None,
    controller: str | None = None,
    kinds: Kinds = attribute,
) -> DirectoryReader:
    """Return a connection that cannot write, to the first controller that answers, or to `controller` alone.

    Signs in with RECONCILE_LDAP_USER and RECONCILE_LDAP_PASSWORD from `env`, or with what `ask` (None without a
    terminal; it must not echo) returns for a prompt; with `bind: gssapi`, with the tickets of the credential cache.
    `kinds` says of what kind an attribute is; the policy knows the domain's own.
    Raises SettingsError, or DirectoryUnavailableError saying why each controller was not used.
    """
    from .ldap.reader import LdapReader

    return _open(LdapReader, settings, env, ask, controller, kinds, read_only=True)


def open_writer(
    settings: Settings,
    env: Mapping[str, str],
    ask: Ask | None,
    controller: str | None = None,
    kinds: Kinds = attribute,
) -> DirectoryWriter:
    """Return a connection that can write; otherwise like `open_reader`."""
    from .ldap.writer import LdapWriter

    return _open(LdapWriter, settings, env, ask, controller, kinds, read_only=False)


def open_delegation(settings: Settings, env: Mapping[str, str], ask: Ask | None) -> DelegationFacts:
    """Return what reads the facts of delegation, over a connection that cannot write; otherwise like `open_reader`."""
    from .ldap.delegation import Delegation

    return _open(Delegation, settings, env, ask, None, attribute, read_only=True)


def _open(
    kind: type[_Reader],
    settings: Settings,
    env: Mapping[str, str],
    ask: Ask | None,
    controller: str | None,
    kinds: Kinds,
    *,
    read_only: bool,
) -> _Reader:
    from .ldap.dial import Endpoint, dial
    from .ldap.tls import context

    urls = _controllers(settings, controller)
    ca_file = settings.directory.ca_file
    trusted = context(Path(settings.root, ca_file) if ca_file else None)
    account = credentials(settings, env, ask)
    failures: list[DirectoryUnavailableError] = []
    for url in urls:
        try:
            session = dial(Endpoint.parse(url), trusted, account, read_only=read_only)
        except DirectoryUnavailableError as error:
            if error.code is not None:  # a refused sign-in: trying it on every controller would lock the account out
                raise
            failures.append(error)
            continue
        catalog = Endpoint.parse(url, catalog=True)
        with ExitStack() as unfinished:
            unfinished.callback(session.close)
            reader = kind(session, partial(dial, catalog, trusted, account, read_only=True), kinds)
            _same_domain(url, reader.base, settings.directory.base)
            unfinished.pop_all()
        return reader
    if len(failures) == 1:
        raise failures[0]
    raise DirectoryUnavailableError("No domain controller can be used\n" + "\n".join(map(str, failures)))


def _same_domain(url: str, served: DN, wanted: DN) -> None:
    if served != wanted:
        raise SettingsError(
            f"{url} serves the domain {served}, and directory.base in reconcile.yaml says {wanted}.",
            "Correct directory.base or directory.controllers.",
        )


def _controllers(settings: Settings, controller: str | None) -> tuple[str, ...]:
    known = settings.directory.controllers
    if not known:
        raise SettingsError("reconcile.yaml names no domain controller.", "List one in directory.controllers.")
    if controller is None:
        return known
    if controller not in known:  # it comes from the tree: it must not say where the password is sent
        raise SettingsError(
            f"The domain controller {controller!r} is not among directory.controllers in reconcile.yaml.",
            "Import again from one that is.",
        )
    return (controller,)


def credentials(settings: Settings, env: Mapping[str, str], ask: Ask | None) -> Credentials:
    """Return what to sign in with, as `open_reader` does; raise SettingsError where something is missing."""
    from .ldap.dial import Gssapi, Simple

    if settings.directory.bind == "gssapi":
        return Gssapi(env.get("KRB5CCNAME"))
    if settings.directory.bind != "simple":
        raise SettingsError(f"directory.bind is {settings.directory.bind!r}.", "Write `simple` or `gssapi`.")
    user = _given(USER, env, ask, "User name for the directory: ", secret=False)
    return Simple(user, _given(PASSWORD, env, ask, f"Password of {user}: ", secret=True))


def _given(name: str, env: Mapping[str, str], ask: Ask | None, prompt: str, *, secret: bool) -> str:
    value = env.get(name) or (ask(prompt, secret=secret) if ask else "")
    if not value:  # an empty password would be an anonymous bind, which succeeds (RFC 4513, 5.1.2)
        raise SettingsError(f"{name} is not set.", f"Set {name} in the environment, or run in a terminal.")
    return value
