"""`reconcile comment`: what a check had to say of a pull request, as its comments. Runs in a CI job, in no repository.

The texts come from a job that read the pull request's files. Here they are text alone: where they go is said by the
job's own environment and options, never by them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import Exit, ReconcileError, UsageError
from reconciler.forge.open import open_job

from .context import Context

_KINDS = {
    "state": "**No longer so.** What this pull request holds now does not change state/ otherwise than the importer does.",
    "speculative": "**No longer so.** What this pull request holds now changes no policy and no settings.",
}
"""What is remarked on, and what a remark becomes when a later push took its cause back."""
_ROOM = 65_000
"""Characters: GitHub holds 65,536 in a comment, and some find it again and say which commit it is about."""


def comment(context: Context, number: int, commit: str, folder: Path) -> Exit:
    """Make a comment of each `remarks-NAME/KIND.md` below `folder`, or bring the one that is there up to date.

    An empty file says that there is nothing to remark: a comment that is there says so from then on, and none is made.
    """
    if number < 1 or not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise UsageError(
            "a pull request's number and the 40 digits of its commit are needed", "See the check workflow."
        )
    texts = list(_texts(folder))
    forge = open_job(context.env)
    told = []
    for kind, target, text in texts:
        name = f"{kind}-{target}"
        words = f"{text}\n\nFor commit {commit}.\n" if text else f"{_KINDS[kind]}\n"
        if forge.comment(number, name, words, anew=bool(text)):
            told.append(name)
    if context.json:
        context.print_json({"pull_request": number, "comments": told})
    for name in told:
        context.result("Commented: {}", name)
    return Exit.OK


def _texts(folder: Path) -> Iterator[tuple[str, str, str]]:
    for remarks in sorted(folder.glob("remarks-*")):
        target = remarks.name.removeprefix("remarks-").lower()
        if not re.fullmatch(r"[a-z0-9-]+", target):
            raise ReconcileError(f"{remarks} is named after no operations directory", "Look at who made this artifact.")
        for kind in _KINDS:
            file = remarks / f"{kind}.md"
            if file.is_file() and not file.is_symlink():
                yield kind, target, _read(file)


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        text = opened.read(_ROOM * 4).decode("utf-8", "replace")
    if len(text) > _ROOM:
        return "This is too long for a comment. It is in the summary of the check's run."
    return text.strip()
