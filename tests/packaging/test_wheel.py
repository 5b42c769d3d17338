"""What is installed from the wheel: every file of the package, and each command as far as the runtime dependencies carry."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import PathDistribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from reconciler.cli.arguments import parser

from .bare import Bare
from .conftest import ROOT

pytestmark = pytest.mark.xdist_group("packaging")
EXTRAS = {"azure", "demo", "kerberos"}


class TestWheel:
    def test_it_holds_every_file_of_the_package_and_no_other(self, wheel: Path) -> None:
        sources = {path for path in (ROOT / "reconciler").rglob("*") if path.is_file() and path.suffix != ".pyc"}
        packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
        assert packed == {path.relative_to(ROOT).as_posix() for path in sources}

    def test_it_carries_the_licence_and_its_version(self, wheel: Path) -> None:
        names = zipfile.ZipFile(wheel).namelist()
        assert any(name.endswith("licenses/LICENSE") for name in names)
        assert wheel.name == f"reconcile_guests-{version('reconcile-guests')}-py3-none-any.whl"

    @pytest.mark.parametrize("extra", sorted(EXTRAS))
    def test_each_extra_adds_something_that_the_locked_environment_has(self, wheel: Path, extra: str) -> None:
        metadata = PathDistribution(zipfile.Path(wheel, f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info/"))
        needed = [Requirement(line) for line in metadata.requires or []]
        added = [r for r in needed if r.marker and r.marker.evaluate({"extra": extra}) and "extra" in str(r.marker)]
        assert added
        assert all(version(requirement.name) in requirement.specifier for requirement in added)


class TestWithoutExtras:
    def test_nothing_but_the_runtime_dependencies_is_there(self, bare: Bare, tmp_path: Path) -> None:
        there = "import importlib.util as u; print([n for n in ('faker', 'gssapi', 'azure', 'pytest', 'yaml') if u.find_spec(n)])"
        assert bare.python(there, at=tmp_path).stdout == "['yaml']\n"

    def test_help_names_every_command(self, bare: Bare, tmp_path: Path) -> None:
        done = bare.reconcile("--help", at=tmp_path)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == parser().format_help().split()

    def test_a_scaffold_is_valid_and_waits_for_its_first_import(self, bare: Bare, tmp_path: Path) -> None:
        for arguments in (("init", "ops"), ("-C", "ops", "validate")):
            done = bare.reconcile(*arguments, at=tmp_path)
            assert (done.returncode, done.stderr) == (0, "")
        plan = bare.reconcile("-C", "ops", "plan", at=tmp_path)
        assert plan.returncode == 1
        assert "reconcile snapshot" in plan.stderr

    def test_the_demonstration_names_the_extra_it_needs(self, bare: Bare, tmp_path: Path) -> None:
        done = bare.reconcile("demo", at=tmp_path)
        assert done.returncode == 1
        assert "`demo`" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_plan_is_the_same_bytes_as_from_the_checkout(self, bare: Bare, tmp_path: Path) -> None:
        """Given what the demonstration leaves behind, when both plan its tree, then both print the same."""
        demo = bare.run(sys.executable, "-m", "reconciler", "demo", "--guests", "5", at=tmp_path)
        assert demo.returncode == 0, demo.stderr
        (operations,) = tmp_path.glob("reconcile-demo-*/identity")
        plan = ("-C", operations, "plan", "--json")
        here = bare.run(sys.executable, "-m", "reconciler", *plan, at=tmp_path)
        there = bare.reconcile(*plan, at=tmp_path)
        assert (there.returncode, there.stdout) == (here.returncode, here.stdout)
        assert '"digest"' in there.stdout
