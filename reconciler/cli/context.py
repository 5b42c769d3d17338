"""What every command works with: where it runs, how it reaches the two ends, and how it speaks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.directory.port import DirectoryReader, DirectoryWriter
from reconciler.graph.port import GuestSource
from reconciler.model.json_text import json_text
from reconciler.model.settings import Settings
from reconciler.policy.model import Policy
from reconciler.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from reconciler.directory.connect import Ask
    from reconciler.verify.port import DelegationFacts

Env = Mapping[str, str]
_LOG_WIDTH = 140
"""Columns where no terminal says how many there are."""


def _open_source(settings: Settings, env: Env, say: Callable[[str], None]) -> GuestSource:
    from reconciler.graph.connect import open_source

    return open_source(settings, env, say)


def _open_reader(settings: Settings, policy: Policy, env: Env, ask: Ask | None) -> DirectoryReader:
    from reconciler.directory.connect import open_reader

    return open_reader(settings, env, ask, kinds=policy.attribute)


def _open_writer(settings: Settings, policy: Policy, env: Env, ask: Ask | None, controller: str) -> DirectoryWriter:
    from reconciler.directory.connect import open_writer

    return open_writer(settings, env, ask, controller, policy.attribute)


def _open_delegation(settings: Settings, env: Env, ask: Ask | None) -> DelegationFacts:
    from reconciler.directory.connect import open_delegation

    return open_delegation(settings, env, ask)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Ports:
    """How the two ends and the time are reached. Each opens something when called, and not before."""

    source: Callable[[Settings, Env, Callable[[str], None]], GuestSource] = _open_source
    reader: Callable[[Settings, Policy, Env, Ask | None], DirectoryReader] = _open_reader
    writer: Callable[[Settings, Policy, Env, Ask | None, str], DirectoryWriter] = _open_writer
    clock: Callable[[], datetime] = _now
    delegation: Callable[[Settings, Env, Ask | None], DelegationFacts] = _open_delegation


@dataclass(frozen=True)
class Context:
    """One invocation."""

    directory: Path
    env: Env
    ports: Ports
    json: bool = False
    consoles: tuple[Console, Console] | None = field(default=None)
    """(standard output, standard error), where a caller brings its own."""

    @property
    def out(self) -> Console:
        """Where results go."""
        return self._consoles[0]

    @property
    def err(self) -> Console:
        """Where progress and errors go."""
        return self._consoles[1]

    @property
    def _consoles(self) -> tuple[Console, Console]:
        if self.consoles is None:
            from rich.console import Console

            log = None if sys.stdout.isatty() or "COLUMNS" in self.env else _LOG_WIDTH
            pair = (
                Console(highlight=False, markup=False, emoji=False, width=log),
                Console(stderr=True, highlight=False, markup=False, emoji=False),
            )
            object.__setattr__(self, "consoles", pair)
            return pair
        return self.consoles

    @property
    def interactive(self) -> bool:
        """Whether a person can answer."""
        return sys.stdin is not None and sys.stdin.isatty() and self.err.is_terminal

    @property
    def ask(self) -> Ask | None:
        """A prompt on standard error that answers "" at the end of input, or None where nobody can answer."""
        if not self.interactive:
            return None
        from getpass import getpass

        def answer(prompt: str, *, secret: bool) -> str:
            try:
                if secret:
                    return getpass(prompt)
                print(prompt, end="", file=sys.stderr, flush=True)
                return input()
            except EOFError:  # Ctrl-D: nothing was answered, which whoever asked says in words
                self.say("")
                return ""

        return answer

    def progress(self) -> Progress:
        """Return where long work is announced: standard error."""
        from reconciler.render.progress import for_terminal

        return for_terminal(self.err)

    def say(self, ours: str, *data: object) -> None:
        """Print one line about what happens, on standard error. `data` fills the {} of our words, escaped."""
        self.err.print(_filled(ours, data), soft_wrap=True)

    def result(self, ours: str, *data: object) -> None:
        """Print one line of the result, unless the result is to be one JSON object. `data` as in `say`."""
        if not self.json:
            self.out.print(_filled(ours, data), soft_wrap=True)

    def print_json(self, document: object) -> None:
        """Print the one object of `--json`."""
        self.print_document(f"{json_text(document)}\n")

    def print_document(self, text: str) -> None:
        """Print JSON or HTML as it is, in which everything harmful is escaped: rich would take as long as the plan, and half a gigabyte."""
        try:
            self.out.file.write(text)
            self.out.file.flush()
        except BrokenPipeError:  # nobody reads on, which is for rich to see to, as after its own words
            self.out.on_broken_pipe()


def _filled(ours: str, data: tuple[object, ...]) -> Text:
    from rich.text import Text

    from reconciler.render.log import whole
    from reconciler.render.visible import visible

    return Text(whole(ours.format(*(visible(d if isinstance(d, str) else str(d)) for d in data))))
