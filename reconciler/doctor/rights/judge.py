"""From what was seen to findings: which right is missing, and which is too much."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.doctor.finding import Check, Finding, Steps
from reconciler.model.dn import DN
from reconciler.policy.model import Policy
from reconciler.verify.quoting import powershell

from . import access, checks, mend
from .access import USER
from .excess import cut, excess, privileged, said, shown, too_much
from .names import REANIMATE
from .needs import LEAF, Need, beyond, needs
from .seen import Holder, Seen

_NEEDED = {
    "create": checks.CREATE,
    "change": checks.CHANGE,
    "password": checks.PASSWORD,
    "disable": checks.DISABLE,
    "move": checks.MOVE,
    "delete": checks.DELETE,
}
_UNNEEDED = {"move": "The policy moves nobody (lifecycle.left.move).", "delete": "The policy deletes nobody."}
_IDENTITY = ("adminCount", "memberOf", "servicePrincipalName", "primaryGroupID", "objectSid", "userAccountControl")


def writer(seen: Seen, policy: Policy) -> Iterator[Finding]:
    """Judge the account that `apply` signs in with."""
    me = seen.token.name
    yield privileged(seen)
    yield reads(seen, policy)
    for name, wanted in needs(policy, seen.names).items():
        check = _NEEDED[name]
        if not wanted:
            yield (
                check.passed(_UNNEEDED[name], subject=me)
                if name in _UNNEEDED
                else check.unknown("The schema does not show the attributes to this account.", subject=me)
            )
            continue
        yield _needed(check, wanted, seen)
    inside, outside, everyone = excess(seen, lambda granted, **where: beyond(granted, policy, seen.names, **where))
    all_ = [*inside, *outside, *everyone]
    yield too_much(checks.INSIDE, inside, [*said(seen, all_, policy, inside=True)], seen)
    yield too_much(checks.OUTSIDE, outside, [*said(seen, all_, policy, inside=False)], seen)
    yield _owner(seen)
    yield _restore(seen, policy)


def reader(seen: Seen, policy: Policy) -> Iterator[Finding]:
    """Judge the account that `snapshot` signs in with."""
    yield privileged(seen)
    yield reads(seen, policy)
    inside, outside, everyone = excess(seen, lambda granted, **_: granted.rights)
    all_ = [*inside, *outside]
    told = [*said(seen, [*all_, *everyone], None, inside=None)]
    yield too_much(checks.READER_WRITES, all_, told, seen)
    if seen.token.signed_in:
        yield (
            checks.READER_DELETED.passed("A deleted object is in sight.", subject=seen.token.name)
            if seen.lists_deleted
            else checks.READER_DELETED.unknown(
                "No deleted object is in sight: either there is none, or this account may not list them.",
                subject=seen.token.name,
            )
        )
    yield (
        checks.EVERYONE.failed(
            *shown(everyone, seen), mend=Steps("Take these entries away, after asking who needs them.")
        )
        if everyone
        else checks.EVERYONE.passed(f"{len(seen.holders)} containers and protected objects were looked at.")
    )


def reads(seen: Seen, policy: Policy) -> Finding:
    """Whether the account may read, of a user in the OUs, everything that is imported."""
    samples = [s for s in seen.samples if s.descriptor is not None]
    if not samples:
        return checks.READS.unknown(
            "There is no account in the OUs whose access list it may see.", subject=seen.token.name
        )
    asked = sorted({*policy.account_attributes, *_IDENTITY}, key=str.casefold)
    missing = []
    for sample in samples:
        if sample.descriptor is None:
            continue
        for name in asked:
            found = seen.names.attribute(name)
            rights = (access.READ, access.CONTROL) if found and found.confidential else (access.READ,)
            if found and not all(access.permits(sample.descriptor, seen.token, r, found.types) for r in rights):
                missing.append(f"{sample.dn}: may not read {name}")
    if missing:
        return checks.READS.failed(*cut(missing), subject=seen.token.name, mend=_reading(seen))
    return checks.READS.passed(f"{len(asked)} attributes of {len(samples)} accounts", subject=seen.token.name)


def _reading(seen: Seen) -> Steps:
    group = "bf967a9c-0de6-11d0-a285-00aa003049e2"
    windows = f"dsacls {powershell(seen.places.base.text)} /I:S /G " + " ".join(
        powershell(f"{seen.trustee}:RP;;{kind}") for kind in ("user", "group")
    )
    entries = [f"(OA;CIIO;RP;;{kind};{seen.token.sid})" for kind in (USER, group)]
    return Steps(checks.READS.mend.words, (windows,), tuple(mend.samba_grant({seen.places.base: entries})))


def _needed(check: Check, wanted: tuple[Need, ...], seen: Seen) -> Finding:
    missing: list[tuple[DN, Need]] = []
    told, hidden = [], []
    for ou in seen.places.targets:
        holder = seen.holder(ou)
        if holder is None:
            continue  # its absence is a finding of its own
        if holder.descriptor is None:
            hidden.append(f"{ou}: its access list is not shown to the account that was signed in with")
            continue
        lacking = [need for need in wanted if not need.held(holder.descriptor, seen.token)]
        missing += [(ou, need) for need in lacking]
        told += [f"{ou}: missing: {need.what}" for need in lacking]
        told += [f"{ou}: {why}" for why in _contradicted(holder, wanted, lacking, seen)]
    told += [
        f"{sample.dn}: missing: {need.what}"
        for sample in seen.samples
        for need in wanted
        if need.child
        and _denied_on(sample, need, seen)
        and not any(sample.dn.within(dn) and n == need for dn, n in missing)
    ]
    me = seen.token.name
    if told:
        return check.failed(*cut(told), subject=me, mend=mend.grant(missing, seen) if missing else _inherit(seen))
    if hidden or not any(seen.holder(ou) for ou in seen.places.targets):
        return check.unknown(*(hidden or ["None of the OUs is there."]), subject=me)
    there = [ou for ou in seen.places.targets if seen.holder(ou)]
    return check.passed(f"in {len(there)} OUs", subject=me)


def _contradicted(holder: Holder, wanted: tuple[Need, ...], lacking: list[Need], seen: Seen) -> Iterator[str]:
    """What the list grants and the controller itself denies all the same."""
    opinion = seen.opinion(holder.dn)
    if opinion is None:
        return
    for need in wanted:
        if need.right == access.CREATE and need not in lacking and "user" not in opinion.classes:
            yield "the controller itself does not count user among the classes that may be created (allowedChildClassesEffective)"


def _denied_on(sample: Holder, need: Need, seen: Seen) -> bool:
    """Whether an account that is there does not let itself be changed so: it may inherit nothing."""
    if sample.descriptor is None:
        return False
    if not access.permits(sample.descriptor, seen.token, need.right, need.types):
        return True
    opinion = seen.opinion(sample.dn)
    if opinion is None or not need.attribute or need.attribute in LEAF:  # the leaf's own: only a rename writes them
        return False
    return need.attribute.casefold() not in opinion.attributes


def _inherit(seen: Seen) -> Steps:
    protected = [s.dn for s in seen.samples if s.descriptor and s.descriptor.protected]
    return Steps(
        "The OU's list grants it, and the account does not inherit it: let it inherit again, or find the entry that denies it.",
        tuple(f"dsacls {powershell(dn.text)} /P:N" for dn in protected),
    )


def _owner(seen: Seen) -> Finding:
    me, told, hidden = seen.token.name, [], []
    for ou in seen.places.targets:
        holder = seen.holder(ou)
        if holder is None or holder.descriptor is None:
            hidden.append(f"{ou}: its access list is not shown")
            continue
        entries = holder.descriptor.entries or ()
        if not access.limited(filter(access.on_child(USER), entries)):
            told.append(f"{ou}: nothing limits what the owner of an account may do")
    if seen.samba:
        return checks.OWNER.failed(
            "Samba does not act on OWNER RIGHTS (tried with 4.17): whoever made an account may change its access list.",
            subject=me,
            mend=Steps("There is no remedy on Samba. Look after this account's password."),
        )
    if told:
        return checks.OWNER.failed(*told, subject=me)
    if hidden:
        return checks.OWNER.unknown(*cut(hidden), subject=me)
    return checks.OWNER.passed("OWNER RIGHTS limits it.", subject=me)


def _restore(seen: Seen, policy: Policy) -> Finding:
    me = seen.token.name
    if not policy.lifecycle.returned_restore:
        return checks.RESTORE.passed("The policy brings nobody back (lifecycle.returned.restore).", subject=me)
    root = seen.holder(seen.places.base)
    if root is None or root.descriptor is None:
        return checks.RESTORE.unknown(f"The access list of {seen.places.base} is not shown.", subject=me)
    if not access.permits(root.descriptor, seen.token, access.CONTROL, (REANIMATE,)):
        return checks.RESTORE.failed(
            f"{seen.places.base}: missing: control access right Reanimate-Tombstones", subject=me
        )
    if not seen.lists_deleted:
        return checks.RESTORE.unknown(
            "It has the right; whether it sees deleted objects cannot be told now.", subject=me
        )
    return checks.RESTORE.passed("It has the right, and sees deleted objects.", subject=me)
