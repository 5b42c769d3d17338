"""One change, carried out step by step against a writer. Each step is announced before it is taken.

A create follows the order Microsoft documents (KB 269190): add disabled, set the password, enable; an interrupted one carries the
anchor and is recognised by it and by HALF_MADE, and finished.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.directory.port import DirectoryWriter, Entry, Modification
from reconciler.errors import NameTakenError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN, within
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Change
from reconciler.model.values import Value

from .checks import Expectations, StaleError, check_account, check_identity

_SHORTEST_NAME = 3
_ALPHABET = string.ascii_letters + string.digits + "!#$%&()*+,-./:;<=>?@[]^_{|}~"
_UAC = "userAccountControl"
_LAST_PARENT = "lastKnownParent"


@dataclass(frozen=True, slots=True)
class Hands:
    """What a step works with. `announce` records the intent and returns once it is on disk. `met` is told, by the change's
    key, which account a create made or found.
    """

    writer: DirectoryWriter
    attributes: Sequence[str]
    expect: Expectations
    announce: Callable[[Change, str], None]
    tried: Callable[[Change, str], bool]
    met: Callable[[str, Entry], None]


def carry_out(change: Change, guest: Guest, hands: Hands) -> bool:
    """Carry out one change; return False when it was already there. Raises StaleError or DirectoryError."""
    if change.action is Action.CREATE:
        return _create(change, guest, hands)
    if change.action is Action.RESTORE:
        return _restore(change, guest, hands)
    if change.guid is None:
        raise StaleError("the plan names no account for this change")
    entry = _reread(change, hands)
    if entry is None:
        return False
    if check_account(change, entry, guest, hands.expect):
        return False
    if change.action is Action.DELETE:
        hands.announce(change, "delete")
        hands.writer.delete(change.guid)
    elif change.to is not None:
        hands.announce(change, "move")
        hands.writer.move(change.guid, change.to)
    else:
        hands.announce(change, "modify")
        hands.writer.modify(change.guid, _modifications(change, entry))
    return True


def step_aside(change: Change, guest: Guest, hands: Hands) -> bool:
    """Give up a name for a moment: set every `via`. Return False when the account has done so, or is through already."""
    if change.guid is None or (entry := _reread(change, hands)) is None:
        raise StaleError("the account cannot be found")
    if check_account(change, entry, guest, hands.expect):
        return False
    held = {d.attribute: d for d in change.deltas if d.via is not None}
    if "cn" in held:
        to = entry.dn.parent.child("CN", str(held["cn"].via))
        if entry.dn == change.dn:
            hands.announce(change, "via")
            hands.writer.move(change.guid, to)
            return True
        return False
    moving = [Modification(n, d.before, d.via) for n, d in held.items() if entry.attributes.get(n) == d.before]
    if moving:
        hands.announce(change, "via")
        hands.writer.modify(change.guid, moving)
    return bool(moving)


def via_places(change: Change) -> frozenset[DN]:
    """Every DN this change may leave its account at, its first and its last included."""
    via = [change.dn.parent.child("CN", str(d.via)) for d in change.deltas if d.attribute == "cn" and d.via is not None]
    return frozenset([change.dn, *via, *([change.to] if change.to else [])])


def _reread(change: Change, hands: Hands) -> Entry | None:
    guid = change.guid or ""
    entry = hands.writer.find([guid], hands.attributes).get(guid)
    if entry is not None and not entry.deleted:
        return entry
    if change.action is Action.DELETE and (entry is not None or hands.tried(change, "delete")):
        return None
    raise StaleError("the account has been deleted" if entry else "the account cannot be found")


def _modifications(change: Change, entry: Entry) -> list[Modification]:
    return [
        Modification(d.attribute, entry.attributes.get(d.attribute), d.after)
        for d in change.deltas
        if entry.attributes.get(d.attribute) != d.after
    ]


def _create(change: Change, guest: Guest, hands: Hands) -> bool:
    entry = _half_made(change, guest, hands) if change.guid else hands.writer.read(change.dn, hands.attributes)
    if entry is None:
        hands.announce(change, "add")
        values = {n: v for n, v in _values(change).items() if n != _UAC}
        return _finish(change, hands.writer.add(change.dn, values), hands, made=True)
    check_identity(change, entry, guest, hands.expect.policy)
    return _finish(change, entry, hands)


def _restore(change: Change, guest: Guest, hands: Hands) -> bool:
    """Bring a deleted account back, marked and disabled in the same modify, then finish it like a half-made one."""
    if change.guid is None or change.to is None:
        raise StaleError("the plan names no account for this change")
    entry = hands.writer.find([change.guid], [*hands.attributes, _LAST_PARENT]).get(change.guid)
    if entry is None:
        raise StaleError("the deleted account is gone for good, or the writing account may not list deleted objects")
    if entry.recycled:
        raise StaleError("the deleted account cannot be brought back any more")
    if entry.sid != change.sid:
        raise StaleError(f"the object with this GUID has SID {entry.sid}")
    if not entry.deleted:
        check_identity(change, entry, guest, hands.expect.policy)
        if not within(entry.dn, hands.expect.ous):
            raise StaleError("the account is outside the configured OUs")
        if entry.protected:
            raise StaleError(f"the account is protected ({', '.join(entry.protected)})")
        bare = all(entry.attributes.get(n) in (None, v) for n, v in _values(change).items() if n != _UAC)
        if hands.tried(change, "reanimate") and bare:
            entry = _halved(change, hands)
        return _finish(change, entry, hands)
    home = entry.attributes.get(_LAST_PARENT)
    if not isinstance(home, str) or not within(DN(home), hands.expect.ous):
        raise StaleError("the account was not deleted from the configured OUs")
    if entry.protected:
        raise StaleError(f"the account is protected ({', '.join(entry.protected)})")
    anchor = hands.expect.policy.anchor.attribute
    hands.announce(change, "reanimate")
    hands.writer.reanimate(change.guid, change.to, {anchor: _values(change)[anchor], _UAC: HALF_MADE})
    return _finish(change, _halved(change, hands), hands)


def _halved(change: Change, hands: Hands) -> Entry:
    """Mark an account that was brought back as half-made: killed halfway on Samba, it has the flags it was deleted with."""
    guid = change.guid or ""
    flags = (hands.writer.find([guid], hands.attributes)[guid]).attributes.get(_UAC)
    if flags != HALF_MADE:
        hands.announce(change, "disable")
        hands.writer.modify(guid, [Modification(_UAC, flags, HALF_MADE)])
    return hands.writer.find([guid], hands.attributes)[guid]


def _finish(change: Change, entry: Entry, hands: Hands, *, made: bool = False) -> bool:
    """Complete, give a password, enable; return False when the account is as wanted already. `made`: only just now."""
    hands.met(change.key, entry)
    values = _values(change)
    final = values.pop(_UAC)
    held = entry.attributes
    missing = [] if made else [Modification(n, held.get(n), v) for n, v in values.items() if held.get(n) != v]
    if not made:
        if entry.protected:
            raise StaleError(f"the account is protected ({', '.join(entry.protected)})")
        if held.get(_UAC) == final and not missing:
            return False
        if held.get(_UAC) != HALF_MADE:
            raise StaleError("an account that carries this guest's anchor is there already, and not half-made")
    if missing:
        hands.announce(change, "complete")
        hands.writer.modify(entry.guid, missing)
    hands.announce(change, "password")
    hands.writer.set_password(entry.guid, _password(hands.expect.policy.initial.password_length, _names(change)))
    hands.announce(change, "enable")
    hands.writer.modify(entry.guid, [Modification(_UAC, HALF_MADE, final)])
    return True


def _values(change: Change) -> dict[str, Value]:
    """Return what a new account holds, userAccountControl among it."""
    return {d.attribute: d.after for d in change.deltas if not d.secret and d.after is not None}


def _half_made(change: Change, guest: Guest, hands: Hands) -> Entry:
    entry = _reread(change, hands)
    if entry is None:
        raise StaleError("the account cannot be found")
    check_account(change, entry, guest, hands.expect)
    return entry


def _names(change: Change) -> list[str]:
    """Return what AD lets no password contain, in any case: the account's name, and the parts of its display name ([MS-SAMR] 3.1.1.7.2)."""
    values = {d.attribute: str(d.after) for d in change.deltas if d.after is not None}
    parts = [values.get("sAMAccountName", ""), *re.split(r"[\s,.\-_#]+", values.get("displayName", ""))]
    return [part.casefold() for part in parts if len(part) >= _SHORTEST_NAME]


def _password(length: int, names: Sequence[str] = ()) -> str:
    """Return a random password that meets AD's complexity rule, from the operating system's generator.

    None of `names` (case-folded) is in it.
    """
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(length))
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        named = any(name in password.casefold() for name in names)
        if not named and all(any(c in kind for c in password) for kind in kinds):
            return password


def taken(error: NameTakenError) -> str:
    """Say what a name clash at apply means."""
    return f"{error.what} (somebody took the name after the import; the next plan shows it as a conflict)"
