"""Names from outside become Kerberos principals: one component each, and never another realm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import UsageError
from reconciler.model.dn import DN
from reconciler.verify.principals import component, krb5_conf, realm_of, service
from reconciler.verify.tickets import library

_NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


@given(_NAMES)
def test_whatever_a_name_is_it_is_one_name_of_our_realm(name: str) -> None:
    gss: Any = library()
    made = gss.Name(f"{component(name)}@CONTOSO.TEST", gss.NameType.kerberos_principal)
    assert str(made) == f"{component(name)}@CONTOSO.TEST"  # as the library itself writes it


@pytest.mark.parametrize("wrong", ["app.contoso.test", "HTTP/", "HTTP/a@OTHER.TEST", "HTTP/a b", "-x", "HTTP\\/a/b"])
def test_what_is_no_service_principal_name_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError, match="Not a service principal name"):
        service(wrong)


def test_services_with_and_without_an_instance_are_taken() -> None:
    assert [service(s) for s in ("HTTP/app.contoso.test", "MSSQLSvc/db.contoso.test:1433", "ldap/dc1/contoso.test")]


def test_a_controller_that_is_no_host_does_not_get_into_the_configuration() -> None:
    _, last = krb5_conf("CONTOSO.TEST", ["dc1.contoso.test", "[::1]", "x\n[libdefaults]\n default_realm = EVIL", "a b"])
    assert last == "[realms]\n    CONTOSO.TEST = {\n        kdc = dc1.contoso.test\n        kdc = [::1]\n    }\n"


def test_a_domain_that_is_no_dns_name_is_refused() -> None:
    assert realm_of(DN("DC=contoso,DC=test")) == "CONTOSO.TEST"
    for wrong in ("OU=x", "DC=a b,DC=test", "DC=a\\0a[x],DC=test"):
        with pytest.raises(UsageError, match="names no DNS domain"):
            realm_of(DN(wrong))
