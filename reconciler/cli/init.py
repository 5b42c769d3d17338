"""`reconcile init`: the files of a new operations directory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from reconciler.errors import Exit, ReconcileError

from .context import Context

WORKFLOWS = ("plan", "check", "apply", "drift")
_REQUIRE = {
    "github": "require: {approvals: 1, checks: [reconcile/plan]}  # what apply demands of the merged pull request",
    "git": "# Without pull requests only the branch counts: let the remote's own rules say who may push it.",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a new operations directory is for; the defaults are placeholders to edit."""

    tenant: str = "contoso.onmicrosoft.com"
    client_id: str = "00000000-0000-0000-0000-000000000000"
    controller: str = "ldaps://dc1.contoso.test"
    base: str = "DC=contoso,DC=test"
    repository: str = "contoso/identity"
    forge: str = "github"


def init(context: Context, target: Path, answers: Answers) -> Exit:
    """Write the scaffold; existing files are left as they are and named."""
    directory = context.directory / target
    written, kept = scaffold(directory, answers)
    if context.json:
        context.print_json({"directory": str(directory), "written": written, "kept": kept})
        return Exit.OK
    for name in written:
        context.result("  + {}", name)
    for name in kept:
        context.result("  = {} (exists, left as it is)", name)
    context.result("\nNext: edit {} and {}, then\n", directory / "reconcile.yaml", directory / "policies/guests.yaml")
    context.result("  reconcile -C {} validate", directory)
    context.result("  reconcile -C {0} snapshot && reconcile -C {0} plan", directory)
    return Exit.OK


def scaffold(directory: Path, answers: Answers) -> tuple[list[str], list[str]]:
    """Write every file that is not there yet; return the names written and the names kept. Makes a git repository if none is."""
    written: list[str] = []
    kept: list[str] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        top = _repository(directory)
        for name, text in [*_files(answers), *_workflows(answers, top, directory)]:
            path = directory / name
            if path.exists() or path.is_symlink():
                kept.append(name)
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            written.append(name)
    except OSError as error:
        raise ReconcileError(
            f"cannot write {error.filename}: {error.strerror}", "Choose another directory, or its permissions."
        ) from error
    return written, kept


def _repository(directory: Path) -> Path:
    """Make a git repository unless the directory is in one already: everything here lives in git. Return its top."""
    from git import InvalidGitRepositoryError, Repo

    try:
        found = Repo(directory, search_parent_directories=True)
    except InvalidGitRepositoryError:
        found = Repo.init(directory, initial_branch="main")
    with found:
        return Path(found.working_tree_dir or directory)


def _files(answers: Answers) -> Iterator[tuple[str, str]]:
    base = files("reconciler.cli") / "scaffold"
    yield "reconcile.yaml", _filled((base / "reconcile.yaml").read_text("utf-8"), answers)
    policy = (files("reconciler.policy") / "default.yaml").read_text("utf-8")
    yield "policies/guests.yaml", policy.replace("DC=contoso,DC=test", answers.base)
    yield "policies/guest-policy.schema.json", (files("reconciler.policy") / "schema.json").read_text("utf-8")
    yield ".gitattributes", (base / "gitattributes").read_text("utf-8")
    yield "state/README.md", (base / "state.md").read_text("utf-8")


def _workflows(answers: Answers, top: Path, directory: Path) -> Iterator[tuple[str, str]]:
    """Yield what GitHub looks for at the top of a repository; it serves every operations directory there is."""
    if answers.forge != "github":
        return
    base = files("reconciler.cli") / "scaffold"
    github = os.path.relpath(top / ".github", directory.resolve())
    yield f"{github}/CODEOWNERS", (base / "CODEOWNERS").read_text("utf-8")
    for name in WORKFLOWS:
        yield f"{github}/workflows/reconcile-{name}.yml", (base / f"{name}.yml").read_text("utf-8")


def _filled(template: str, answers: Answers) -> str:
    """Fill the template's placeholders, each with a JSON string, which is YAML too."""
    template = template.replace("@require@", _REQUIRE[answers.forge])
    for name in Answers.__dataclass_fields__:
        template = template.replace(f"@{name}@", json.dumps(getattr(answers, name), ensure_ascii=True))
        template = template.replace(f"@{name}:bare@", json.dumps(getattr(answers, name), ensure_ascii=True)[1:-1])
    return template
