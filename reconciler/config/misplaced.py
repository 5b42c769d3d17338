"""Secrets written where none belongs: found by the name of the key, never shown."""

from __future__ import annotations

import re

from .located import Document
from .problems import Problem

_SECRET_KEY = re.compile(
    r"pass(word|phrase|wd)|secret|token|private_?key|api_?key|^(pwd|pat|user(name)?|certificate)$", re.IGNORECASE
)
_USER_KEY = re.compile(r"user", re.IGNORECASE)
_ENTRA = (
    ("cert", "RECONCILE_ENTRA_CERTIFICATE"),
    ("key", "RECONCILE_ENTRA_CERTIFICATE"),
    ("token", "RECONCILE_ENTRA_TOKEN_FILE"),
)


def misplaced_secrets(document: Document) -> list[Problem]:
    """Return a problem for each key, anywhere in the file, that is named like a secret."""
    return [
        document.problem(
            path,
            f"`{path[-1]}` does not belong in a file that git keeps: "
            f"set the environment variable {_variable(path[0], path[-1])}"
            + (" instead" if _USER_KEY.search(path[-1]) else ", and replace the secret if one was ever committed here"),
            at_key=True,
        )
        for path in document.places
        if path and isinstance(path[-1], str) and _SECRET_KEY.search(path[-1])
    ]


def _variable(section: str | int, key: str) -> str:
    """Return the variable that a key of this section stands for; for a key of no section, all of them."""
    match section:
        case "entra":
            return next((variable for word, variable in _ENTRA if word in key.lower()), "RECONCILE_ENTRA_SECRET")
        case "directory":
            return "RECONCILE_LDAP_USER" if _USER_KEY.search(key) else "RECONCILE_LDAP_PASSWORD"
        case "forge":
            return "RECONCILE_FORGE_TOKEN"
    return "RECONCILE_ENTRA_SECRET, RECONCILE_LDAP_PASSWORD or RECONCILE_FORGE_TOKEN"
