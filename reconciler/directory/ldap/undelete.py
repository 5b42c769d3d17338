"""Bringing deleted users back ([MS-ADTS] 3.1.1.5.3.7): one modify that moves an object out of Deleted Objects and marks it.

Samba 4.17 differs, each point tried: it does not find the object by `<GUID=…>` here; it takes no userAccountControl in
this modify, nor in one before it; it does not look whether somebody else has the sAMAccountName now; it lets a user come
back under an OU's kind of name; and what was deleted while the recycle bin was on it cannot bring back at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.directory.port import Entry
from reconciler.errors import AccessDeniedError, DirectoryError, NameTakenError, NotFoundError
from reconciler.model.dn import DN
from reconciler.model.values import Value

from . import decode, root
from .reader import LdapReader
from .refusals import (
    CONSTRAINT_VIOLATION,
    NO_SUCH_ATTRIBUTE,
    NO_SUCH_OBJECT,
    TAKEN_REMEDY,
    UNWILLING,
    Result,
    no_parent,
    refusal,
    visible,
)
from .session import DELETE, REPLACE, Change

_UNIQUE = ("sAMAccountName", "userPrincipalName")
_FLAGS = "userAccountControl"
_NOT_WITH_FLAGS = {NO_SUCH_OBJECT, CONSTRAINT_VIOLATION, UNWILLING}
_NEW_ACCOUNT = (
    "Set `returned: {restore: false}` in the policy, so that the guest gets a new account (with another SID)."
)
_RIGHTS = (
    "Grant the account the control right Reanimate-Tombstones on the domain and the right to list Deleted Objects; a "
    "tombstone keeps the rights its OU gave when it was deleted. Or set `returned: {restore: false}` in the policy."
)


class Undelete(LdapReader):
    """Brings deleted users back, over the connection it reads from."""

    def reanimate(self, guid: str, to: DN, attributes: Mapping[str, Value]) -> Entry:
        """Bring a deleted user back as `to`, with `attributes`, in one modify.

        Where the server takes no userAccountControl there, a second modify sets it right after. A run killed between the
        two leaves the account marked, with the flags it was deleted with, and without a password.
        """
        what = f"Bringing back {guid} as {to.text}"
        grave = self._grave(what, guid, to, attributes)
        wanted = {name: decode.encode(value) for name, value in attributes.items()}
        result = self._undelete(grave, to, wanted)
        flags = next((name for name in wanted if name.casefold() == _FLAGS.casefold()), None)
        late = flags is not None and result.code in _NOT_WITH_FLAGS
        if late:
            result = self._undelete(grave, to, {name: v for name, v in wanted.items() if name != flags})
        if result.code:
            raise self._refused(what, result, to)
        if late and flags is not None:
            result = self._session.modify(decode.guid_dn(guid), {flags: [(REPLACE, wanted[flags])]})
            if result.code:
                raise refusal(f"{what}: it is back, still with the flags it was deleted with; setting them", result)
        back = self.find([guid], tuple(attributes)).get(guid.lower())
        if back is None or back.deleted:
            raise NotFoundError(f"{visible(what)}: it cannot be read.", "Give the account the right to read it.")
        return back

    def _undelete(self, grave: DN, to: DN, attributes: Mapping[str, list[bytes]]) -> Result:
        changes: dict[str, list[Change]] = {
            "isDeleted": [(DELETE, [])],
            "distinguishedName": [(REPLACE, decode.encode(to.text))],
            **{name: [(REPLACE, values)] for name, values in attributes.items()},
        }
        return self._session.modify(grave.text, changes, deleted=True)

    def _grave(self, what: str, guid: str, to: DN, attributes: Mapping[str, Value]) -> DN:
        """Return the tombstone's own name, which holds its GUID; refuse what the server might not."""
        if not to.rdns or to.rdns[0][0] != "CN":
            raise DirectoryError(f"{visible(what)}: a user's name begins with CN=.", "Import and plan afresh.")
        dead = self.find([guid], _UNIQUE).get(guid.lower())
        if dead is None and not root.deleted_seen(self._session, self._names):
            raise AccessDeniedError(f"{visible(what)}: this account sees no deleted object at all.", _RIGHTS)
        if dead is None or not dead.deleted:
            raise NotFoundError(
                f"{visible(what)}: there is no such deleted user, or it is not visible to this account.",
                "Import and plan afresh.",
            )
        if dead.recycled:
            raise DirectoryError(f"{visible(what)}: it was recycled and cannot be brought back any more.", _NEW_ACCOUNT)
        given = {name.casefold(): value for name, value in attributes.items()}
        for attribute in _UNIQUE:
            name = given.get(attribute.casefold(), dead.attributes.get(attribute))
            owner = self.owners(attribute, [name]).get(name) if isinstance(name, str) else None
            if owner is not None and owner != dead.sid:
                raise NameTakenError(
                    f"{visible(what)}: {attribute} {visible(str(name))} belongs to {owner} by now.", TAKEN_REMEDY
                )
        return dead.dn

    def _refused(self, what: str, result: Result, to: DN) -> DirectoryError:
        error = refusal(what, result)
        kind, remedy = type(error), error.remedy
        if isinstance(error, AccessDeniedError):
            remedy = _RIGHTS
        elif result.code == NO_SUCH_ATTRIBUTE and "isRecycled" in result.diagnostic:
            what = f"{what}: Samba brings nothing back that was deleted while the recycle bin was on"
            error, remedy = refusal(what, result), _NEW_ACCOUNT
        elif self.exists(to):
            kind, remedy = NameTakenError, TAKEN_REMEDY
        elif not self.exists(to.parent):
            return no_parent(what, result, to)
        return kind(error.what, remedy, code=result.code, diagnostic=error.diagnostic)
