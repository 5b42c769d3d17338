"""Every mistake in a policy is told when it loads: file, line, column, what is wrong and what would be right."""

from __future__ import annotations

import pytest

from reconciler.errors import PolicyError
from reconciler.policy.load import load_policy
from tests.policy.policies import DEFAULT, edited, load

MISTAKES = [
    # guest attributes and expressions
    (
        "mail: guest.mail",
        "mail: guest.mial",
        "44:15: `flows.mail`: unknown guest attribute `mial`; did you mean `mail`?",
    ),
    ("mail: guest.mail", "mail: gest.mail", "44:9: `flows.mail`: unknown name `gest`; did you mean `guest`?"),
    ("mail: guest.mail", "mail: mail", "44:9: `flows.mail`: unknown name `mail`: write guest.mail"),
    ("mail: guest.mail", "mail: guest", "44:9: `flows.mail`: `guest` stands here alone: write guest.<attribute>"),
    (
        "mail: guest.mail",
        "mail: dyn(guest).mial",
        "44:13: `flows.mail`: `guest` stands here alone: write guest.<attribute>",
    ),
    (
        "mail: guest.mail",
        """mail: 'guest.mail.matches("[") ? guest.mail : ""'""",
        "44:29: `flows.mail`: not a regular expression (RE2): missing ]: [",
    ),
    (
        "mail: guest.mail",
        """mail: 'string(timestamp("2026-13-01"))'""",
        "44:27: `flows.mail`: not a time such as 2026-01-31T00:00:00Z",
    ),
    (
        "mail: guest.mail",
        """mail: 'string(duration("a week"))'""",
        "44:26: `flows.mail`: not a duration such as 24h or 90m",
    ),
    ("mail: guest.mail", "mail: guest.mail +", "44:21: `flows.mail`: not an expression: it ends too early"),
    ("mail: guest.mail", "mail: guest.mail + 1", "44:20: `flows.mail`: `+` does not take (text, number)"),
    (
        "mail: guest.mail",
        "mail: guest.otherMails",
        "44:9: `flows.mail` gives a list of texts; mail must be text; take one item, or join(…) them",
    ),
    ("mail: guest.mail", "mail: dyn(guest.mail)", "44:9: `flows.mail` gives something else; mail must be text"),
    ("mail: guest.mail", "mail: true", "44:9: `flows.mail` must be text, not true or false (quote it if it is text)"),
    (
        "mail: guest.mail",
        "url: guest.mail",
        "44:8: `flows.url` gives text; url must be a list of texts; put it in brackets: [ … ]",
    ),
    (
        "mail: guest.mail",
        "countryCode: guest.country",
        "44:16: `flows.countryCode` gives text; countryCode must be a whole number; int(…) makes it one",
    ),
    ('guest.userType == "Guest"', "guest.userType", "18:12: `scope.include` gives text; it must be true or false"),
    (
        'endsWith("@fabrikam',
        'endWith("@fabrikam',
        "28:43: `placement[0].when`: unknown function `endWith`; did you mean `endsWith`?",
    ),
    (
        "mail: guest.mail",
        "mail: guest.otherMails.map(a, guest.otherMails.map(b, guest.otherMails.map(c, c)[0])[0])[0]",
        "44:77: `flows.mail`: more than 2 of map, filter, exists and all inside one another",
    ),
    # account attributes
    (
        "  userAccountControl: ",
        "  userAccountControll: ",
        "34:24: `initial.userAccountControll` must be text, not a list; did you mean `userAccountControl`?",
    ),
    (
        "  unicodePwd: ",
        "  unicodePassword: ",
        "35:20: `initial.unicodePassword` must be text, not a mapping; did you mean `unicodePwd`?",
    ),
    (
        "  sn: ",
        "  surname: ",
        "43:3: unknown Active Directory attribute `surname`; if the domain's schema has it, declare it under `attributes`",
    ),
    (
        "  employeeType: ",
        "  employeType: ",
        "45:3: unknown Active Directory attribute `employeType`; did you mean `employeeType`?",
    ),
    (
        "account: userPrincipalName",
        "account: userPrincipleName",
        "24:15: unknown Active Directory attribute `userPrincipleName`; did you mean `userPrincipalName`?",
    ),
    (
        "  sn: ",
        "  servicePrincipalName: ",
        "43:3: a policy may not set `servicePrincipalName` here: it decides who may act for whom",
    ),
    ("  sn: ", "  ObjectSID: ", "43:3: a policy may not set `ObjectSID` here: the directory keeps it itself"),
    (
        "  sn: ",
        "  userAccountControl: ",
        "43:3: a policy may not set `userAccountControl` here: it is set under `initial` and kept by `lifecycle`",
    ),
    ("  sn: ", "  Mail: ", "44:3: `mail` flows twice"),
    (
        "  cn: guest.id",
        "  cn: guest.id\n  Department: guest.department\n  department: guest.department",
        "35:3: `department` is set already: remove it here",
    ),
    # what every account needs
    (
        "guest.id.substring(0, 20)",
        "guest.employeeId",
        (
            "39:19: `flows.sAMAccountName` may leave sAMAccountName empty: it gives nothing when the guest has no employeeId; "
            "every account needs it, so give something else then: has(…) ? … : …"
        ),
    ),
    (
        "  cn: guest.id",
        "  cn: guest.displayName + guest.id",
        (
            "33:7: `initial.cn` may leave cn empty: it uses displayName, which the guest does not have; "
            "every account needs it, so give something else then: has(…) ? … : …"
        ),
    ),
    ("  cn: guest.id\n", "", "32:1: `initial` lacks `cn`, the account's name: guest.id is always one"),
    (
        "  sAMAccountName: guest.id.substring(0, 20)\n",
        "",
        "38:1: `flows` lacks `sAMAccountName`, which every account needs",
    ),
    # the anchor
    (
        "  adminDescription: ",
        "  info: ",
        "23:15: nothing writes the anchor `adminDescription`: put it under `flows`, with this expression",
    ),
    (
        'Description: \'"User_"',
        'Description: \'"User-"',
        "23:41: the anchor is not what `flows.adminDescription` (line 46) writes: both must be one expression",
    ),
    # accounts that could do more than be used
    (
        "SMARTCARD_REQUIRED",
        "TRUSTED_TO_AUTH_FOR_DELEGATION",
        "34:40: the flag TRUSTED_TO_AUTH_FOR_DELEGATION is refused: the account could act for anybody",
    ),
    (
        "SMARTCARD_REQUIRED",
        "SMARTCARD",
        (
            "34:40: unknown flag `SMARTCARD`; "
            "those that may be set are ACCOUNTDISABLE, NORMAL_ACCOUNT, DONT_EXPIRE_PASSWD, SMARTCARD_REQUIRED, NOT_DELEGATED"
        ),
    ),
    (
        "[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]",
        "544",
        "34:23: the flag PASSWD_NOTREQD (in 544) is refused: the account could have an empty password",
    ),
    ("[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]", "0x40000", "34:23: `initial.userAccountControl` lacks NORMAL_ACCOUNT"),
    ("[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]", "516", "34:23: 516 holds bits that are no flag of userAccountControl"),
    ("random: 64", "random: 8", "35:24: `initial.unicodePwd.random` must be at least 15"),
    # places
    (
        "OU=Fabrikam,OU=Guests",
        "OU=Fabrikam,OU=Others",
        "28:75: `placement[0].ou` is outside `directory.ous` of the settings (OU=Guests,DC=contoso,DC=test)",
    ),
    ('- {ou: "OU=Guests', '- {ou: "Guests', "29:10: `placement[1].ou` is not a distinguished name"),
    (
        '"OU=Departed,OU=Guests',
        '"OU=Departed',
        "51:31: `lifecycle.left.move` is outside `directory.ous` of the settings (OU=Guests,DC=contoso,DC=test)",
    ),
    (
        "  - {when: ",
        '  - {ou: "OU=Guests,DC=contoso,DC=test"}\n  - {when: ',
        (
            "29:5: `placement[1]` is never reached: `placement[0]` holds for every guest\n"
            "policies/guests.yaml:30:5: `placement[2]` is never reached: `placement[0]` holds for every guest"
        ),
    ),
    # limits
    ("30d", "a month", "51:89: `lifecycle.left.delete_after` must be a duration such as 30m, 24h or 30d"),
    (
        "{percent: 30}",
        "{percents: 30}",
        "58:12: `guards.update.percents` is not known here; did you mean `percent`?",
    ),
    (
        "{max: 5000}",
        "{max: 5e3}",
        "57:17: `guards.create.max` must be a whole number, without a decimal point or exponent",
    ),
    (
        "[NORMAL_ACCOUNT, SMARTCARD_REQUIRED]",
        "262656.0",
        ("34:23: `initial.userAccountControl` must be a list or a whole number, without a decimal point or exponent"),
    ),
    (
        "guest: guest.userPrincipalName}",
        "guest: guest.userPrincipalName.substring(0, 20)}",
        "24:78: `join[1].20)` is not known here; inside { } a comma ends a value, so put quotes around one that holds commas",
    ),
    (
        "mail: guest.mail\n",
        "mail: has(guest.mail) ? guest.mail.split('@') : guest.mail\n",
        (
            "44:49: not YAML: mapping values are not allowed here; a value that holds quotes, `: `, commas or brackets needs"
            " quotes around the whole"
        ),
    ),
    ("{percent: 10}", "{percent: 101}", "59:19: `guards.move.percent` must be at most 100"),
    ("  delete: {", "  remove: {", "61:3: `guards.remove` is not known here; did you mean `move`?"),
    ("# hold:", "hold: [{reason: x, until: 2026-12-31}]\n#", "65:8: `hold[0]` must name either `guest` or `account`"),
    (
        "# hold:",
        "hold: [{guest: 00000000-0000-0000-0000-000000000000, reason: x, until: 2026-02-30}]\n#",
        "65:72: `hold[0].until` is not a day of the calendar",
    ),
    (
        "# hold:",
        "hold: [{account: S-1-5-32-544, reason: x, until: 2026-02-28}]\n#",
        "65:18: `hold[0].account` must be the account's SID (S-1-5-21-…)",
    ),
    (
        "# hold:",
        "acknowledge: [{counts: {disable: 0}, reason: x, until: 2026-02-28}]\n#",
        "65:34: `acknowledge[0].counts.disable` must be at least 1",
    ),
    # own attributes
    ("scope:\n", "attributes: {mail: {}}\nscope:\n", "17:14: `mail` is known already: remove it here"),
    (
        "scope:\n",
        "attributes: {msDS-KeyCredentialLink: {}}\nscope:\n",
        "17:14: a policy may not set `msDS-KeyCredentialLink`: it is a credential, or stands for one",
    ),
    # the file
    (
        "flows:",
        "flow:",
        "13:1: the file lacks `flows`\npolicies/guests.yaml:38:1: `flow` is not known here; did you mean `flows`?",
    ),
    ("reconcile/v1", "reconcile/v9", "13:13: `apiVersion` must be `reconcile/v1`"),
    ("scope:\n", "scope: &all\n", "17:8: an anchor (`&`): write the value out where it is needed"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[said.split(": ", 1)[1][:60] for _, _, said in MISTAKES])
def test_a_mistake_is_told_at_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(edited((old, new)))

    assert refused.value.what == f"policies/guests.yaml:{said}"
    assert refused.value.remedy


def test_an_anchor_that_two_guests_could_share_is_refused() -> None:
    for shared in ("'\"User_\" + guest.userPrincipalName'", "'\"User_\" + guest.id.substring(0, 8)'"):
        with pytest.raises(PolicyError) as refused:
            load(
                edited(
                    ("guest: '\"User_\" + guest.id'", f"guest: {shared}"),
                    ("Description: '\"User_\" + guest.id'", f"Description: {shared}"),
                )
            )

        assert refused.value.what.startswith("policies/guests.yaml:23:41: the anchor (the first join) ")


def test_the_same_anchor_may_be_spelled_differently() -> None:
    assert load(edited(("guest: '\"User_\" + guest.id'", "guest: \"'User_'  +  guest.id\"")))


def test_mistakes_of_every_block_are_told_at_once_in_the_order_of_the_file() -> None:
    text = edited(
        ("guest.userType ==", "guest.userTyp =="),
        ("guest: guest.userPrincipalName", "guest: guest.upn"),
        ("NORMAL_ACCOUNT,", "NORMAL,"),
    )
    text = text.replace("sn: guest.surname", "sn: guest.surname + 1").replace("OU=Departed,OU=Guests", "OU=Departed")

    with pytest.raises(PolicyError) as refused:
        load(text)

    assert [int(line.split(":")[1]) for line in refused.value.what.splitlines()] == [18, 24, 34, 34, 43, 51]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("'guest.mail + guest.mial'", "44:29"),
        ('"\\"a\\" + guest.mial"', "44:24"),
        ("guest.mail +\n    guest.mial", "45:11"),
        ("|\n    guest.mail +\n\n    guest.mial", "47:11"),
        (">-\n    guest.mail +\n    guest.mial", "46:11"),
    ],
)
def test_a_place_inside_an_expression_is_a_place_in_the_file(written: str, place: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(edited(("mail: guest.mail\n", f"mail: {written}\n")))

    assert f"policies/guests.yaml:{place}: `flows.mail`: unknown guest attribute `mial`" in refused.value.what


def test_a_folder_holds_exactly_one_policy() -> None:
    one = ("policies/a.yaml", DEFAULT.encode())

    with pytest.raises(PolicyError) as none:
        load_policy([("policies/README.md", b"# hello")], None)
    with pytest.raises(PolicyError) as two:
        load_policy([one, ("policies/b.yml", DEFAULT.encode())], None)
    with pytest.raises(PolicyError) as other:
        load_policy([one, ("policies/b.yaml", b"kind: Settings\n")], None)

    assert str(none.value) == "policies/: no policy here\n`reconcile init` writes the default one."
    assert (
        two.value.what
        == "policies/b.yml:14:1: a second GuestPolicy: policies/a.yaml holds one, and there is one for each directory"
    )
    assert (
        other.value.what
        == "policies/b.yaml:1:7: not a policy: a file of policies/ begins with apiVersion: reconcile/v1 and kind: GuestPolicy"
    )


def test_without_settings_a_placement_may_be_anywhere() -> None:
    assert load(DEFAULT.replace("OU=Guests", "OU=Elsewhere"), ous=None).placement
