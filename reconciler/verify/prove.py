"""One guest after the other: ask for the tickets, compare with the directory, and say what it means. No I/O but through ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from . import kdc
from .causes import Cause, Finding
from .diagnose import granted, refused
from .facts import Party, Person, Surroundings
from .identity import Asked
from .kdc import Refusal, Step
from .people import Subject
from .port import Page, RefusedError, Tickets
from .principals import text
from .report import Attempt


@dataclass(frozen=True, slots=True)
class Candidate:
    """A guest to try: by which name (None: there is none), and what the directory says."""

    subject: Subject
    asked: Asked | None
    person: Person


class Prover:
    """Tries guests against one service. `surroundings` grow by what only a refusal makes worth asking."""

    def __init__(self, tickets: Tickets, around: Surroundings, now: Callable[[], datetime], *, page: bool) -> None:
        self._tickets = tickets
        self.around = around
        self._now = now
        self._page = page

    def prove(self, candidates: Iterable[Candidate]) -> Iterator[Attempt]:
        """Yield how each one fares; stop after the first for whom no KDC answered."""
        for candidate in candidates:
            attempt = self.attempt(candidate)
            yield attempt
            if attempt.refusal and attempt.refusal.code == kdc.UNREACHABLE and attempt.refusal.step is not Step.PAGE:
                return

    def attempt(self, candidate: Candidate) -> Attempt:
        """Try one guest."""
        if candidate.asked is None:
            nameless = Finding(
                Cause.NOT_FOUND,
                "There is no name to ask for this guest by: neither Entra nor the directory says one.",
                "Choose another --identity, or set a reading account.",
            )
            return self._outcome(candidate, (nameless,))
        name, by_upn = candidate.asked.name, candidate.asked.by_upn
        seen, page = None, None
        try:
            seen = self._tickets.impersonate(name, by_upn=by_upn, spn=self.around.spn)
            if self._page:
                page = self._tickets.fetch(name, by_upn=by_upn, spn=self.around.spn)
        except RefusedError as error:
            return self._failed(candidate, error.refusal, seen)
        failing, also = granted(candidate.person, self._now())
        if not failing and (stranger := _stranger(seen, candidate.person)):
            failing = (stranger,)
        if page is not None and page.user is not None and not same_person(page.user, seen, candidate.person):
            failing = (_another(page.user, seen), *failing)
        return self._outcome(candidate, failing, also=also, seen=seen, page=page)

    def _failed(self, candidate: Candidate, refusal: Refusal, seen: str | None) -> Attempt:
        undecided = refusal.step is Step.SERVICE and refusal.code == kdc.BAD_OPTION
        if undecided and self.around.forwardable is None:
            with suppress(RefusedError):  # then no more can be known of the ticket
                self.around = replace(self.around, forwardable=self._tickets.forwardable())
        found = refused(refusal, self.around, candidate.person, self._now())
        return self._outcome(candidate, found, refusal=refusal, seen=seen)

    def _outcome(
        self,
        candidate: Candidate,
        findings: tuple[Finding, ...],
        *,
        also: tuple[Finding, ...] = (),
        refusal: Refusal | None = None,
        seen: str | None = None,
        page: Page | None = None,
    ) -> Attempt:
        guest, account = candidate.subject.guest, candidate.person.party
        return Attempt(
            guest=guest.id,
            label=guest.label,
            dn=account.dn if account else None,
            sid=account.sid if account else candidate.person.joined,
            sam=account.sam if account else None,
            asked=candidate.asked.name if candidate.asked else None,
            assumed=candidate.asked is not None and candidate.asked.assumed,
            findings=findings,
            also=also,
            refusal=refusal,
            seen=seen,
            page=page,
        )


def _stranger(seen: str, person: Person) -> Finding | None:
    """Return what is wrong where a granted ticket is not shown to be for the guest's own account.

    Its name must be one of that account's; the name that was asked for proves nothing by itself, unless the directory says that
    this account alone has it.
    """
    account, name = person.party, text(seen.rpartition("@")[0]).casefold()
    if account is not None and not account.deleted:
        own = {n.casefold() for n in (account.upn, account.sam) if n}
        alone = person.holders is not None and {h.sid for h in person.holders} == {account.sid}
        if name in own or (alone and name == person.name.casefold()):
            return None
        whose = f"the guest's account {account.dn} is called {account.upn or 'nothing'} ({account.sam or 'no name'})"
        whose += f", as imported at {account.imported}" if account.imported else ""
    else:
        whose = "the guest has no account that can be seen"
    return Finding(
        Cause.ANOTHER_ACCOUNT,
        f"The KDC gave a ticket for {seen}, and {whose}. Whoever signs in as this guest may be somebody else.",
        "See whose name it is, and take it from that account; or import again (`reconcile snapshot`) if the guest's account has "
        "changed since.",
        sure=False,
    )


def same_person(said: str, seen: str, person: Person) -> bool:
    """Whether what an application calls somebody is a name of this guest: the ticket's, or one of the account's."""
    account = person.party or Party("", "")
    bare = seen.rpartition("@")[0]
    names = {seen, bare, person.name, *(n.replace("\\@", "@") for n in (seen, bare))}
    names |= {n for n in (account.upn, account.sam) if n}
    said = said.strip().casefold()
    folded = {n.casefold() for n in names}
    if said in folded:
        return True
    domain, _, sam = said.rpartition("\\")
    name, _, realm = said.rpartition("@")
    own = (account.sam or "").casefold()
    ours = seen.rpartition("@")[2].casefold()
    return bool(own) and ((bool(domain) and sam == own) or (realm == ours != "" and name == own))


def _another(user: str, seen: str) -> Finding:
    return Finding(
        Cause.ANOTHER_NAME,
        f"The ticket is for {seen}, but the application says that it saw {user}.",
        "Find out how the application maps names before anybody else signs in: it takes this guest for somebody else.",
    )
