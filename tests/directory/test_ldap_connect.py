"""Connecting: verified TLS, one sign-in, controllers in order; and what each failure says."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.demo.pki import Authority
from reconciler.demo.samba import Controller, Login
from reconciler.directory.connect import open_reader, open_writer
from reconciler.directory.ldap.dial import Endpoint, Patience, Simple, dial
from reconciler.directory.ldap.tls import context
from reconciler.errors import DirectoryUnavailableError, SettingsError
from reconciler.model.dn import DN
from reconciler.model.settings import Settings
from tests.support.samba import Accounts, samba_env, samba_settings

pytestmark = pytest.mark.samba


def works(settings: Settings, env: dict[str, str]) -> str:
    """Return the controller that answered."""
    reader = open_reader(settings, env, None)
    controller = reader.domain().controller
    reader.close()
    return controller


@pytest.fixture
def env(samba_accounts: Accounts) -> dict[str, str]:
    return samba_env(samba_accounts.reader)


@pytest.fixture
def nobody_listens() -> Iterator[int]:
    """A port that is taken and refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class TestTls:
    def test_ldaps_with_the_authority_in_the_settings(self, samba: Controller, env: dict[str, str]) -> None:
        assert works(samba_settings(samba), env) == samba.url

    def test_the_authority_may_be_named_relative_to_the_operations_directory(
        self, samba: Controller, env: dict[str, str]
    ) -> None:
        relative = str(samba.ca_file.relative_to(samba.root))
        assert works(samba_settings(samba, ca_file=relative), env) == samba.url

    def test_ldap_means_starttls(self, samba: Controller, env: dict[str, str]) -> None:
        url = f"ldap://{samba.address}"
        assert works(samba_settings(samba, controllers=(url,)), env) == url

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_another_authority_is_not_trusted(
        self, samba: Controller, env: dict[str, str], tmp_path: Path, scheme: str
    ) -> None:
        other = tmp_path / "other.pem"
        other.write_bytes(Authority.create("Somebody else").pem)
        settings = samba_settings(samba, controllers=(f"{scheme}://{samba.address}",), ca_file=str(other))
        with pytest.raises(DirectoryUnavailableError, match="not trusted") as caught:
            open_reader(settings, env, None)
        assert "directory.ca_file" in caught.value.remedy

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_the_systems_roots_do_not_know_a_private_authority(
        self, samba: Controller, env: dict[str, str], scheme: str
    ) -> None:
        settings = samba_settings(samba, controllers=(f"{scheme}://{samba.address}",), ca_file=None)
        with pytest.raises(DirectoryUnavailableError, match="not trusted"):
            open_reader(settings, env, None)

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_a_certificate_for_another_name_is_refused(
        self, env: dict[str, str], samba: Controller, scheme: str
    ) -> None:
        with Relay("localhost", samba.address, 636 if scheme == "ldaps" else 389) as port:
            settings = samba_settings(samba, controllers=(f"{scheme}://localhost:{port}",))
            with pytest.raises(DirectoryUnavailableError, match="another name") as caught:
                open_reader(settings, env, None)
        assert "directory.controllers" in caught.value.remedy

    def test_a_server_without_tls_is_not_talked_to(self, samba: Controller, env: dict[str, str]) -> None:
        settings = samba_settings(samba, controllers=(f"ldaps://{samba.address}:389",))
        with pytest.raises(DirectoryUnavailableError) as caught:
            open_reader(settings, env, None)
        assert caught.value.remedy

    @pytest.mark.parametrize("content", [None, b"not a certificate"])
    def test_a_bad_authority_file_is_named(
        self, samba: Controller, env: dict[str, str], tmp_path: Path, content: bytes | None
    ) -> None:
        bad = tmp_path / "bad.pem"
        if content is not None:
            bad.write_bytes(content)
        with pytest.raises(SettingsError, match=r"bad\.pem"):
            open_reader(samba_settings(samba, ca_file=str(bad)), env, None)


