"""What an account needs, besides `rights.writer_rights`, to bring back what was deleted under one OU.

[MS-ADTS] 3.1.1.5.3.7 asks for the control right on the domain and for the rights of a move and of a modify, which a writer
has: a tombstone keeps its access list. What was deleted before a grant does not have it.
"""

from __future__ import annotations

REANIMATE_TOMBSTONES = "45ec5156-db7e-47bb-b53f-dbeb2d03c40f"
"""The control access right's rightsGuid."""

SET_BY_SAMBA = (
    *("accountExpires", "adminCount", "badPasswordTime", "badPwdCount", "codePage", "countryCode", "isRecycled"),
    *("lastLogoff", "lastLogon", "logonCount", "objectCategory", "operatorCount", "primaryGroupID", "pwdLastSet"),
    "sAMAccountType",
)
"""Samba 4.17 writes these in the name of whoever brings a user back: `rights.write_rights`, on the OU. Windows does not."""


def domain_rights(sid: str) -> dict[str, str]:
    """Return what is needed on the domain itself, as SDDL, by what it is for."""
    return {"reanimate tombstones": f"(OA;;CR;{REANIMATE_TOMBSTONES};;{sid})"}


def container_rights(sid: str) -> dict[str, str]:
    """Return what is needed on Deleted Objects. Reading it, too, is for Windows: Samba is content with the list."""
    return {"list deleted objects": f"(A;;LCRP;;;{sid})"}
