"""The domain controller of the demonstration and the tests: its life, its end, and what it is like."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.demo.samba import Controller, template
from reconciler.errors import DirectoryError, DirectoryUnavailableError

pytestmark = pytest.mark.samba

CHILD = """
import sys, time
from reconciler.demo.samba import Controller
with Controller() as controller:
    print(controller.server.pid, controller.address, controller.root, flush=True)
    time.sleep(60)
"""
PREPARE = """
import pathlib, sys
from reconciler.demo.samba import template
target = pathlib.Path(sys.argv[1])
target.mkdir()
print(len(template.unpack(target, pathlib.Path(sys.argv[2]))))
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pid)


class TestLife:
    def test_two_live_side_by_side_with_secrets_of_their_own(self, samba: Controller) -> None:
        with Controller() as other:
            assert other.address != samba.address
            assert other.admin_password != samba.admin_password
            with other.administrator() as administrator:
                administrator.ou(f"OU=Only here,{other.base}")
            with samba.administrator() as administrator, pytest.raises(DirectoryError):
                administrator.read(f"OU=Only here,{samba.base}", "ou")

    def test_in_the_end_nothing_is_left(self) -> None:
        with Controller() as controller:
            pid, root, address = controller.server.pid, controller.root, controller.address
            assert alive(pid)
        assert not alive(pid)
        assert not root.exists()
        with socket.socket() as probe:
            assert probe.connect_ex((address, 636)) != 0

    def test_an_exception_ends_it_too(self) -> None:
        controller = Controller()
        with pytest.raises(RuntimeError, match="on purpose"), controller:
            raise RuntimeError("on purpose")
        assert not alive(controller.server.pid)
        assert not controller.root.exists()

    @pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
    def test_it_ends_with_whoever_started_it(self, how: signal.Signals) -> None:
        with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            pid, address, root = parent.stdout.readline().split()
            assert alive(int(pid))
            parent.send_signal(how)
            parent.wait(10)
        assert gone_within(int(pid), 5)
        subprocess.run(["rm", "-rf", root], check=True)  # a killed parent leaves its files
        with socket.socket() as probe:
            assert probe.connect_ex((address, 636)) != 0

    def test_its_secrets_are_readable_by_this_user_alone(self, samba: Controller) -> None:
        assert stat.S_IMODE(samba.root.stat().st_mode) == 0o700
        assert stat.S_IMODE((samba.root / "tls/key.pem").stat().st_mode) == 0o600
        argv = Path(f"/proc/{samba.server.pid}/cmdline").read_text()
        assert samba.admin_password not in argv + repr(samba)


class TestDomain:
    def test_its_schema_is_windows_2016s(self, samba: Controller) -> None:
        schema = f"CN=Schema,CN=Configuration,{samba.base}"
        with samba.administrator() as administrator:
            assert administrator.read(schema, "objectVersion") == {"objectVersion": [b"87"]}
            anchor = f"CN=ms-DS-External-Directory-Object-Id,{schema}"
            assert administrator.read(anchor, "lDAPDisplayName")["lDAPDisplayName"] == [
                b"msDS-ExternalDirectoryObjectId"
            ]

    def test_its_database_is_sound(self, samba: Controller) -> None:
        assert "(0 errors)" in samba.dbcheck()

    def test_its_tools_say_why_they_failed(self, samba: Controller) -> None:
        assert "Administrator" in samba.samba_tool("user", "list")
        with pytest.raises(DirectoryUnavailableError, match="nobody-at-all"):
            samba.samba_tool("user", "show", "nobody-at-all")

    def test_its_kerberos_gives_tickets(self, samba: Controller, tmp_path: Path) -> None:
        login = samba.reader("kerberos-user")
        env = {**os.environ, **samba.krb5_env(), "KRB5CCNAME": f"FILE:{tmp_path / 'ccache'}"}
        principal = f"kerberos-user@{samba.realm}"
        subprocess.run(["kinit", principal], env=env, input=login.password, text=True, check=True, capture_output=True)
        listed = subprocess.run(["klist"], env=env, capture_output=True, text=True, check=True).stdout
        assert f"krbtgt/{samba.realm}@{samba.realm}" in listed


class TestTemplate:
    def test_two_processes_that_need_it_at_once_make_one(self, tmp_path: Path) -> None:
        cache = tmp_path / "cache"

        def prepare(n: int) -> str:
            command = [sys.executable, "-c", PREPARE, str(tmp_path / f"copy{n}"), str(cache)]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        with ThreadPoolExecutor(2) as both:
            assert len(set(both.map(prepare, range(2)))) == 1
        [packed] = cache.glob("*.tar.gz")
        assert stat.S_IMODE(packed.stat().st_mode) == 0o600
        assert [p.name for p in cache.iterdir() if p.is_dir()] == []
        copies = [(tmp_path / f"copy{n}/etc/administrator").read_text() for n in range(2)]
        assert copies[0] == copies[1]

    def test_where_samba_is_missing_the_packages_are_named(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(template, "SAMBA", ())
        with pytest.raises(DirectoryUnavailableError, match="not installed") as caught, Controller():
            pass
        for package in ("samba-ad-dc", "samba-ad-provision", "python3-samba", "krb5-user", "ldb-tools"):
            assert package in caught.value.remedy

    @pytest.mark.parametrize("lacking", ["-U", "-Urn"], ids=["privilege", "loopback"])
    def test_where_its_ports_cannot_be_had_the_remedies_are_named(self, lacking: str) -> None:
        code = "from reconciler.demo.samba import Controller\nwith Controller(): pass"
        command = ["unshare", lacking, sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "DirectoryUnavailableError" in done.stderr
        assert "ip_unprivileged_port_start" in done.stderr
        assert "ip link set lo up" in done.stderr

    def test_it_runs_unprivileged_in_a_namespace_of_its_own(self) -> None:
        inside = shlex.join(
            [sys.executable, "-c", "from reconciler.demo.samba import Controller\nwith Controller(): pass"]
        )
        command = ["unshare", "-Urn", "sh", "-c", f"ip link set lo up && exec {inside}"]
        subprocess.run(command, check=True)
