"""The repository an operations directory lives in."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import GitError

from . import remote as remotes
from .disk import InexactError, Known, disk_tree
from .filters import filters
from .run import Git, failure, readable
from .tree import Tree
from .trees import GitTree
from .worktree import ReadOnlyError, write_tree

_SETTINGS = ("reconcile.yaml",)
_NOBODY = ("reconcile", "reconcile@localhost")


@dataclass(frozen=True)
class Repository:
    """One repository, seen from one operations directory in it.

    `root` is the top of the work tree (of a bare repository: its git directory), `prefix` the operations directory
    below it in posix form, "" at the root. `git_dir` is shared by all linked worktrees, `own_git_dir` this worktree's.
    Every method raises GitError.
    """

    root: Path
    prefix: str
    git_dir: Path
    own_git_dir: Path
    bare: bool
    git: Git

    @staticmethod
    def open(directory: Path, prefix: str = "") -> Repository:
        """Find the repository around `directory`. `prefix` counts only for a bare one, which has no folders."""
        asked = ("--is-bare-repository", "--absolute-git-dir", "--git-common-dir", "--show-prefix")
        done = Git(directory).run("rev-parse", *asked, ok=range(256))
        if "not a git repository" in done.err:
            raise GitError(
                f"{readable(str(directory.resolve()))} is not a git repository, nor in one",
                "Run inside a repository, or name the operations directory with -C DIR; `git init` makes one.",
            )
        if done.code:
            raise failure(("rev-parse",), done)
        answers = done.text.split("\n")
        bare, own, common, within = (
            answers[0] == "true",
            Path(answers[1]),
            directory / answers[2],
            "\n".join(answers[3:]),
        )
        if bare:
            return Repository(own, prefix.strip("/"), common.resolve(), own, bare, Git(own))
        root = Path(Git(directory).run("rev-parse", "--show-toplevel").text)
        return Repository(root, within.rstrip("/"), common.resolve(), own, bare, Git(root))

    @property
    def slug(self) -> str:
        """Tells several operations directories of one repository apart in refs and file names: "" at the root.

        `identity/prod` gives `identity-prod-` and six hex digits of the path's hash, so that `a/b` and `a-b` differ,
        and the name is never another's folder.
        """
        return ref_safe(self.prefix) if self.prefix else ""

    def named(self, name: str) -> str:
        """Return `name`, with the slug behind it where there is one: `reconcile/plan-identity-prod-1a2b3c`."""
        return f"{name}-{self.slug}" if self.prefix else name

    def path(self, name: str) -> str:
        """Return the path from the repository's top of a path in the operations directory."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def head(self) -> str | None:
        """Return the id of the commit HEAD stands on, None in a repository without any."""
        return self.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1)).text or None

    def parent(self, commit: str) -> str | None:
        """Return the id of a commit's first parent, None where it has none or a shallow clone ends."""
        return self.git.run("rev-parse", "--verify", "--quiet", f"{commit}^^{{commit}}", ok=(0, 1, 128)).text or None

    def merge_base(self, one: str, other: str) -> str | None:
        """Return the latest commit that two have in common, None where the clone knows of none."""
        return self.git.run("merge-base", one, other, ok=(0, 1, 128)).text or None

    def branched_off(self, remote: str, branch: str) -> str:
        """Return the commit where HEAD left the remote's branch as last fetched; HEAD where none was ever fetched."""
        tracking = f"refs/remotes/{remote}/{branch}"
        if not self.git.run("rev-parse", "--verify", "--quiet", tracking, ok=(0, 1)).text:
            return "HEAD"
        found = self.git.run("merge-base", "HEAD", tracking, ok=(0, 1, 128)).text
        if not found:
            raise GitError(
                f"HEAD and {readable(f'{remote}/{branch}')} have no commit in common here",
                "Fetch more of their history (git fetch --unshallow), or name the commit to compare with: --base REV.",
            )
        return found

    def work_tree(self) -> GitTree:
        """Return what the operations directory holds on disk now, cut down to `trees.SCOPE`.

        Objects are written to the repository; the user's index, HEAD and files stay as they are.
        """
        self.needs_work_tree()
        by = self.filters()
        index = self.own_git_dir / "reconcile" / f"index-{self.slug}{by and f'-{by}'}"
        return GitTree(self.git, write_tree(self.git, index, self.root, self.prefix), self.prefix)

    def files_tree(self) -> Tree:
        """Return the same tree, to be read only: where nothing can be written to the repository, from the files alone."""
        try:
            return self.work_tree()
        except ReadOnlyError:
            return self.disk_tree({})[0]

    def settings_tree(self) -> GitTree:
        """Return the settings alone as they are on disk, or in a bare repository at HEAD: what they cost does not grow with the state."""
        if self.bare:
            return self.at("HEAD")
        index = self.own_git_dir / "reconcile" / f"settings-{self.slug}"
        return GitTree(self.git, write_tree(self.git, index, self.root, self.prefix, _SETTINGS), self.prefix)

    def disk_tree(self, known: Known) -> tuple[Tree, Known]:
        """Return the same tree, and what to pass as `known` the next time, without adding anything to the repository.

        Only where it cannot be told without git's index, or names are of a kind that git may change, is it added after all.
        """
        self.needs_work_tree()
        prefix = f"{self.prefix}/" if self.prefix else ""
        try:
            return disk_tree(self.git, prefix, known, self.work_tree, self._file_system_time())
        except InexactError:
            return self.work_tree(), {}

    def filters(self) -> str:
        """Return a digest of what decides how files become blobs, "" for nothing: what is remembered of blobs holds under it alone."""
        return filters(self.git, self.root, self.prefix, self.git_dir, os.environ)

    def _file_system_time(self) -> int:
        """Return the time (ns) as the file system of the repository tells it; 0 where nothing can be written there."""
        try:
            with tempfile.TemporaryFile(dir=self.own_git_dir) as file:
                return os.fstat(file.fileno()).st_mtime_ns
        except OSError:
            return 0

    def at(self, rev: str) -> GitTree:
        """Return the operations directory as of a commit."""
        found = (
            ""
            if rev.startswith("-")
            else self.git.run("rev-parse", "--verify", "-q", f"{rev}^{{commit}}", ok=(0, 1, 128)).text
        )
        if not found and rev == "HEAD":
            raise GitError("nothing is committed here yet", "Commit what is here: `git add --all && git commit`.")
        if not found:
            raise GitError(
                f"there is no commit {readable(rev)} here", "Fetch it first, or check the name with `git log`."
            )
        return GitTree(self.git, found, self.prefix)

    def fetch(self, remote: str, branch: str) -> str:
        """Return the id of the remote's branch as it is now, its commits fetched. Nothing local moves."""
        commit = self.fetch_ref(remote, f"refs/heads/{branch}")
        if commit is None:
            what = f"the remote {readable(remote)} has no branch {readable(branch)}"
            raise GitError(what, "Check `forge.branch` in reconcile.yaml, or push that branch once.")
        return commit

    def fetch_ref(self, remote: str, ref: str) -> str | None:
        """Return the id a remote's ref has now, its objects fetched and kept from git gc; None: no such ref."""
        return remotes.fetch(self.git, remote, ref, f"refs/reconcile/fetched/{ref_safe(f'{remote} {ref}', ref)}")

    def push_ref(self, remote: str, ref: str, commit: str | None, expected: str | None) -> bool:
        """Set a remote's ref (delete it: None) if it is as `expected` (absent: None); False when it is not."""
        return remotes.push(self.git, remote, ref, commit, expected)

    def peek(self, remote: str, ref: str) -> str | None:
        """Return the id a remote's ref has now, fetching nothing."""
        return remotes.peek(self.git, remote, ref)

    def address(self, remote: str, *, pushing: bool) -> str:
        """Return the URL that a remote is fetched from or pushed to, safe to show; "" where there is none."""
        option = ("--push",) if pushing else ()
        return readable(self.git.run("remote", "get-url", *option, "--", remote, ok=range(256)).text)

    def identity(self) -> dict[str, str]:
        """Return the environment that names our commits' author: whom git is configured for, or `reconcile`."""
        names: dict[str, str] = {}
        for role in ("AUTHOR", "COMMITTER"):
            said = self.git.run("-c", "user.useConfigOnly=true", "var", f"GIT_{role}_IDENT", ok=(0, 128))
            known = re.fullmatch(r"(.+) <(.+)> \d+ [+-]\d{4}", said.text)
            name, email = (known[1], known[2]) if known else _NOBODY
            names |= {f"GIT_{role}_NAME": name, f"GIT_{role}_EMAIL": email}
        return names

    def commit_tree(self, tree: str, parents: tuple[str, ...], message: str, seconds: int) -> str:
        """Write a commit dated `seconds` after the epoch, UTC, and return its id: equal arguments, equal id."""
        dates = {"GIT_AUTHOR_DATE": f"@{seconds} +0000", "GIT_COMMITTER_DATE": f"@{seconds} +0000"}
        options = [word for parent in parents for word in ("-p", parent)]
        env = {**self.identity(), **dates}
        return self.git.run("commit-tree", tree, *options, "-F", "-", stdin=message.encode(), env=env).text

    def remotes(self) -> dict[str, str]:
        """Return the configured remotes' URLs by name, credentials masked."""
        from git import Repo  # costs more than a whole warm plan to import

        with Repo(self.own_git_dir) as repo:
            return {remote.name: readable(remote.url) for remote in repo.remotes}

    def needs_work_tree(self) -> None:
        """Raise GitError in a bare repository."""
        if self.bare:
            raise GitError(
                f"{readable(str(self.root))} is a bare repository",
                "Run this in a clone that has its files checked out.",
            )


def ref_safe(name: str, shown: str = "") -> str:
    """Return a ref component, unique for `name`, that a person recognises `shown` (else `name`) in."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", shown or name).strip("-")[-60:]
    return f"{words}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:6]}".lstrip("-")
