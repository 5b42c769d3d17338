"""Signing a person in who has a browser somewhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.demo.pki import Files
from reconciler.demo.tenant import Tenant
from reconciler.graph.connect import open_source

from .places import TENANT, Place, entra, guests, refusal, settings, source
from .scripted import Peer


class TestADeviceCode:
    def say(self, said: list[str], decide: Callable[[str], None]) -> Callable[[str], None]:
        def say(line: str) -> None:
            said.append(line)
            decide(line.rpartition(" ")[2])

        return say

    def test_signs_a_person_in_who_is_told_where_and_what(self, place: Place, tenant: Tenant) -> None:
        said: list[str] = []
        found = open_source(settings(place("device-code")), {}, self.say(said, tenant.approve))
        assert guests(found) == ["alice@fabrikam.com"]
        assert len(said) == 1
        assert tenant.authority in said[0]

    def test_asks_the_person_once_even_when_the_token_is_renewed(self, place: Place, tenant: Tenant) -> None:
        said: list[str] = []
        found = open_source(settings(place("device-code")), {}, self.say(said, tenant.approve))
        guests(found)
        tenant.expire_access_tokens()
        assert guests(found)
        assert len(said) == 1

    def test_that_is_declined_says_so(self, place: Place, tenant: Tenant) -> None:
        error = refusal(open_source(settings(place("device-code")), {}, self.say([], tenant.deny)))
        assert "declined" in error.what
        assert "AADSTS70042" in error.what

    def test_for_an_unknown_app_says_so(self, place: Place) -> None:
        error = refusal(open_source(settings(place("device-code", client=TENANT)), {}, print))
        assert "AADSTS700016" in error.what

    def test_is_refused_where_the_page_or_the_code_could_trick_a_terminal(self, peer: Peer, tls: Files) -> None:
        tenant = f"{peer.origin}/{TENANT}"
        endpoints = dict.fromkeys(("authorization_endpoint", "token_endpoint"), f"{tenant}/x")
        peer.on(
            f"/{TENANT}/v2.0/", {"issuer": tenant, "device_authorization_endpoint": f"{tenant}/device", **endpoints}
        )
        flow = {"device_code": "d", "expires_in": 900, "interval": 0}
        said: list[str] = []
        for page, code in (("https://a\x1b[2J", "ABC"), ("http://a.test", "ABC"), ("https://a.test", "A\x1b[2J")):
            peer.on(f"/{TENANT}/device", {**flow, "verification_uri": page, "user_code": code})
            assert (
                "describes no device-code sign-in"
                in refusal(source(entra(peer.origin, str(tls.ca), "device-code"), {}, said)).what
            )
        assert said == []

    @pytest.mark.parametrize("endpoint", [None, "http://localhost/device"])
    def test_goes_nowhere_where_the_host_offers_none_over_tls(
        self, peer: Peer, tls: Files, endpoint: str | None
    ) -> None:
        tenant = f"{peer.origin}/{TENANT}"
        endpoints = dict.fromkeys(("authorization_endpoint", "token_endpoint"), f"{tenant}/x")
        peer.on(f"/{TENANT}/v2.0/", {"issuer": tenant, "device_authorization_endpoint": endpoint, **endpoints})
        refusal(source(entra(peer.origin, str(tls.ca), "device-code"), {}))
        assert len(peer.asked) == 1
