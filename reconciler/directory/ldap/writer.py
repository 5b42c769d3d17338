"""The directory port's writing half. Nothing here decides whether an object should be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reconciler.directory.port import Entry, Modification
from reconciler.errors import DirectoryError, NameTakenError, NotFoundError, ValueMismatchError
from reconciler.model.dn import DN
from reconciler.model.values import Value

from . import decode
from .protected import Groups
from .refusals import (
    ALREADY_EXISTS,
    CONSTRAINT_VIOLATION,
    NO_SUCH_ATTRIBUTE,
    NO_SUCH_OBJECT,
    OTHER,
    TAKEN_REMEDY,
    UNWILLING,
    VALUE_EXISTS,
    WEAK_PASSWORD,
    Result,
    no_parent,
    refusal,
    visible,
)
from .session import ADD, DELETE, REPLACE, Change
from .undelete import Undelete

_USER = ("top", "person", "organizationalPerson", "user")
_UNIQUE = ("sAMAccountName", "userPrincipalName")
_SAM_OWNED = {"useraccountcontrol", "samaccountname"}
_SAM_REFUSALS = {CONSTRAINT_VIOLATION, UNWILLING, 65}
_MISMATCH_REMEDY = "Somebody else changed it since it was imported: import and plan afresh."


class LdapWriter(Undelete):
    """Writes single objects, over the connection it reads from."""

    def add(self, dn: DN, attributes: Mapping[str, Value]) -> Entry:
        """Create a user without userAccountControl, so that AD makes it disabled; return guid, sid and dn."""
        if any(name.casefold() == "useraccountcontrol" for name in attributes):
            raise DirectoryError(f"Adding {visible(dn.text)}: userAccountControl is set later, by modify.")
        result = self._session.add(dn.text, _USER, {name: decode.encode(v) for name, v in attributes.items()})
        if result.code:
            what = f"Adding {dn.text}"
            self._name_taken(what, result, attributes, dn=dn)
            if result.code == NO_SUCH_OBJECT:
                raise no_parent(what, result, dn)
            raise refusal(what, result)
        entries = self._entries(tuple(attributes), Groups())  # what was just made is in no group yet
        made = self._session.read(dn.text, entries.requested)
        if made is None:
            raise NotFoundError(
                f"{visible(dn.text)} was added and cannot be read.", "Give the account the right to read it."
            )
        return entries.entry(made)

    def set_password(self, guid: str, password: str) -> None:
        """Reset unicodePwd ([MS-ADTS] 3.1.1.3.1.5.1): quoted, UTF-16LE."""
        quoted = f'"{password}"'.encode("utf-16-le")
        result = self._session.modify(decode.guid_dn(guid), {"unicodePwd": [(REPLACE, [quoted])]})
        if result.code:
            raise refusal(f"Setting the password of {guid}", result)

    def modify(self, guid: str, modifications: Sequence[Modification]) -> None:
        """Apply all modifications in one LDAP modify, each compare-and-swap."""
        dn, what = decode.guid_dn(guid), f"Modifying {guid}"
        if any(isinstance(value, tuple) for m in modifications for value in (m.before, m.after)):
            # Deleting and adding single values would not notice further ones.
            self._compare(what, guid, modifications)
        result = self._session.modify(dn, {m.attribute: _swap(m) for m in modifications})
        if result.code in _SAM_REFUSALS and result.win32 != WEAK_PASSWORD and any(map(_sam_owned, modifications)):
            result = self._replace(what, guid, modifications, result)
        if result.code in (NO_SUCH_ATTRIBUTE, VALUE_EXISTS):
            self._compare(what, guid, modifications)
            raise _mismatch(what, result.raw)
        if result.code:
            self._name_taken(what, result, {m.attribute: m.after for m in modifications if m.after}, guid=guid)
            raise refusal(what, result)

    def move(self, guid: str, to: DN) -> None:
        """Rename or move the object to `to`."""
        what = f"Moving {guid} to {to.text}"
        result = self._session.rename(decode.guid_dn(guid), to.rdn.lstrip(" "), to.parent.text)
        if not result.code:
            return
        if result.code == ALREADY_EXISTS:
            raise NameTakenError(
                f"{visible(what)}: the name is taken ({result.raw})",
                TAKEN_REMEDY,
                code=result.code,
                diagnostic=visible(result.diagnostic),
            )
        if result.code in (OTHER, NO_SUCH_OBJECT) and not self.exists(to.parent):
            raise no_parent(what, result, to)
        raise refusal(what, result)

    def delete(self, guid: str) -> None:
        """Delete the object, which must be a leaf."""
        result = self._session.delete(decode.guid_dn(guid))
        if result.code:
            raise refusal(f"Deleting {guid}", result)

    def _replace(self, what: str, guid: str, modifications: Sequence[Modification], refused: Result) -> Result:
        """Swap what the SAM owns by comparing first and replacing then.

        For a server that takes no deletion of such an attribute ([MS-ADTS] 3.1.1.5.3 leaves it open). What somebody
        else writes between the comparison and the replacement is lost, which is why this is not the first way.
        """
        self._compare(what, guid, modifications)
        if not all(m.after is not None for m in modifications if _sam_owned(m)):
            return refused
        changes = {m.attribute: _replacement(m) if _sam_owned(m) else _swap(m) for m in modifications}
        return self._session.modify(decode.guid_dn(guid), changes)

    def _compare(self, what: str, guid: str, modifications: Sequence[Modification]) -> None:
        found = self.find([guid], [m.attribute for m in modifications]).get(guid.lower())
        if found is None or found.deleted:
            raise NotFoundError(
                f"{what}: there is no such object, or it is not visible to this account.",
                "It was deleted, or rights are missing. Import afresh.",
            )
        for m in modifications:
            held = found.attributes.get(m.attribute)
            if _key(held) != _key(m.before):
                raise _mismatch(f"{what} ({found.dn.text}), {m.attribute}", f"it holds {held!r} and not {m.before!r}")

    def _name_taken(
        self, what: str, result: Result, wanted: Mapping[str, Value], dn: DN | None = None, guid: str | None = None
    ) -> None:
        """Raise NameTakenError where that is what a refusal means: codes differ, and some have other meanings too."""
        if result.code not in (ALREADY_EXISTS, CONSTRAINT_VIOLATION) or result.win32 == WEAK_PASSWORD:
            return
        mine = self.find([guid], ()).get(guid.lower()) if guid else None
        for attribute in _UNIQUE:
            name = next((v for k, v in wanted.items() if k.casefold() == attribute.casefold()), None)
            owner = self.owners(attribute, [name]).get(name) if isinstance(name, str) else None
            if owner and (mine is None or owner != mine.sid):
                raise NameTakenError(
                    f"{visible(what)}: {attribute} {visible(str(name))} belongs to {owner} ({result.raw})",
                    TAKEN_REMEDY,
                    code=result.code,
                    diagnostic=visible(result.diagnostic),
                )
        if dn is not None and result.code == ALREADY_EXISTS:
            raise refusal(f"{what}: the name is taken", result)


def _swap(m: Modification) -> list[Change]:
    before, after = decode.encode(m.before), decode.encode(m.after)
    if isinstance(m.before, tuple) or isinstance(m.after, tuple):
        before, after = [v for v in before if v not in after], [v for v in after if v not in before]
    return [(how, values) for how, values in ((DELETE, before), (ADD, after)) if values]


def _replacement(m: Modification) -> list[Change]:
    return [(REPLACE, decode.encode(m.after))]


def _sam_owned(m: Modification) -> bool:
    return m.attribute.casefold() in _SAM_OWNED and m.before is not None


def _key(value: Value | None) -> Value | None:
    """What a directory compares: text without regard to case."""
    if isinstance(value, tuple):
        return tuple(sorted(item.casefold() for item in value))
    return value.casefold() if isinstance(value, str) else value


def _mismatch(what: str, why: str) -> ValueMismatchError:
    return ValueMismatchError(f"{visible(what)}: {visible(why)}", _MISMATCH_REMEDY, code=NO_SUCH_ATTRIBUTE)