class TestReaching:
    def test_a_refused_connection(self, samba: Controller, env: dict[str, str], nobody_listens: int) -> None:
        url = f"ldaps://127.0.0.1:{nobody_listens}"
        with pytest.raises(DirectoryUnavailableError, match="cannot be reached") as caught:
            open_reader(samba_settings(samba, controllers=(url,)), env, None)
        assert url in str(caught.value)
        assert caught.value.remedy

    def test_an_unknown_name(self, samba: Controller, env: dict[str, str]) -> None:
        with pytest.raises(DirectoryUnavailableError, match="cannot be reached"):
            open_reader(samba_settings(samba, controllers=("ldaps://no-such-host.invalid",)), env, None)

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_a_silent_server_is_given_up(self, samba: Controller, scheme: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            endpoint = Endpoint.parse(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(DirectoryUnavailableError, match="timed out"):
                dial(endpoint, context(samba.ca_file), Simple("u", "p"), read_only=True, patience=Patience(1, 1))

    def test_the_next_controller_is_tried(self, samba: Controller, env: dict[str, str], nobody_listens: int) -> None:
        refused = f"ldaps://127.0.0.1:{nobody_listens}"
        assert works(samba_settings(samba, controllers=(refused, samba.url)), env) == samba.url

    def test_every_controllers_failure_is_told(
        self, samba: Controller, env: dict[str, str], nobody_listens: int
    ) -> None:
        urls = (f"ldaps://127.0.0.1:{nobody_listens}", "ldaps://no-such-host.invalid")
        with pytest.raises(DirectoryUnavailableError) as caught:
            open_reader(samba_settings(samba, controllers=urls), env, None)
        assert all(url in str(caught.value) for url in urls)

    def test_a_controller_that_was_asked_for_is_the_only_one(
        self, samba: Controller, env: dict[str, str], nobody_listens: int
    ) -> None:
        refused = f"ldaps://127.0.0.1:{nobody_listens}"
        settings = samba_settings(samba, controllers=(samba.url, refused))
        with pytest.raises(DirectoryUnavailableError):
            open_reader(settings, env, None, refused)
        reader = open_reader(settings, env, None, samba.url)
        assert reader.domain().controller == samba.url
        reader.close()

    def test_a_controller_that_the_settings_do_not_name_never_sees_the_password(
        self, samba: Controller, env: dict[str, str]
    ) -> None:
        with pytest.raises(SettingsError, match="not among"):
            open_writer(samba_settings(samba), env, None, "ldaps://elsewhere.example.test")

    def test_another_domain_than_the_settings_say(self, samba: Controller, env: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match="serves the domain"):
            open_reader(samba_settings(samba, base=DN("DC=fabrikam,DC=test")), env, None)

    def test_a_lost_connection_is_unavailable_and_stays_so(self) -> None:
        with Controller() as controller:
            login = Login(controller.admin_user, controller.admin_password)
            writer = open_writer(samba_settings(controller), samba_env(login), None)
            guid = next(iter(writer.accounts([DN(controller.base)], ["cn"]))).guid
            controller.server.stop()
            for _ in range(2):
                with pytest.raises(DirectoryUnavailableError):
                    writer.delete(guid)
                with pytest.raises(DirectoryUnavailableError):
                    writer.exists(DN(controller.base))
            writer.close()


class TestSigningIn:
    def test_a_wrong_password(self, samba: Controller, env: dict[str, str]) -> None:
        wrong = {**env, "RECONCILE_LDAP_PASSWORD": "wrong-Passw0rd"}
        with pytest.raises(DirectoryUnavailableError, match="wrong user name or password") as caught:
            open_reader(samba_settings(samba), wrong, None)
        assert caught.value.code == 49
        assert "52e" in caught.value.diagnostic
        assert "RECONCILE_LDAP_PASSWORD" in caught.value.remedy
        assert "wrong-Passw0rd" not in repr(caught.value) + str(caught.value)

    @pytest.mark.parametrize(
        ("attribute", "value", "says"),
        [
            ("userAccountControl", "514", "disabled"),
            ("pwdLastSet", "0", "must be changed"),
            ("accountExpires", "130000000000000000", "account has expired"),
        ],
    )
    def test_an_account_that_may_not_sign_in_is_told_why(
        self, samba: Controller, attribute: str, value: str, says: str
    ) -> None:
        name = f"locked-{attribute.lower()[:10]}"
        login = samba.reader(name)
        with samba.administrator() as administrator:
            administrator.replace(f"CN={name},CN=Users,{samba.base}", attribute, [value])
        with pytest.raises(DirectoryUnavailableError, match=says):
            open_reader(samba_settings(samba), samba_env(login), None)

    def test_a_refused_password_is_not_tried_on_the_next_controller(
        self, samba: Controller, env: dict[str, str], nobody_listens: int
    ) -> None:
        wrong = {**env, "RECONCILE_LDAP_PASSWORD": "wrong-Passw0rd"}
        settings = samba_settings(samba, controllers=(samba.url, f"ldaps://127.0.0.1:{nobody_listens}"))
        with pytest.raises(DirectoryUnavailableError) as caught:
            open_reader(settings, wrong, None)
        assert str(nobody_listens) not in str(caught.value)

    @pytest.mark.parametrize("missing", ["RECONCILE_LDAP_USER", "RECONCILE_LDAP_PASSWORD"])
    def test_nothing_to_sign_in_with_is_an_error_and_never_an_anonymous_bind(
        self, samba: Controller, env: dict[str, str], missing: str
    ) -> None:
        for bad in ({**env, missing: ""}, {k: v for k, v in env.items() if k != missing}):
            for ask in (None, _no_answer):
                with pytest.raises(SettingsError, match=missing):
                    open_reader(samba_settings(samba), bad, ask)

    def test_a_terminal_is_asked_for_what_the_environment_lacks(
        self, samba: Controller, samba_accounts: Accounts
    ) -> None:
        login, prompts = samba_accounts.reader, list[tuple[str, bool]]()

        def ask(prompt: str, *, secret: bool) -> str:
            prompts.append((prompt, secret))
            return login.password if secret else login.user

        reader = open_reader(samba_settings(samba), {}, ask)
        assert reader.exists(DN(samba.base))
        assert prompts == [("User name for the directory: ", False), (f"Password of {login.user}: ", True)]
        reader.close()

    def test_no_password_is_in_any_representation(self, samba: Controller, samba_accounts: Accounts) -> None:
        login = samba_accounts.administrator
        writer = open_writer(samba_settings(samba), samba_env(login), None)
        assert login.password not in repr(writer) + repr(vars(writer)) + repr(Simple(login.user, login.password))
        writer.close()


def _no_answer(prompt: str, *, secret: bool) -> str:
    return ""


class TestKerberos:
    @pytest.fixture
    def tickets(
        self, samba: Controller, samba_accounts: Accounts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> dict[str, str]:
        """An environment with a credential cache of the reader's tickets."""
        env = {**samba.krb5_env(), "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
        login = samba_accounts.reader
        principal = f"reader@{samba.realm}"
        subprocess.run(["kinit", principal], env=env, input=login.password, text=True, check=True, capture_output=True)
        monkeypatch.setenv("KRB5_CONFIG", env["KRB5_CONFIG"])
        return env

    @pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
    def test_a_bind_with_tickets(self, samba: Controller, tickets: dict[str, str], scheme: str) -> None:
        url = f"{scheme}://{samba.address}"
        assert works(samba_settings(samba, bind="gssapi", controllers=(url,)), tickets) == url

    def test_no_tickets(self, samba: Controller, tickets: dict[str, str], tmp_path: Path) -> None:
        nothing = {**tickets, "KRB5CCNAME": f"FILE:{tmp_path / 'nothing'}"}
        with pytest.raises(DirectoryUnavailableError, match="Kerberos") as caught:
            open_reader(samba_settings(samba, bind="gssapi"), nothing, None)
        assert "kinit" in caught.value.remedy

    def test_another_bind_is_no_bind(self, samba: Controller, env: dict[str, str]) -> None:
        with pytest.raises(SettingsError, match="ntlm"):
            open_reader(samba_settings(samba, bind="ntlm"), env, None)


class Relay:
    """Passes bytes from a port of `host` to a server: the same certificate under another name."""

    def __init__(self, host: str, to: str, port: int) -> None:
        self._listener = socket.create_server((host, 0))
        self._to = (to, port)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> int:
        self._thread.start()
        port: int = self._listener.getsockname()[1]
        return port

    def __exit__(self, *_exc: object) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(self._to) as server:
            back = threading.Thread(target=self._pump, args=(server, client))
            back.start()
            self._pump(client, server)
            back.join(10)

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            sink.close()  # one side hung up: so do we
