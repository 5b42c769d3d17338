"""pip for a Python that came without it, as Debian's does until python3-venv is installed; no root is needed.

The distribution's own package is downloaded by apt, which verifies it, and unpacked rather than installed.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PACKAGE = "python3-pip-whl"
_REMEDY = "This Python comes without pip. Run, then start again:\n  sudo apt-get update && sudo apt-get install -y python3-venv"


@contextmanager
def fetched() -> Iterator[Path]:
    """Yield pip's wheel, which is gone afterwards; SystemExit names the package to install where apt has no answer."""
    with tempfile.TemporaryDirectory(prefix="reconcile-pip-") as name:
        scratch = Path(name)
        if not (_download(scratch) or _download(scratch, *_own_lists(scratch))):
            sys.exit(_REMEDY)
        for package in scratch.glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", package, scratch / "unpacked"], check=True)
        wheel = next((scratch / "unpacked").rglob("pip-*.whl"), None)
        if wheel is None:
            sys.exit(_REMEDY)
        yield wheel


def _download(scratch: Path, *options: str) -> bool:
    return _apt(*options, "download", _PACKAGE, at=scratch)


def _own_lists(scratch: Path) -> list[str]:
    """Return the options that make apt use package lists of our own, just updated, in place of absent or old ones."""
    for name in ("lists/partial", "cache/archives/partial"):
        (scratch / name).mkdir(parents=True, exist_ok=True)
    options = [f"--option=Dir::State::Lists={scratch / 'lists'}", f"--option=Dir::Cache={scratch / 'cache'}"]
    _apt(*options, "update", at=scratch)
    return options


def _apt(*arguments: str, at: Path) -> bool:
    try:
        return not subprocess.run(
            ["apt-get", "--quiet", *arguments], cwd=at, capture_output=True, check=False
        ).returncode
    except FileNotFoundError:
        return False
