"""Facts as an installation that is well has them, for tests to spoil one at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconciler.doctor.controllers import REQUIRED, Channel, Controller
from reconciler.doctor.domain import DomainSeen, PasswordRules
from reconciler.doctor.entra import Entra, Key
from reconciler.doctor.finding import Unknown
from reconciler.doctor.rights.names import Attribute
from reconciler.doctor.signin import SignInSeen
from reconciler.forge.protection import Protection
from reconciler.model.dn import DN
from reconciler.policy.model import Policy
from reconciler.verify.facts import TRUSTED_TO_AUTH_FOR_DELEGATION, Party, Person, Surroundings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HIDDEN = Unknown("It was hidden.")
BASE = "DC=contoso,DC=test"
UPN = "alice_fabrikam.com#EXT#@contoso.onmicrosoft.com"
JWT = "eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl"


def key(**more: object) -> Key:
    fields = {"path": "reconcile.pem", "expires": NOW + timedelta(days=200), "others": False, "inside": False}
    return Key(**{**fields, **more})  # type: ignore[arg-type]


def entra(**more: object) -> Entra:
    fields = {"credential": "certificate", "token": "opaque", "read": "", "skew": timedelta(), "key": key()}
    return Entra(**{**fields, **more})  # type: ignore[arg-type]


def controller(**more: object) -> Controller:
    fields = {
        "url": "ldaps://dc1.contoso.test",
        "reached": "reached",
        "channel": Channel("TLSv1.3", NOW + timedelta(days=200)),
        "plain": REQUIRED,
        "signed_in": "reader@contoso.test",
        "base": BASE,
        "skew": timedelta(),
    }
    return Controller(**{**fields, **more})  # type: ignore[arg-type]


def attributes(policy: Policy, flags: int = 1) -> dict[str, Attribute]:
    return {
        name.casefold(): Attribute(name, "g", None, flags, not policy.attribute(name).multi, None)
        for name in policy.account_attributes
    }


def domain(policy: Policy, **more: object) -> DomainSeen:
    fields = {
        "samba": False,
        "recycle_bin": True,
        "tombstones": 180,
        "deleted": 180,
        "passwords": PasswordRules(BASE, 7, complex=True),
        "finer": (PasswordRules("CN=strict", 20, complex=True),),
        "machines": 0,
        "suffixes": frozenset({"contoso.test"}),
        "partners": frozenset({"partner.test"}),
        "there": {DN(f"OU=Guests,{BASE}"): True},
        "attributes": attributes(policy),
        "directory_service": DN(f"CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,{BASE}"),
    }
    return DomainSeen(**{**fields, **more})  # type: ignore[arg-type]


def protection(**more: object) -> Protection:
    fields = {
        "visibility": "private",
        "pull_request": True,
        "approvals": 1,
        "last_push": True,
        "stale_dismissed": True,
        "owners": True,
        "checks": frozenset({"reconcile/plan"}),
        "rewritable": False,
        "bypass": (),
    }
    return Protection(**{**fields, **more})  # type: ignore[arg-type]


def party(**more: object) -> Party:
    fields = {"sid": "S-1-5-21-1-2-3-1105", "dn": f"CN=a,OU=Guests,{BASE}", "sam": "a", "upn": UPN, "uac": 0x40200}
    return Party(**{**fields, **more})  # type: ignore[arg-type]


def person(**more: object) -> Person:
    account = party(**more)
    return Person("guest", UPN, UPN, by_upn=True, party=account, joined=account.sid, holders=(account,))


SPN = "HTTP/app.contoso.test"


def connector(**more: object) -> Party:
    fields: dict[str, object] = {
        "dn": f"CN=connector,{BASE}",
        "sam": "connector$",
        "uac": 0x1000 | TRUSTED_TO_AUTH_FOR_DELEGATION,
        "spns": ("HOST/connector",),
        "allowed_to": (SPN,),
    }
    return party(**{**fields, **more})


def sign_in(**more: object) -> SignInSeen:
    service = party(dn=f"CN=app,{BASE}", sam="app", spns=(SPN,), uac=0x200)
    fields = {
        "kdcs": [("ldaps://dc1.contoso.test", "reached")],
        "people": (person(),),
        "around": Surroundings(SPN, connector(), (service,)),
        "connector": "connector$",
    }
    return SignInSeen(**{**fields, **more})  # type: ignore[arg-type]
