"""The least an account needs to do what `apply` does under one OU, as access control entries ([MS-DTYP] 2.5.1).

`docs/how-to/least-privilege.md` says the same in commands; a test takes away each of these in turn and sees what is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

NAMES = ("cn", "name")
"""Both belong to the leaf of a DN: whoever renames or moves an account writes them ([MS-ADTS] 3.1.1.5.4.1.1)."""

DEFAULT_POLICY = (
    *("adminDescription", "displayName", "employeeType", "givenName", "mail"),
    *("sAMAccountName", "sn", "userAccountControl", "userPrincipalName"),
)
"""What the policy that ships writes: `reconcile validate` lists it for any policy ("imports from AD")."""

_USER = "bf967aba-0de6-11d0-a285-00aa003049e2"
"""schemaIDGUID of the class user."""
_RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"  # noqa: S105  the control access right's rightsGuid


def writer_rights(sid: str, schema_ids: Mapping[str, str]) -> dict[str, str]:
    """Return each right as one entry in SDDL, by what it is for. `schema_ids`: the attributes' schemaIDGUIDs by name.

    Creating and deleting children covers moves too, since both ends are under the OU. Everything else is inherited by
    users alone: nothing here lets the account change the OU, a group, a computer or any other attribute.
    """
    return {
        "create and delete users": f"(OA;CI;CCDC;{_USER};;{sid})",
        "reset passwords": f"(OA;CIIO;CR;{_RESET_PASSWORD};{_USER};{sid})",
        **write_rights(sid, schema_ids),
    }


def write_rights(sid: str, schema_ids: Mapping[str, str]) -> dict[str, str]:
    """Return the right to write each of these attributes of users below the object it is granted on."""
    return {f"write {name}": f"(OA;CIIO;WP;{guid};{_USER};{sid})" for name, guid in sorted(schema_ids.items())}


def written(attributes: Iterable[str]) -> tuple[str, ...]:
    """Return the attributes to grant for a policy that writes these."""
    return tuple(sorted({*attributes, *NAMES}))
