"""The two ends of a life in memory: a tenant with its deltas, and a writer whose process can be killed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from reconciler.directory.port import DirectoryWriter
from reconciler.graph.port import Properties, Round
from reconciler.model.guest import Guest, Removal
from reconciler.model.values import Value
from reconciler.scratch import Scratch


class Killed(BaseException):
    """The process is gone."""


class Mortal:
    """A writer whose process is killed before or after one of its writes."""

    def __init__(self, writer: DirectoryWriter, left: int, *, after: bool) -> None:
        self._writer, self._left, self._after = writer, left, after

    def __getattr__(self, name: str) -> Callable[..., object]:
        called: Callable[..., object] = getattr(self._writer, name)
        if name not in ("add", "modify", "move", "delete", "set_password", "reanimate"):
            return called

        def dying(*arguments: object, **named: object) -> object:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Killed
            result = called(*arguments, **named)
            if self._left == 0:
                raise Killed
            return result

        return dying


@dataclass
class Tenant:
    """Users of a tenant, with their deltas. A GuestSource."""

    users: dict[str, Guest] = field(default_factory=dict)
    served: list[dict[str, Guest]] = field(default_factory=list)

    def round(
        self,
        attributes: Sequence[str],
        link: str | None,
        progress: Callable[[int], None] = lambda _n: None,
        scratch: Scratch | None = None,  # noqa: ARG002  the port's signature
    ) -> Round:
        progress(0)
        before = self.served[int(link.rpartition("/")[2])] if link else {}
        self.served.append(dict(self.users))
        users: dict[str, Properties] = {}
        removed: dict[str, Removal] = {}
        for now in self.users.values():
            was = before.get(now.id)
            if now.removed is not None:
                if was is not None and was.removed != now.removed:
                    removed[now.id] = now.removed
            elif was is None or was.removed is not None:
                users[now.id] = self._shown(now, attributes)
            elif was != now:
                shown: dict[str, Value | None] = {n: now.attributes.get(n) for n in (*was.attributes, *now.attributes)}
                users[now.id] = {n: v for n, v in shown.items() if v != was.attributes.get(n)}
        return Round(link is None, f"https://graph.test/{len(self.served) - 1}", users, removed)

    def lookup(self, ids: Sequence[str], attributes: Sequence[str]) -> dict[str, Guest]:
        return {i: self._now(i, attributes) for i in ids}

    def _now(self, id_: str, attributes: Sequence[str]) -> Guest:
        found = self.users.get(id_)
        if found is None or found.removed is not None:
            return Guest(id_, {}, found.removed if found else "deleted")
        return Guest(id_, self._shown(found, attributes))

    def _shown(self, user: Guest, attributes: Sequence[str]) -> dict[str, Value]:
        return {n: v for n, v in user.attributes.items() if n in attributes}
