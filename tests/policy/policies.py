"""The default policy, and variations of it."""

from __future__ import annotations

from pathlib import Path

from reconciler.model.dn import DN
from reconciler.model.guest import Guest
from reconciler.model.values import Value
from reconciler.policy.load import load_policy
from reconciler.policy.model import Policy

DEFAULT = (Path(__file__).parents[2] / "policies" / "guests.yaml").read_text(encoding="utf-8")
OUS = (DN("OU=Guests,DC=contoso,DC=test"),)
GUEST_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def edited(*edits: tuple[str, str]) -> str:
    """The default policy with each (old, new) replaced at its first place."""
    text = DEFAULT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def load(text: str, ous: tuple[DN, ...] | None = OUS) -> Policy:
    return load_policy([("policies/guests.yaml", text.encode())], ous)


def guest(**attributes: Value) -> Guest:
    return Guest(
        GUEST_ID,
        {
            "userPrincipalName": "alex_fabrikam.com#EXT#@contoso.onmicrosoft.com",
            "userType": "Guest",
            "accountEnabled": True,
            **attributes,
        },
    )
