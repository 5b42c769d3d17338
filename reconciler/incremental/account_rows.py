"""What one account is, as hashes: one for each standing of its guest in which there is nothing to do to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.model.account import ACCOUNTDISABLE, HALF_MADE
from reconciler.model.dn import DN, within
from reconciler.model.values import fold
from reconciler.planning.names import DN_NAME, UNIQUE, folded_name, name_of
from reconciler.policy.model import Policy
from reconciler.state.canonical import quote
from reconciler.state.entries import AccountText, NotCanonicalError, attribute_texts
from reconciler.state.fast_records import account_dn, sure_time, value

from .guest_rows import ACTIVE, BLOCKED, LEFT
from .hashes import NONE, Hasher
from .joined import guest_mark, name_key, written_anchor
from .summary import COUNTED, Row, Special

_UAC = "userAccountControl"
_INTEGER = re.compile(" -?[0-9]+")
_UNPLAIN = re.compile(r"^[# ]| $|[+\"\\<>;=]")
"""What makes a name more than its text where it stands in a DN."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A container: whether accounts may be written in it, whether it is that of the departed, its part of a name's key."""

    inside: bool
    departed: bool
    key: str


class AccountRows:
    """Hashes accounts by one policy and the OUs of the settings."""

    def __init__(self, policy: Policy, ous: tuple[DN, ...], hasher: Hasher) -> None:
        self._hash = hasher
        self._ous = ous
        self._lifecycle = policy.lifecycle
        self._attributes = [f.attribute for f in policy.flows]
        self._anchor = written_anchor(policy).attribute
        self._places: dict[str, _Place] = {}

    @property
    def width(self) -> int:
        """How many names an account has."""
        return 1 + len(UNIQUE)

    def row(self, account: AccountText) -> Row:
        """Return the hashes of an account. Raises NotCanonicalError like `GuestRows.row`."""
        texts = attribute_texts(account.attributes)
        if texts is None or not _INTEGER.fullmatch(texts.get(_UAC, " 0")):
            raise NotCanonicalError
        if account.departed and not sure_time(account.departed):
            raise NotCanonicalError
        name, place, dn_key = self._dn(account.dn)
        names = NONE * self.width
        if account.missing not in ("deleted", "expired"):
            names = b""
            for attribute in UNIQUE:
                held = name_of(attribute, value(texts[attribute])) if attribute in texts else None
                names += self._hash(name_key(held)) if held else NONE
            names += self._hash(name_key((DN_NAME, dn_key)))
        if not account.guest:
            return Row(0, NONE, NONE, names)
        guest = guest_mark(account.guest)
        flags = 0 if account.missing else COUNTED
        if account.missing or account.protected or not place.inside:  # names are compared with those of the protected
            return Row(flags, NONE, guest, names)
        ways = self._ways(account, texts, name, place)
        if ways.blocked == ways.left == NONE:
            return Row(flags, ways.active, guest, names)
        only = _only(ways)
        return Row(flags, only, guest, names, ways if only == NONE else None)

    def _ways(self, account: AccountText, texts: dict[str, str], name: str, place: _Place) -> Special:
        lifecycle = self._lifecycle
        held = int(texts.get(_UAC, " 0"))
        disabled = bool(held & ACCOUNTDISABLE)
        values = [name if a == "cn" else texts.get(a, "") for a in self._attributes]
        anchor = texts.get(self._anchor, "")
        row = "\0".join([account.guest, *values, anchor])
        active = blocked = left = NONE
        due = 0
        half_made = held == HALF_MADE and not account.adopted
        if account.suspended and not disabled:
            return Special(NONE, NONE, NONE, 0)  # what an import never leaves so: the next one is to look
        if not account.departed:
            if not account.suspended and not half_made and not place.departed:
                active = self._hash(ACTIVE + row)
            if disabled or not lifecycle.blocked_disable:
                blocked = self._hash(BLOCKED + row)
        settled = account.departed and (place.departed or lifecycle.left_move is None)
        if settled and (disabled or not lifecycle.left_disable):
            left = self._hash(f"{LEFT}{account.guest}\0{anchor}")
            due = self._due(account.departed)
        return Special(active, blocked, left, due)

    def _due(self, departed: str) -> int:
        after = self._lifecycle.left_delete_after
        if after is None or not departed:
            return 0
        try:
            return max(1, int((datetime.fromisoformat(departed) + after).timestamp()))
        except (ValueError, OverflowError):
            return 1  # looked at whenever it is

    def _dn(self, quoted: str) -> tuple[str, _Place, str]:
        """Return the leaf's value as canonical text, its container, and the whole as names compare it."""
        if "\\" not in quoted:
            kind, equals, rest = quoted[1:-1].partition("=")
            leaf, comma, parent = rest.partition(",")
            if kind and kind.isalpha() and equals and comma and leaf and not _UNPLAIN.search(leaf):
                place = self._place(parent)
                return f' "{leaf}"', place, f"{kind.upper()}={fold(leaf)}\0{place.key}"
        dn = account_dn(quoted)
        if dn is None:
            raise NotCanonicalError
        place = self._place(dn.parent.text)
        return f" {quote(dn.name)}", replace(place, inside=within(dn, self._ous)), folded_name(DN_NAME, dn.text)

    def _place(self, parent: str) -> _Place:
        place = self._places.get(parent)
        if place is None:
            try:
                dn = DN.parse(parent)
            except ValueError as error:
                raise NotCanonicalError from error
            departed = self._lifecycle.left_move is not None and dn == self._lifecycle.left_move
            place = _Place(within(dn, self._ous), departed, folded_name(DN_NAME, dn.text))
            self._places[parent] = place
        return place


def _only(ways: Special) -> bytes:
    """The one hash by which the account is in order, at any time; NONE where there are several, or one for a time."""
    some = [h for h in (ways.active, ways.blocked, ways.left) if h != NONE]
    return some[0] if len(some) == 1 and not (ways.due and ways.left != NONE) else NONE
