"""What each block of a policy means beyond what the default one says."""

from __future__ import annotations

from datetime import date, timedelta

from reconciler.config.check import load_schema
from reconciler.model.plan import Action
from reconciler.model.schema import Attribute
from tests.config.schemas import undescribed
from tests.policy.policies import edited, guest, load


def test_a_guard_that_is_left_out_is_not_lifted() -> None:
    policy = load(
        edited(
            ("  disable: {max: 50, percent: 5}\n", ""), ("  delete: {max: 10, percent: 1}\n", "  rename: {max: 7}\n")
        )
    )

    assert (policy.guards[Action.DISABLE].max, policy.guards[Action.DISABLE].percent) == (50, 5)
    assert (policy.guards[Action.DELETE].max, policy.guards[Action.DELETE].percent) == (10, 1)
    assert policy.guards[Action.RENAME].max == 7
    assert Action.JOIN not in policy.guards


def test_a_lifecycle_that_is_left_out_disables_and_restores_and_deletes_nothing() -> None:
    left = '  left: {disable: true, move: "OU=Departed,OU=Guests,DC=contoso,DC=test", delete_after: 30d}\n'
    policy = load(edited(("  blocked: {disable: true}", "  blocked: {disable: false}"), (left, "")))

    assert not policy.lifecycle.blocked_disable
    assert policy.lifecycle.left_disable
    assert policy.lifecycle.left_move is None
    assert policy.lifecycle.left_delete_after is None
    assert sorted(policy.lifecycle.rules) == ["lifecycle.blocked", "lifecycle.left", "lifecycle.returned"]


def test_durations_are_minutes_hours_or_days() -> None:
    for written, meant in (("90m", timedelta(minutes=90)), ("36h", timedelta(hours=36)), ("365d", timedelta(days=365))):
        assert load(edited(("30d", written))).lifecycle.left_delete_after == meant


def test_holds_name_a_guest_or_an_account() -> None:
    hold = (
        "hold:\n"
        "  - {guest: 7C9E6679-7425-40DE-944B-E07FC1F90AE7, reason: case 4711, until: 2026-12-31}\n"
        "  - {account: S-1-5-21-1-2-3-1104, reason: audit, until: '2027-01-01'}\n#"
    )
    holds = load(edited(("# hold:", hold))).holds

    assert [(h.subject, h.reason, h.until) for h in holds] == [
        ("7c9e6679-7425-40de-944b-e07fc1f90ae7", "case 4711", date(2026, 12, 31)),
        ("S-1-5-21-1-2-3-1104", "audit", date(2027, 1, 1)),
    ]
    assert holds[1].rule.name == "hold[1]"


def test_an_acknowledgement_names_exact_counts() -> None:
    text = edited(
        ("# hold:", "acknowledge:\n  - {counts: {disable: 120, move: 3}, reason: contract ended, until: 2026-12-31}\n#")
    )
    (acknowledged,) = load(text).acknowledge

    assert acknowledged.counts == {Action.DISABLE: 120, Action.MOVE: 3}
    assert acknowledged.until == date(2026, 12, 31)
    assert acknowledged.rule.name == "acknowledge[0]"


def test_own_attributes_are_declared_and_then_flow() -> None:
    own = "attributes:\n  contosoBadge: {max: 12}\n  contosoFloor: {type: integer}\n  contosoTags: {multi: true}\nscope:\n"
    flows = (
        "  ContosoBadge: guest.employeeId\n  contosoFloor: '3'\n  contosoTags: guest.otherMails\n  mail: guest.mail\n"
    )
    policy = load(edited(("scope:\n", own), ("  mail: guest.mail\n", flows)))

    assert policy.declared == (
        Attribute("contosoBadge", max=12),
        Attribute("contosoFloor", "integer"),
        Attribute("contosoTags", multi=True),
    )
    assert policy.attribute("CONTOSOBADGE").max == 12
    assert policy.attribute("mail").max == 256
    values = {f.attribute: f.expression.value(guest(employeeId="7", otherMails=("a",))) for f in policy.flows}
    assert (values["contosoBadge"], values["contosoFloor"], values["contosoTags"]) == ("7", 3, ("a",))
    assert {"contosoBadge", "contosoFloor", "contosoTags"} <= set(policy.account_attributes)
    assert {"employeeId", "otherMails"} <= set(policy.guest_attributes)


def test_a_common_name_that_flows_is_also_the_initial_one() -> None:
    policy = load(edited(("  cn: guest.id\n", ""), ("  mail: guest.mail\n", "  mail: guest.mail\n  CN: guest.id\n")))

    assert policy.initial.cn.rule.name == "flows.CN"
    assert "cn" in [f.attribute for f in policy.flows]
    assert "cn" not in policy.account_attributes


def test_initial_values_may_be_expressions_and_flags_a_number() -> None:
    text = edited(
        ("  cn: guest.id", "  cn: guest.id\n  company: guest.companyName"),
        ("[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]", "66048"),
        ("  unicodePwd: {random: 64} ", "  # "),
    )
    initial = load(text).initial

    assert (initial.uac, initial.password_length) == (0x10200, 64)
    assert [(f.attribute, f.expression.value(guest(companyName="F"))) for f in initial.flows] == [("company", "F")]
    assert initial.password_rule.name == "initial.unicodePwd"


def test_a_last_placement_with_a_condition_is_allowed() -> None:
    text = edited(('  - {ou: "OU=Guests,DC=contoso,DC=test"}\n', ""))

    assert load(text).placement[-1].when is not None


def test_an_account_can_be_joined_by_its_common_name() -> None:
    policy = load(
        edited(("account: userPrincipalName, guest: guest.userPrincipalName", "account: cn, guest: guest.id"))
    )

    assert policy.joins[1].attribute == "cn"
    assert "cn" not in policy.account_attributes


def test_the_published_schema_is_one_and_explains_every_field() -> None:
    from jsonschema import Draft202012Validator

    schema = load_schema("reconciler.policy", "schema.json")

    Draft202012Validator.check_schema(dict(schema))
    assert undescribed(schema) == []


def test_a_policy_loads_the_same_every_time() -> None:
    one, two = load(edited()), load(edited())

    assert one.guest_attributes == two.guest_attributes
    assert [f.expression.rule for f in one.flows] == [f.expression.rule for f in two.flows]
