"""A Kerberos environment of one's own: nobody's default credential cache, nobody's default keytab."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from .principals import krb5_conf

_SYSTEM = "/etc/krb5.conf"


def memory() -> str:
    """Return the name of a credential cache that nobody else has, in this process's memory."""
    return f"MEMORY:reconcile-{uuid4().hex}"


@contextmanager
def alone(env: Mapping[str, str], realm: str, hosts: Sequence[str]) -> Iterator[None]:
    """Let the Kerberos library find the realm, by `KRB5_CONFIG` of `env` or the system's file, and no tickets at all.

    The library reads the process's environment whenever it is asked, so that is what changes, for as long as the block
    lasts. Whatever should fall back to the default cache finds an empty one.
    """
    with tempfile.TemporaryDirectory(prefix="reconcile-krb5-") as folder:
        first, last = (Path(folder, name) for name in ("first.conf", "last.conf"))
        for path, text in zip((first, last), krb5_conf(realm, list(hosts)), strict=True):
            path.write_text(text)
        configured = os.pathsep.join(map(str, (first, env.get("KRB5_CONFIG") or _SYSTEM, last)))
        ours = {
            "KRB5_CONFIG": configured,
            "KRB5CCNAME": memory(),
            "KRB5_CLIENT_KTNAME": f"{folder}/none",
            "KRB5_KTNAME": f"{folder}/none",
        }
        before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
