"""Plans made by hand."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.dn import DN
from reconciler.model.plan import Action, Change, Conflict, Delta, Guard, Origin, Plan, Rule, Unmanaged
from reconciler.model.speculation import PLACE, Effect, Example, Kind, Radius, Speculation, Stay, Unknown, Unreached
from reconciler.model.values import Value

DIGEST = "3f2a" * 16
CHANGES_DIGEST = "9b1c" * 16
BASE = "DC=contoso,DC=test"
GUESTS = f"OU=Guests,{BASE}"
FABRIKAM = f"OU=Fabrikam,{GUESTS}"
DEPARTED = f"OU=Departed,{GUESTS}"
FILE = "policies/guests.yaml"
ORIGIN = Origin(
    tenant="7b3f0c1e-58f4-4f7a-9a35-0d6d1f5c2b11",
    domain_sid="S-1-5-21-1004336348-1177238915-682003330",
    domain_dn=BASE,
    controller="ldaps://dc1.contoso.test",
    trees=(
        ("policies", "a" * 40),
        ("state/accounts", "b" * 40),
        ("state/claims.yaml", "c" * 40),
        ("state/guests", "d" * 40),
    ),
    settings_sha256="e" * 64,
    serial=42,
    as_of="2026-03-01T08:00:00Z",
    expires="2026-03-02T08:00:00Z",
)

_LINES = {
    "create": ("placement[1]", 12),
    "update": ("flows", 20),
    "rename": ("flows.cn", 22),
    "move": ("placement[0]", 11),
    "join": ("join[1]", 8),
    "disable": ("lifecycle.blocked", 30),
    "enable": ("lifecycle.blocked", 30),
    "delete": ("lifecycle.left", 31),
    "restore": ("lifecycle.returned", 32),
}
_CAUSES = {
    Action.CREATE: "guest is new",
    Action.UPDATE: "attributes differ from the guest's",
    Action.RENAME: "name differs from the guest's",
    Action.MOVE: "placement: another OU now",
    Action.JOIN: "an account that was not ours has this guest's userPrincipalName",
    Action.DISABLE: "blocked: sign-in is off in Entra",
    Action.ENABLE: "sign-in is on again in Entra",
    Action.DELETE: "left: gone from Entra for more than 30 days",
    Action.RESTORE: "returned: back in Entra",
}


def guest_id(n: int) -> str:
    return f"{n:08x}-7425-40de-944b-e07fc1f90ae7"


def rule(name: str, line: int = 20) -> Rule:
    return Rule(name, FILE, line)


def delta(attribute: str, before: Value | None, after: Value | None, via: Value | None = None) -> Delta:
    return Delta(attribute, before, after, rule(f"flows.{attribute}"), via)


def change(
    action: Action,
    n: int,
    label: str,
    *deltas: Delta,
    ou: str = GUESTS,
    to: str | None = None,
    cause: str | None = None,
    warnings: tuple[str, ...] = (),
) -> Change:
    name, line = _LINES[action]
    dn = DN(ou).child("CN", guest_id(n))
    new = action is Action.CREATE
    return Change(
        action,
        guest_id(n),
        label,
        dn,
        rule(name, line),
        _CAUSES[action] if cause is None else cause,
        sid=None if new else f"{ORIGIN.domain_sid}-{1000 + n}",
        guid=None if new else guest_id(n + 0x10000),
        to=None if to is None else DN(to).child("CN", guest_id(n)),
        deltas=deltas,
        warnings=warnings,
    )


def create(n: int, label: str, ou: str = GUESTS) -> Change:
    alias = f"guest{n}"
    return change(
        Action.CREATE,
        n,
        label,
        delta("adminDescription", None, f"User_{guest_id(n)}"),
        delta("cn", None, guest_id(n)),
        delta("displayName", None, label),
        delta("mail", None, f"{alias}@fabrikam.com"),
        delta("sAMAccountName", None, guest_id(n)[:20]),
        delta("userAccountControl", None, 262656),
        delta("userPrincipalName", None, f"{alias}_fabrikam.com#EXT#@contoso.onmicrosoft.com"),
        Delta("unicodePwd", None, None, rule("initial.unicodePwd"), secret=True),
        ou=ou,
    )


def delete(n: int, label: str) -> Change:
    return change(Action.DELETE, n, label, ou=DEPARTED)


def update(n: int, label: str, *deltas: Delta) -> Change:
    return change(Action.UPDATE, n, label, *(deltas or (delta("displayName", label, f"{label} II"),)))


def conflict(n: int, label: str, kind: str = "name-taken") -> Conflict:
    return Conflict(
        guest_id(n),
        label,
        kind,
        f"userPrincipalName guest{n}@contoso.test belongs to {ORIGIN.domain_sid}-{500 + n}, an account outside the OUs",
        "Rename that account, or hold the guest in the policy.",
        rule=rule("flows.userPrincipalName"),
    )


def plan(
    *changes: Change,
    conflicts: tuple[Conflict, ...] = (),
    guards: tuple[Guard, ...] = (),
    unmanaged: tuple[Unmanaged, ...] = (),
    held: tuple[Conflict, ...] = (),
    deferred: int = 0,
    notes: tuple[str, ...] = (),
) -> Plan:
    return Plan(ORIGIN, changes, conflicts, guards, unmanaged, held, managed=1200, deferred=deferred, notes=notes)


def empty() -> Plan:
    return plan(unmanaged=(Unmanaged(f"{ORIGIN.domain_sid}-1999", DN(f"CN=svc-print,{GUESTS}")),))


def small() -> Plan:
    """A little of everything."""
    return plan(
        delete(1, "Carol Danvers"),
        change(Action.DISABLE, 2, "Mallory Blocked", delta("userAccountControl", 262656, 262658)),
        change(
            Action.JOIN,
            3,
            "Jörg Übernommen",
            delta("adminDescription", None, f"User_{guest_id(3)}"),
            delta("description", "made by MIM", "made by MIM"),
            warnings=("This account was made by another program.",),
        ),
        change(Action.ENABLE, 4, "محمد الأحمد", delta("userAccountControl", 262658, 262656)),
        change(Action.MOVE, 5, "Eve Fabrikam", to=FABRIKAM),
        change(Action.MOVE, 6, "Frank Fabrikam", to=FABRIKAM),
        update(
            7,
            "Grace <@octocat> | [x](https://evil.example)",
            delta("displayName", "Grace", "Grace <@octocat> | [x](https://evil.example)"),
            delta("mail", "grace@fabrikam.com", None),
            delta("proxyAddresses", ("smtp:a@x.test", "smtp:b@x.test"), ("smtp:a@x.test", "smtp:c@x.test")),
        ),
        update(8, "Heidi Swap", delta("userPrincipalName", "a@x.test", "b@x.test", via="tmp-8@x.test")),
        create(9, "山田 太郎"),
        create(10, "Ivan user\u202egnp.exe\n::error::x"),
        create(11, "Judy Fabrikam", FABRIKAM),
        guards=(
            Guard(Action.DELETE, 1, 10, refused=False, message=""),
            Guard(Action.CREATE, 3, 5000, refused=False, message=""),
        ),
        unmanaged=tuple(Unmanaged(f"{ORIGIN.domain_sid}-{1999 + i}", DN(f"CN=svc-{i},{GUESTS}")) for i in range(30)),
        held=(
            Conflict(
                guest_id(20),
                "Olivia Held",
                "held",
                "under legal hold until 2026-06-30",
                "Remove the hold.",
                rule=rule("hold[0]", 50),
            ),
        ),
        deferred=120,
        notes=("The import of accounts is 3 hours older than that of guests.",),
    )


def guarded() -> Plan:
    return plan(
        *(delete(n, f"Leaver {n}") for n in range(14)),
        create(100, "Newcomer"),
        guards=(
            Guard(
                Action.DELETE,
                14,
                10,
                refused=True,
                message="14 accounts would be deleted, at most 10 may be. Where that is right, name the counts in "
                f"`acknowledge:` in {FILE}.",
            ),
            Guard(Action.CREATE, 1, 5000, refused=False, message=""),
        ),
    )


def conflicted() -> Plan:
    return plan(
        update(1, "Alice"),
        conflicts=(
            conflict(2, "Bob"),
            conflict(3, "Charlie"),
            Conflict(
                guest_id(4),
                "Dave",
                "ambiguous-join",
                "2 accounts have the mail of this guest",
                "Clear it on one of them.",
                DN(f"CN=Dave,{GUESTS}"),
            ),
        ),
    )


def speculative() -> Plan:
    """A change of the policy: two accounts come otherwise, one is no longer disabled, one is stuck; a create is pending anyway."""
    moved = change(Action.MOVE, 5, "Eve Fabrikam", to=FABRIKAM)
    renamed = update(7, "Grace | Hopper")
    kept = change(Action.DISABLE, 2, "Mallory Blocked", delta("userAccountControl", 262656, 262658))
    stuck = conflict(9, "Trent")
    radius = Radius(
        accounts=4,
        kinds=(
            Kind(Effect.NEW, Action.MOVE, "", (), (moved.rule,), 1),
            Kind(Effect.GONE, Action.DISABLE, "", (), (kept.rule,), 1),
            Kind(Effect.NEW, None, stuck.kind, (), (rule("flows.userPrincipalName"),), 1),
            Kind(Effect.OTHERWISE, Action.UPDATE, "", ("displayName",), (rule("flows.displayName"),), 1),
        ),
        places=((GUESTS, 3), (FABRIKAM, 1)),
        examples=(Example(Effect.NEW, moved), Example(Effect.GONE, kept), Example(Effect.OTHERWISE, renamed)),
        changes=frozenset({moved.key, renamed.key}),
        conflicts=frozenset({(stuck.subject, stuck.kind)}),
    )
    unknown = Unknown(
        f"flows.department ({FILE}:31) reads department of guests, which was never imported",
        rule("flows.department", 31),
    )
    made = plan(moved, renamed, create(11, "Judy New"), conflicts=(stuck, conflict(12, "Victor Stuck Before")))
    first, second = rule("placement[0]", 11), rule("initial.employeeType", 15)
    unreached = (
        Unreached(PLACE, first, 2, (Stay(guest_id(7), "Grace | Hopper", Delta(PLACE, GUESTS, FABRIKAM, first)),)),
        Unreached(second.name[8:], second, 1, (Stay(guest_id(9), "Trent", Delta("employeeType", None, "x", second)),)),
    )
    return replace(made, speculation=Speculation("1f" * 20, radius, (unknown,), unreached))


def large(changes: int) -> Plan:
    """Creates in two OUs and as many updates, a tenth as many deletes, conflicts and unmanaged accounts."""
    return plan(
        *(delete(n, f"Leaver {n}") for n in range(changes // 10)),
        *(update(n, f"Zoë Çelik {n}") for n in range(changes, changes + changes * 4 // 10)),
        *(create(n, f"山田 {n}", (GUESTS, FABRIKAM)[n % 2]) for n in range(2 * changes, 2 * changes + changes // 2)),
        conflicts=tuple(conflict(n, f"Conflict {n}") for n in range(changes // 10)),
        unmanaged=tuple(Unmanaged(f"{ORIGIN.domain_sid}-{n}", DN(f"CN=u{n},{GUESTS}")) for n in range(changes // 10)),
    )
