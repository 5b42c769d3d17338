"""What the directory says of everybody who is to be tried, in a few searches; without it, what the last import said."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.account import Account
from reconciler.model.identity import Identity

from .facts import Party, Person
from .identity import Asked, asked
from .people import Subject
from .port import DelegationFacts
from .prove import Candidate


def candidates(
    people: Sequence[Subject], identity: Identity, as_of: str, facts: DelegationFacts | None
) -> list[Candidate]:
    """Return each with the name to ask for and the facts. `as_of` is the import's time. Raises DirectoryError."""
    seen = facts.parties(p.account.guid for p in people if p.account) if facts else {}
    known = {p.guest.id: _party(p.account, as_of, seen, read=facts is not None) for p in people}
    names = {p.guest.id: asked(identity, p.guest, known[p.guest.id] or _imported(p.account, as_of)) for p in people}
    by_upn = any(n.by_upn for n in names.values() if n)
    held = facts.named((n.name for n in names.values() if n), by_upn=by_upn) if facts else None
    return [Candidate(p, names[p.guest.id], _person(p, names[p.guest.id], known[p.guest.id], held)) for p in people]


def _person(
    subject: Subject, name: Asked | None, party: Party | None, held: dict[str, tuple[Party, ...]] | None
) -> Person:
    upn = subject.guest.attributes.get("userPrincipalName")
    return Person(
        guest=subject.guest.id,
        entra_upn=upn if isinstance(upn, str) else None,
        name=name.name if name else "",
        by_upn=name.by_upn if name else True,
        party=party,
        joined=subject.account.sid if subject.account else None,
        holders=held.get(name.name, ()) if held is not None and name else None,
    )


def _party(account: Account | None, as_of: str, seen: dict[str, Party], *, read: bool) -> Party | None:
    if account is None:
        return None
    return seen.get(account.guid) if read else _imported(account, as_of)


def _imported(account: Account | None, as_of: str) -> Party | None:
    if account is None:
        return None
    values = {name: account.attributes.get(name) for name in ("sAMAccountName", "userPrincipalName")}
    sam, upn = (str(v) if v is not None else None for v in values.values())
    return Party(
        sid=account.sid,
        dn=account.dn.text,
        sam=sam,
        upn=upn,
        uac=account.uac or None,
        protected_users="Protected Users" in account.protected,
        deleted=account.missing is not None,
        imported=as_of,
    )
