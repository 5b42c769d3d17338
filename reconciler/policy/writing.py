"""The part of a policy that says what an account holds: own attributes, flows, initial values, joins, placement."""

from __future__ import annotations

from typing import Final

from reconciler.model.schema import BY_NAME, Attribute

from .draft import Draft
from .expressions import BOOL, INT, STRING
from .model import Flow, Initial, Join, Placement
from .targets import FLAGS, FORBIDDEN_FLAGS, why_forbidden

DEFAULT_FLAGS: Final = ("NORMAL_ACCOUNT", "SMARTCARD_REQUIRED")
DEFAULT_PASSWORD_LENGTH: Final = 64
_NOT_EXPRESSIONS: Final = ("userAccountControl", "unicodePwd")


def read_declared(draft: Draft) -> None:
    """Read `attributes` into the draft."""
    for name, said in (draft.get("attributes") or {}).items():
        path = ("attributes", name)
        if why := why_forbidden(name):
            draft.problem(path, f"a policy may not set `{name}`: {why}", at_key=True)
        elif name.casefold() in BY_NAME:
            draft.problem(path, f"`{name}` is known already: remove it here", at_key=True)
        elif name.casefold() in draft.declared:
            draft.problem(path, f"`{name}` is declared twice", at_key=True)
        else:
            own = Attribute(name, said.get("type", "string"), said.get("multi", False), said.get("max"))
            draft.declared[name.casefold()] = own


def read_flows(draft: Draft) -> list[Flow]:
    """Read `flows`, in their order."""
    flows: list[Flow] = []
    seen: set[str] = set()
    for name in draft.get("flows"):
        path = ("flows", name)
        attribute = draft.target(name, path)
        if attribute is None:
            continue
        if attribute.name in seen:
            draft.problem(path, f"`{attribute.name}` flows twice", at_key=True)
        seen.add(attribute.name)
        if compiled := draft.flow(path, attribute, draft.rule(*path)):
            flows.append(Flow(attribute.name, compiled))
    return flows


def read_initial(draft: Draft, flows: list[Flow]) -> Initial | None:
    """Read `initial`; a `cn` that flows is the initial one too. None where there is no usable cn."""
    flowing = {str(name).casefold() for name in draft.get("flows")}
    seen: set[str] = set()
    once: list[Flow] = []
    for name in draft.get("initial"):
        path, folded = ("initial", name), name.casefold()
        if name in _NOT_EXPRESSIONS:
            continue
        if folded in flowing | seen:
            draft.problem(path, f"`{name}` is set already: remove it here", at_key=True)
            continue
        seen.add(folded)
        attribute = draft.target(name, path)
        compiled = attribute and draft.flow(path, attribute, draft.rule(*path))
        if attribute and compiled:
            once.append(Flow(attribute.name, compiled))
    if "cn" not in flowing | seen:
        draft.problem(("initial",), "`initial` lacks `cn`, the account's name: guest.id is always one", at_key=True)
    cn = next((f.expression for f in (*once, *flows) if f.attribute == "cn"), None)
    uac = _flags(draft)
    return (
        None
        if cn is None
        else Initial(
            cn=cn,
            uac=uac,
            uac_rule=draft.rule("initial", "userAccountControl"),
            password_length=draft.get("initial", "unicodePwd", "random") or DEFAULT_PASSWORD_LENGTH,
            password_rule=draft.rule("initial", "unicodePwd"),
            flows=tuple(f for f in once if f.attribute != "cn"),
        )
    )


def _flags(draft: Draft) -> int:
    path = ("initial", "userAccountControl")
    said = draft.get(*path)
    if isinstance(said, int):
        return _flags_of_number(draft, said)
    total = 0
    for i, name in enumerate(DEFAULT_FLAGS if said is None else said):
        if name in FORBIDDEN_FLAGS:
            draft.problem((*path, i), f"the flag {name} is refused: {FORBIDDEN_FLAGS[name][1]}")
        elif name not in FLAGS:
            draft.problem((*path, i), f"unknown flag `{name}`; those that may be set are {', '.join(FLAGS)}")
        total |= FLAGS.get(name, 0)
    return _checked_flags(draft, total)


def _flags_of_number(draft: Draft, said: int) -> int:
    path = ("initial", "userAccountControl")
    for name, (bit, why) in FORBIDDEN_FLAGS.items():
        if said & bit:
            draft.problem(path, f"the flag {name} (in {said}) is refused: {why}")
    if said < 0 or said & ~sum((*FLAGS.values(), *(bit for bit, _ in FORBIDDEN_FLAGS.values()))):
        draft.problem(path, f"{said} holds bits that are no flag of userAccountControl")
    return _checked_flags(draft, said)


def _checked_flags(draft: Draft, total: int) -> int:
    if not total & FLAGS["NORMAL_ACCOUNT"]:
        draft.problem(("initial", "userAccountControl"), "`initial.userAccountControl` lacks NORMAL_ACCOUNT")
    return total


def read_joins(draft: Draft) -> list[Join]:
    """Read `join`, in its order."""
    joins = []
    for i, said in enumerate(draft.get("join")):
        attribute = draft.known(said["account"], ("join", i, "account"))
        if attribute is None:
            continue
        if attribute.multi or attribute.kind == "boolean":
            draft.problem(("join", i, "account"), f"`{attribute.name}` cannot be joined by: it does not hold one name")
            continue
        result = INT if attribute.kind == "integer" else STRING
        if compiled := draft.expression(("join", i, "guest"), result, draft.rule("join", i), attribute.name):
            joins.append(Join(attribute.name, compiled))
    return joins


def read_placement(draft: Draft) -> list[Placement]:
    """Read `placement`, in its order. A rule that can never be reached is a mistake."""
    rules = []
    always: int | None = None
    for i, said in enumerate(draft.get("placement")):
        if always is not None:
            draft.problem(
                ("placement", i), f"`placement[{i}]` is never reached: `placement[{always}]` holds for every guest"
            )
        rule = draft.rule("placement", i)
        when = draft.expression(("placement", i, "when"), BOOL, rule) if "when" in said else None
        rules.append(Placement(when, draft.ou(("placement", i, "ou"), said["ou"]), rule))
        if "when" not in said and always is None:
            always = i
    return rules


def check_required(draft: Draft) -> None:
    """Note it where an attribute that every account needs is never set (`cn` is looked after by `initial`)."""
    named = {str(n).casefold() for block in ("flows", "initial") for n in draft.get(block)}
    for name in ("sAMAccountName", "userPrincipalName"):
        if name.casefold() not in named:
            draft.problem(("flows",), f"`flows` lacks `{name}`, which every account needs", at_key=True)
