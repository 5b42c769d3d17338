"""Every check there is, in the order of the report. Ids are for ever: one that goes is never used again."""

from __future__ import annotations

from typing import Final

from . import controllers, domain_checks, entra, forge, lints, signin
from .finding import Area, Check
from .rights import checks as rights

ALL: Final[tuple[Check, ...]] = (
    *entra.CHECKS,
    *controllers.CHECKS,
    *domain_checks.CHECKS,
    *rights.CHECKS,
    *signin.CHECKS,
    *forge.CHECKS,
    *lints.CHECKS,
)
TITLES: Final = {
    Area.ENTRA: "Entra ID",
    Area.CONTROLLERS: "Domain controllers",
    Area.DOMAIN: "Domain",
    Area.RIGHTS: "Rights",
    Area.SIGN_IN: "Sign-in",
    Area.FORGE: "Forge",
    Area.POLICY: "Policy",
}
