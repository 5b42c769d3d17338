"""What one guest's account should be, as hashes. The other half is `account_rows`: equal hashes, nothing to do.

An account may be in order for a guest in one of three standings, and each has a letter. The rules are those of
`planning/changes.py` and `planning/joining.py`, read strictly: what is not plainly in order has no hash, and is looked at.
"""

from __future__ import annotations

from reconciler.policy.model import Policy
from reconciler.state.entries import GuestText, NotCanonicalError, attribute_texts
from reconciler.state.fast_records import sure_time

from .columns import Texts, UndecidedError, column, valid_column
from .hashes import NONE, Hasher
from .joined import guest_mark, join_key, written_anchor
from .summary import COUNTED, LACKS, Row

ACTIVE, BLOCKED, LEFT = "A", "B", "L"


class GuestRows:
    """Hashes guests by one policy. Not for several threads at once."""

    def __init__(self, policy: Policy, hasher: Hasher) -> None:
        self._hash = hasher
        self._scope = column(policy.scope)
        self._flows = [valid_column(f.expression, policy.attribute(f.attribute)) for f in policy.flows]
        anchor = written_anchor(policy)
        self._anchor = valid_column(anchor.expression, policy.attribute(anchor.attribute))
        self._joins = [(j.attribute, column(j.expression)) for j in policy.joins]

    @property
    def width(self) -> int:
        """How many join rules there are."""
        return len(self._joins)

    def row(self, guest: GuestText) -> Row:
        """Return the hash of what the account should be, and that of each join rule's value.

        Raises NotCanonicalError for an entry that only the slower reader may judge.
        """
        texts = attribute_texts(guest.attributes)
        if texts is None or texts.get("accountEnabled", " true") not in (" true", " false"):
            raise NotCanonicalError
        if guest.removed and not sure_time(guest.removed_at):
            raise NotCanonicalError
        joins: list[bytes] = []
        sure = bool(texts)
        for attribute, join in self._joins:
            try:
                key = join_key(attribute, join(guest.id, texts))
            except UndecidedError:
                sure, key = False, ""
            joins.append(self._hash(key) if key else NONE)
        flags = 0
        if not guest.removed:
            flags = COUNTED
            for bit, name in enumerate(LACKS, 1):
                flags |= (name not in texts) << bit
        clean = self._clean(guest, texts) if sure else NONE
        return Row(flags, clean, guest_mark(guest.id), b"".join(joins))

    def _clean(self, guest: GuestText, texts: Texts) -> bytes:
        try:
            if guest.removed or self._scope(guest.id, texts) != " true":
                return self._hash(f"{LEFT}{guest.id}\0{self._anchor(guest.id, texts)}")
            kind = BLOCKED if texts.get("accountEnabled") == " false" else ACTIVE
            values = [flow(guest.id, texts) for flow in self._flows]
            values.append(self._anchor(guest.id, texts))
            return self._hash(f"{kind}{guest.id}\0{chr(0).join(values)}")
        except UndecidedError:
            return NONE
