"""The bare repository behind a pull request: its branches, the refs GitHub keeps of each head, and three ways to merge."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from pathlib import Path

from tests.support.operations import git

_OTHERS = "@contoso.test"


class Remote(MutableMapping[str, str]):
    """The branches of a bare repository, by name."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, branch: str) -> str:
        found = git(self.path, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}").strip()
        if not found:
            raise KeyError(branch)
        return found

    def __setitem__(self, branch: str, commit: str) -> None:
        git(self.path, "update-ref", f"refs/heads/{branch}", commit)

    def __delitem__(self, branch: str) -> None:
        git(self.path, "update-ref", "-d", f"refs/heads/{branch}")

    def __iter__(self) -> Iterator[str]:
        return iter(git(self.path, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads").split())

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keep(self, number: int, commit: str) -> None:
        """Keep a pull request's head where git finds it."""
        git(self.path, "update-ref", f"refs/pull/{number}/head", commit)

    def holds(self, branch: str, commit: str) -> bool:
        return bool(git(self.path, "for-each-ref", f"--contains={commit}", f"refs/heads/{branch}"))

    def merge(self, head: str, base: str, how: str) -> str:
        """Merge as the button does, move the base, and return the commit it ends at: merge, squash or rebase."""
        tip = self[base]
        tree = git(self.path, "merge-tree", "--write-tree", tip, head).split()[0]
        if how == "merge":
            made = self.commit(tree, [tip, head], "Merge pull request")
        elif how == "squash":
            made = self.commit(tree, [tip], "Squashed")
        else:
            made = tip
            for commit in git(self.path, "rev-list", "--reverse", f"{tip}..{head}").split():
                onto = git(self.path, "merge-tree", "--write-tree", made, commit).split()[0]
                made = self.commit(onto, [made], "Rebased")
        self[base] = made
        return made

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        options = [word for parent in parents for word in ("-p", parent)]
        return git(self.path, "commit-tree", tree, *options, "-m", message).strip()

    def writers(self, base: str, head: str) -> list[tuple[str | None, str | None]]:
        """Return author and committer of each commit as accounts: who has an address at contoso.test has one."""
        lines = git(self.path, "log", "--reverse", "--format=%ae %ce", f"{base}..{head}").splitlines()
        return [(_account(a), _account(c)) for a, c in (line.split(" ") for line in lines)]


def _account(address: str) -> str | None:
    return address.removesuffix(_OTHERS) if address.endswith(_OTHERS) else None
