"""An answer in Graph's place is no proof that the app may read users."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.demo.pki import Authority
from reconciler.doctor import look_entra
from reconciler.doctor.finding import Unknown
from reconciler.graph.transport import Transport
from tests.graph.places import entra, settings
from tests.graph.scripted import Peer, Reply


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply({"value": [{"id": "x"}]}), ""),
        (Reply({"value": []}), ""),
        (Reply(b"<html>Sign in to the Wi-Fi</html>"), "something other than users (HTTP 200)"),
        (Reply({"hello": "world"}), "something other than users (HTTP 200)"),
        (Reply([], 200), "something other than users (HTTP 200)"),
        (Reply({"error": {"code": "Authorization_RequestDenied"}}, 403), "Graph refused to show one user (HTTP 403"),
        (Reply({}, 302, {"Location": "https://portal.test/"}), "Graph refused to show one user (HTTP 302"),
    ],
)
def test_only_users_are_taken_for_users(tmp_path: Path, reply: Reply, said: str) -> None:
    files = Authority.create("Doctor").write(tmp_path, ["localhost"])
    with Peer(files) as peer, Transport(str(files.ca)) as session:
        peer.on("/v1.0/users", reply)
        asked = settings(entra(peer.origin, str(files.ca)))
        now = datetime.now(UTC)
        found, _ = look_entra._read(asked, session, "token", now, lambda: now)
    if said:
        assert isinstance(found, Unknown)
        assert said in found.why
    else:
        assert found == ""
