"""`reconcile.yaml`: read, checked, and turned into records."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, cast
from urllib.parse import urlsplit

from reconciler.errors import SettingsError
from reconciler.model.dn import DN
from reconciler.model.settings import Directory, Entra, Forge, RequiredCheck, Settings

from .check import check, dotted, load_schema
from .durations import parse_duration
from .located import Document, Path, parse
from .misplaced import misplaced_secrets
from .problems import Problem, refuse

PIN = "RECONCILE_SETTINGS_SHA256"


def load_settings(data: bytes, path: str, root: str, env: Mapping[str, str]) -> Settings:
    """Return the settings in `data`, the bytes of `path`; `root` is the operations directory.

    Raises SettingsError: when the environment pins another digest (checked before anything is read), and for everything
    that is off, all of it at once, each with file:line:column.
    """
    digest = hashlib.sha256(data).hexdigest()
    _check_pin(digest, path, env.get(PIN, "").strip())
    document = parse(data, path, SettingsError)
    secrets = misplaced_secrets(document)
    problems = [
        p for p in check(document, load_schema(__package__, "settings.schema.json")) if not _same_place(p, secrets)
    ]
    remedy = f"Correct {path}; `reconcile validate` checks it again."
    refuse([*problems, *secrets], SettingsError, remedy)
    reader = _Reader(document)
    settings = reader.settings(digest, root)
    refuse(reader.problems, SettingsError, remedy)
    return settings


def ca_path(settings: Settings, ca_file: str | None) -> str | None:
    """Return where a configured `ca_file` is: as it stands when absolute, else below the operations directory."""
    return None if ca_file is None else str(FilePath(settings.root, ca_file))


def _check_pin(digest: str, path: str, pinned: str) -> None:
    if pinned and not hmac.compare_digest(pinned.lower().encode(), digest.encode()):
        raise SettingsError(
            f"{path} is not the one that {PIN} pins\npinned: {pinned.lower()}\nfound: {digest}",
            f"Nothing was connected to. If the change to {path} was reviewed, set {PIN} to the digest found.",
        )


def _same_place(problem: Problem, others: list[Problem]) -> bool:
    return any((o.line, o.column) == (problem.line, problem.column) for o in others)


def _check_of(item: str | dict[str, str]) -> RequiredCheck:
    return RequiredCheck(item) if isinstance(item, str) else RequiredCheck(item["name"], item.get("app"))


class _Reader:
    """Reads a document that satisfies the schema; what a schema cannot say goes to `problems`."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document = document

    def settings(self, digest: str, root: str) -> Settings:
        plan = self._block("plan")
        return Settings(
            entra=self._entra(),
            directory=self._directory(),
            forge=self._forge(),
            lifetime=parse_duration(plan.get("lifetime", "24h")),
            batch=plan.get("batch", 5000),
            sha256=digest,
            root=root,
        )

    def _block(self, name: str) -> dict[str, Any]:
        return cast("dict[str, Any]", cast("dict[str, Any]", self._document.value).get(name, {}))

    def _entra(self) -> Entra:
        block = self._block("entra")
        return Entra(
            tenant=block["tenant"],
            client_id=block["client_id"],
            credential=block["credential"],
            authority=self._url(("entra", "authority"), block.get("authority", "https://login.microsoftonline.com")),
            graph=self._url(("entra", "graph"), block.get("graph", "https://graph.microsoft.com/v1.0")),
            ca_file=block.get("ca_file"),
        )

    def _directory(self) -> Directory:
        block = self._block("directory")
        base = self._dn(("directory", "base"), block["base"])
        ous = tuple(self._ou(("directory", "ous", i), ou, base) for i, ou in enumerate(block["ous"]))
        return Directory(
            controllers=tuple(
                self._url(("directory", "controllers", i), c, schemes=("ldaps", "ldap"), host_only=True)
                for i, c in enumerate(block["controllers"])
            ),
            base=base,
            ous=ous,
            bind=block.get("bind", "simple"),
            ca_file=block.get("ca_file"),
        )

    def _forge(self) -> Forge:
        block = self._block("forge")
        require = block.get("require", {})
        kind = block.get("kind", "github")
        repository = block.get("repository")
        if kind == "github" and repository is None:
            self._problem(("forge",), "`forge` lacks `repository` (owner/name), which github needs", at_key=True)
        if kind == "git" and (require.get("approvals", 0) or require.get("checks", [])):
            what = (
                "`forge.require` cannot be kept with `kind: git`, which knows no approvals and no checks: leave it out, "
                "and let the remote's own rules for the branch demand them"
            )
            self._problem(("forge", "require"), what, at_key=True)
        return Forge(
            kind=kind,
            remote=block.get("remote", "origin"),
            branch=block.get("branch", "main"),
            url=self._url(("forge", "url"), block.get("url", "https://api.github.com")),
            repository=repository,
            approvals=0 if kind == "git" else require.get("approvals", 1),
            checks=() if kind == "git" else tuple(map(_check_of, require.get("checks", ["reconcile/plan"]))),
        )

    def _problem(self, path: Path, what: str, *, at_key: bool = False) -> None:
        self.problems.append(self._document.problem(path, what, at_key=at_key))

    def _url(self, path: Path, url: str, *, schemes: tuple[str, ...] = ("https",), host_only: bool = False) -> str:
        """Return the URL without a trailing slash. Its text is never repeated: it could carry a password."""
        expected = " or ".join(f"{s}://" for s in schemes)
        try:
            parts = urlsplit(url)
            sound = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            sound = False
        if not sound or not url.isascii() or any(c <= " " for c in url):
            self._problem(path, f"`{dotted(path)}` must be a URL that begins {expected} and names a host")
        elif parts.username is not None or parts.password is not None:
            self._problem(path, f"`{dotted(path)}` must not carry a user or a password: they come from the environment")
        elif parts.query or parts.fragment or (host_only and parts.path.strip("/")):
            self._problem(path, f"`{dotted(path)}` must end after the {'host and port' if host_only else 'path'}")
        return url.rstrip("/")

    def _dn(self, path: Path, text: str) -> DN:
        """Return the DN, or an empty one, which has no parts, when it is none."""
        try:
            return DN.parse(text)
        except ValueError:
            self._problem(path, f"`{dotted(path)}` is not a distinguished name")
            return DN("")

    def _ou(self, path: Path, text: str, base: DN) -> DN:
        ou = self._dn(path, text)
        if not ou.rdns or not base.rdns:
            return ou
        if ou == base:
            self._problem(path, f"`{dotted(path)}` is the whole domain: name an organizational unit below it")
        elif not ou.within(base):
            self._problem(path, f"`{dotted(path)}` is not below `directory.base` ({base})")
        return ou
