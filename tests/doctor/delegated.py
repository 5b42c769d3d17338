"""A writing account with rights of the test's choosing on a fresh OU, and what the doctor sees of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from reconciler.demo.samba import Controller, Login
from reconciler.demo.samba.rights import DEFAULT_POLICY, writer_rights, written
from reconciler.directory.ldap.dial import Endpoint, Simple, dial
from reconciler.directory.ldap.root import naming
from reconciler.directory.ldap.session import Session
from reconciler.directory.ldap.tls import context
from reconciler.doctor.finding import Finding
from reconciler.doctor.rights import look
from reconciler.doctor.rights.access import Token
from reconciler.doctor.rights.judge import writer
from reconciler.doctor.rights.names import Names
from reconciler.doctor.rights.seen import Places, Seen
from reconciler.model.dn import DN
from reconciler.policy.model import Policy
from tests.policy.policies import DEFAULT, load
from tests.support.samba import fresh_ou

Rights = Mapping[str, str]
_NAMES: dict[int, Names] = {}


@dataclass(frozen=True, slots=True)
class Delegated:
    """An account and the OU that is its own: `rights` are the documented entries, in SDDL, by what they are for."""

    controller: Controller
    login: Login
    sid: str
    ou: DN
    rights: Rights

    @property
    def name(self) -> str:
        return self.login.user.partition("@")[0]

    @property
    def policy(self) -> Policy:
        return load(DEFAULT.replace("OU=Guests,DC=contoso,DC=test", self.ou.text), (self.ou,))

    @property
    def places(self) -> Places:
        policy = self.policy
        targets = [self.ou, *(p.ou for p in policy.placement), policy.lifecycle.left_move]
        return Places(DN(self.controller.base), (self.ou,), tuple(dict.fromkeys(filter(None, targets))))

    def grant(self, dn: DN | str, *entries: str) -> None:
        self.controller.grant(str(dn), "".join(entries))

    def findings(self) -> dict[str, Finding]:
        """What the doctor says of it, signed in as it."""
        with session(self.controller, self.login) as mine:
            return judged(self, mine, look.own_token(mine, naming(mine)))

    def from_outside(self, by: Login) -> dict[str, Finding]:
        """What the doctor says of it, signed in as another."""
        with session(self.controller, by) as theirs:
            return judged(self, theirs, look.token_of(theirs, naming(theirs), self.name))


def judged(account: Delegated, at: Session, token: Token) -> dict[str, Finding]:
    return {f.check.id: f for f in writer(seen(account, at, token), account.policy)}


def seen(account: Delegated, at: Session, token: Token) -> Seen:
    known = _NAMES.get(id(account.controller)) or _NAMES.setdefault(id(account.controller), look.names(at, naming(at)))
    names = Names(known.attributes, known.guids, look.sid_names(at, naming(at), token.sids))
    return look.seen(at, naming(at), token, names, account.places)


@contextmanager
def session(controller: Controller, login: Login) -> Iterator[Session]:
    trusted = context(controller.ca_file)
    opened = dial(Endpoint.parse(controller.url), trusted, Simple(login.user, login.password), read_only=True)
    try:
        yield opened
    finally:
        opened.close()


def delegated(
    controller: Controller, change: Callable[[dict[str, str], str], Mapping[str, str]] = lambda rights, _: rights
) -> Delegated:
    """Make an account; `change` gets the documented rights and its SID, and returns those to grant. There is a user below the OU."""
    login = controller.reader(f"w{os.urandom(5).hex()}")
    name = login.user.partition("@")[0]
    ou = fresh_ou(controller)
    with controller.administrator() as administrator:
        administrator.ou(f"OU=Fabrikam,{ou}")
        sid = administrator.sid(f"CN={name},CN=Users,{controller.base}")
        rights = writer_rights(sid, administrator.schema_ids(written(DEFAULT_POLICY)))
        administrator.user(f"CN=guest,{ou}", {"sAMAccountName": f"g{name}"})
    granted = change(dict(rights), sid)
    if granted:
        controller.grant(ou.text, "".join(granted.values()))
    return Delegated(controller, login, sid, ou, rights)
