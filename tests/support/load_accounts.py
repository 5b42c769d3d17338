"""Run by the system's own Python, which has Samba's modules: puts many accounts under an OU at once.

Arguments: smb.conf, how many, the OU's DN. The controller keeps its database as mdb. Samba adds one account itself; the
others are copies of its record, with names, GUID, SID and USNs of their own, written past Samba's modules and its indexes,
which are then made anew in one go. What the copies lack: a number from the pool of RIDs (theirs are far above it),
replication metadata of their own (it is the first one's), a password. `samba-tool dbcheck` finds nothing wrong with them.
"""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path
from typing import Any

import ldb
import tdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

_FIRST_RID = 1_000_000
_BATCH = 10_000
_INDEXES = ("@IDXATTR", "@IDXONE")


def values(n: int) -> dict[str, str]:
    """Return what tells one account from another."""
    return {
        "cn": f"load{n}",
        "sAMAccountName": f"load{n}",
        "userPrincipalName": f"load{n}_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        "displayName": f"Given{n} Family{n}",
        "givenName": f"Given{n}",
        "sn": f"Family{n}",
        "mail": f"load{n}@fabrikam.com",
        "adminDescription": f"User_{n}",
    }


def main(conf: str, count: int, ou: str) -> None:
    """Add one, copy it, and make the indexes anew."""
    load = LoadParm()
    load.load(conf)
    directory = SamDB(session_info=system_session(), lp=load)
    own = {name: text for name, text in values(0).items() if name != "cn"}
    directory.add({"dn": f"CN=load0,{ou}", "objectClass": "user", "employeeType": "Guest", **own})
    folder = Path(load.get("private dir")) / "sam.ldb.d"
    file = folder / f"{directory.domain_dn().upper()}.ldb"
    del directory  # mdb must not be open twice in one process
    database = ldb.Ldb(f"mdb://{file}", options=["modules:"])
    indexes = _fields(database, "@INDEXLIST")
    _put(database, "@INDEXLIST", {name: [] if name in _INDEXES else held for name, held in indexes.items()})
    last = _copy(database, count, ou)
    _put(database, "@REPLCHANGED", {"uSNHighest": [b"%d" % last]})
    del database
    sequence = tdb.open(str(folder / "metadata.tdb"), flags=os.O_RDWR)
    sequence.store(b"SEQ_NUM", b"%d" % last)
    sequence.close()
    # Through Samba's modules, so that index keys are made by the schema's rules.
    _put(SamDB(session_info=system_session(), lp=load), "@INDEXLIST", indexes)


def _copy(database: Any, count: int, ou: str) -> int:
    """Write the copies; return the USN of the last."""
    first = _fields(database, f"CN=load0,{ou}")
    usn, sid = int(first["uSNChanged"][0]), first["objectSid"][0][:-4]
    for start in range(1, count, _BATCH):
        database.transaction_start()
        for n in range(start, min(start + _BATCH, count)):
            dn = f"CN=load{n},{ou}"
            changed = b"%d" % (usn + n)
            record = {
                **first,
                **{name: [text.encode()] for name, text in values(n).items()},
                "name": [b"load%d" % n],
                "uSNCreated": [changed],
                "uSNChanged": [changed],
                "objectGUID": [struct.pack(">Q", n) + os.urandom(8)],  # ascending: an index is filled from its end
                "objectSid": [sid + struct.pack("<I", _FIRST_RID + n)],
                "distinguishedName": [dn.encode()],
            }
            database.add(_message(database, dn, record, ldb.FLAG_MOD_ADD))
        database.transaction_commit()
    return usn + count


def _fields(database: Any, dn: str) -> dict[str, list[bytes]]:
    (found,) = database.search(ldb.Dn(database, dn), ldb.SCOPE_BASE)
    return {name: [bytes(value) for value in found[name]] for name in found.keys() if name != "dn"}  # noqa: SIM118


def _put(database: Any, dn: str, fields: dict[str, list[bytes]]) -> None:
    fields = {name: held for name, held in fields.items() if name != "distinguishedName"}
    database.modify(_message(database, dn, fields, ldb.FLAG_MOD_REPLACE))


def _message(database: Any, dn: str, fields: dict[str, list[bytes]], how: int) -> Any:
    message = ldb.Message(ldb.Dn(database, dn))
    for name, held in fields.items():
        message[name] = ldb.MessageElement(held, how, name)
    return message


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
