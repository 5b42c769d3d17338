"""What a person meets who starts `reconcile` in the wrong place, with wrong secrets, or with an end out of reach.

Each time: one message that names the object and the remedy, the exit code that fits, and nothing written anywhere.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .case import Case
from .stranger import Stranger

pytestmark = pytest.mark.samba
SETTINGS = "reconcile.yaml"
APPLY = ("apply", "--yes")
BOTH = pytest.mark.parametrize("command", [("snapshot",), APPLY], ids=["snapshot", "apply"])


def moved_ends(case: Case, command: tuple[str, ...]) -> None:
    """Let the merged plan be of the settings as they are now: `apply` reads those of the protected branch."""
    if command == APPLY:
        case.ops.reconcile("plan")
        case.ops.commit("other settings")


# --- the environment


@BOTH
@pytest.mark.parametrize("variable", ["RECONCILE_ENTRA_SECRET", "RECONCILE_LDAP_USER", "RECONCILE_LDAP_PASSWORD"])
def test_a_missing_variable_is_named(case: Case, variable: str, command: tuple[str, ...]) -> None:
    del case.ops.env[variable]
    case.refused(*command, says=[f"{variable} is not set", f"Set {variable}"])


@pytest.mark.parametrize(
    ("credential", "says"),
    [
        ("certificate", ["RECONCILE_ENTRA_CERTIFICATE is not set"]),
        ("federated", ["no token to present", "RECONCILE_ENTRA_TOKEN_FILE", "id-token: write"]),
    ],
)
def test_each_credential_names_its_own_variable(case: Case, credential: str, says: list[str]) -> None:
    case.replace(SETTINGS, "credential: secret", f"credential: {credential}")
    case.refused("snapshot", says=says)


@pytest.mark.parametrize(
    ("credential", "variable"),
    [("certificate", "RECONCILE_ENTRA_CERTIFICATE"), ("federated", "RECONCILE_ENTRA_TOKEN_FILE")],
)
def test_a_file_that_a_variable_names_must_be_there(case: Case, credential: str, variable: str) -> None:
    case.replace(SETTINGS, "credential: secret", f"credential: {credential}")
    gone = str(case.ops.root / "gone.pem")
    case.refused("snapshot", says=[gone, "No such file or directory", variable], env={variable: gone})


@BOTH
def test_other_settings_than_the_pinned_ones_connect_nowhere(case: Case, command: tuple[str, ...]) -> None:
    case.tenant.forget_requests()
    pinned = {"RECONCILE_SETTINGS_SHA256": "ab" * 32}
    case.refused(*command, says=["reconcile.yaml is not the one", "pinned: abab", "found: "], env=pinned)
    assert case.tenant.requests == ()


@BOTH
def test_a_wrong_password_says_whose_and_where(case: Case, command: tuple[str, ...]) -> None:
    user = case.ops.env["RECONCILE_LDAP_USER"]
    says = [case.samba.url, user, "wrong user name or password", "RECONCILE_LDAP_PASSWORD"]
    case.refused(*command, says=says, env={"RECONCILE_LDAP_PASSWORD": "not-the-password"})


@BOTH
def test_a_wrong_client_secret_says_which_app(case: Case, command: tuple[str, ...]) -> None:
    says = ["the client secret is wrong", "AADSTS7000215", case.tenant.client_id, "RECONCILE_ENTRA_SECRET"]
    message = case.refused(*command, says=says, env={"RECONCILE_ENTRA_SECRET": "not-the-secret"})
    assert "not-the-secret" not in message


# --- the ends


@BOTH
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ldaps://127.0.0.1:1", ["ldaps://127.0.0.1:1 cannot be reached on port 1", "refused", "Check the name"]),
        (
            "ldaps://dc9.contoso.invalid",
            [
                "ldaps://dc9.contoso.invalid cannot be reached: the name dc9.contoso.invalid has no address",
                "DNS server",
            ],
        ),
    ],
)
def test_an_unreachable_controller_is_named(case: Case, url: str, says: list[str], command: tuple[str, ...]) -> None:
    case.replace(SETTINGS, case.samba.url, url)
    case.replace("state/manifest.yaml", case.samba.url, url)
    moved_ends(case, command)
    case.refused(*command, says=says)


def test_of_several_unreachable_controllers_each_is_named(case: Case) -> None:
    case.replace(SETTINGS, f'"{case.samba.url}"', '"ldaps://127.0.0.1:1", "ldaps://127.0.0.1:2"')
    case.refused(
        "snapshot", says=["No domain controller can be used", "127.0.0.1:1 ", "127.0.0.1:2 ", "Check the name"]
    )


def test_a_plan_is_not_applied_through_another_controller_than_it_was_read_from(case: Case) -> None:
    case.replace(SETTINGS, f'"{case.samba.url}"', '"ldaps://127.0.0.1:1"')
    moved_ends(case, APPLY)
    case.refused(*APPLY, says=[case.samba.url, "is not among directory.controllers", "Import again"])


def test_a_controller_that_nobody_vouches_for_is_not_signed_in_to(case: Case) -> None:
    case.replace(SETTINGS, str(case.samba.ca_file), str(case.tenant.ca_file(case.ops.root)))
    case.refused("snapshot", says=[case.samba.url, "not trusted", "directory.ca_file"])


def test_a_controller_of_another_name_is_not_signed_in_to(case: Case, tmp_path: Path) -> None:
    with Stranger(tmp_path, "dc9.contoso.test") as stranger:
        case.replace(SETTINGS, case.samba.url, f"ldaps://localhost:{stranger.port}")
        case.replace(SETTINGS, str(case.samba.ca_file), str(stranger.ca))
        says = [f"ldaps://localhost:{stranger.port} shows a certificate for another name", "directory.controllers"]
        case.refused("snapshot", says=says)


@pytest.mark.parametrize(
    ("name", "trusted", "says"),
    [
        ("localhost", False, ["not trusted", "entra.ca_file"]),
        ("login.example", True, ["not trusted", "Hostname mismatch", "'localhost'"]),
    ],
    ids=["untrusted", "another-name"],
)
def test_a_sign_in_that_nobody_vouches_for_gets_no_secret(
    case: Case, tmp_path: Path, name: str, trusted: bool, says: list[str]
) -> None:
    with Stranger(tmp_path, name) as stranger:
        case.replace(SETTINGS, f"authority: {case.tenant.authority}", f"authority: https://localhost:{stranger.port}")
        if trusted:
            case.replace(SETTINGS, f'ca_file: "{case.entra_ca}"', f'ca_file: "{stranger.ca}"')
        case.refused("snapshot", says=[f"localhost:{stranger.port}", *says])


def test_a_graph_that_is_down_is_named(case: Case) -> None:
    case.replace(SETTINGS, f"authority: {case.tenant.authority}", "authority: https://localhost:1")
    case.refused("snapshot", says=["localhost:1 cannot be reached", "refused", "Check its name in reconcile.yaml"])


def test_a_ca_file_that_is_not_there_is_named(case: Case) -> None:
    case.replace(SETTINGS, f'ca_file: "{case.entra_ca}"', 'ca_file: "gone.pem"')
    case.refused("snapshot", says=["entra.ca_file", str(case.directory / "gone.pem"), "No such file"])


def test_an_ou_that_is_not_there_is_named(case: Case) -> None:
    case.replace(SETTINGS, f'ous: ["{case.ou}"]', f'ous: ["{case.ou}", "OU=Nowhere,{case.samba.base}"]')
    case.refused("snapshot", says=[f"There is no OU=Nowhere,{case.samba.base}", "directory.ous"])


def test_the_wrong_domain_is_told_from_the_right_one(case: Case) -> None:
    case.replace(SETTINGS, f"base: {case.samba.base}", "base: DC=adatum,DC=test")
    case.replace(SETTINGS, f'ous: ["{case.ou}"]', 'ous: ["OU=Guests,DC=adatum,DC=test"]')
    case.replace("policies/guests.yaml", case.ou, "OU=Guests,DC=adatum,DC=test", every=True)
    case.refused("snapshot", says=[f"serves the domain {case.samba.base}", "DC=adatum,DC=test", "directory.base"])


# --- the command line


@pytest.mark.parametrize("command", ["snapshot", "plan", "validate", "propose", "unlock"])
@pytest.mark.parametrize("target", ["reconcile.yaml", "nowhere"])
def test_a_directory_that_is_none_is_a_matter_of_usage(case: Case, target: str, command: str) -> None:
    where = str(case.directory / target)
    case.refused("-C", where, command, says=[f"{where} is not a directory", "-C DIR"], code=64)


def test_a_directory_without_settings_is_named_in_full(case: Case) -> None:
    where = str(case.directory / "policies")
    case.refused("-C", where, "plan", says=[f"{where} has no reconcile.yaml", "reconcile init"])


def test_apply_without_a_terminal_asks_for_yes(case: Case) -> None:
    case.refused("apply", says=["apply needs --yes", "--digest"], code=64)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("plann",), "invalid choice: 'plann' (choose from "),  # how the choices are quoted differs by Python
        (("plan", "--frmat", "x"), "unrecognized arguments: --frmat x"),
        (("plan", "--format", "pdf"), "invalid choice: 'pdf' (choose from "),
        (("demo", "--guests", "x"), "the story needs at least 4 guests, not 'x'"),
        (("demo", "--guests", "0"), "the story needs at least 4 guests, not '0'"),
    ],
)
def test_a_command_line_that_is_off_says_where_and_exits_64(case: Case, arguments: tuple[str, ...], says: str) -> None:
    done = case.ops.reconcile(*arguments, expect=64)
    assert done.err.startswith("usage: reconcile")
    assert says in done.err
    assert done.out == ""
