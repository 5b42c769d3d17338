"""Who is called so: guests by any name that a person may have at hand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.state.model import State


def called(state: State, asked: str) -> list[Guest]:
    """Return the guests of this id, UPN, mail or display name, or with an account of this SID, sAMAccountName or UPN.

    Letters' case does not matter. The first of these ways that finds anybody decides: a display name, which guests choose
    themselves, takes nobody's place who is really called so.
    """
    wanted = asked.strip().casefold()
    ways: tuple[Callable[[], Iterator[Guest]], ...] = (
        lambda: (g for g in state.guests.values() if g.id == wanted),
        lambda: _of(state, "userPrincipalName", wanted),
        lambda: _joined(state, wanted),
        lambda: _of(state, "mail", wanted),
        lambda: _of(state, "displayName", wanted),
    )
    found = ({guest.id: guest for guest in way()} for way in ways)
    return list(next(filter(None, found), {}).values())


def holding(state: State, part: str) -> list[Guest]:
    """Return the guests in whose UPN, mail or display name this is a part, of any case; for nothing nobody."""
    wanted = part.strip().casefold()
    names = ("userPrincipalName", "mail", "displayName")
    guests = state.guests.values() if wanted else ()
    return [guest for guest in guests if any(wanted in _text(guest, name) for name in names)]


def named(account: Account, asked: str) -> bool:
    """Tell whether an account has this SID, sAMAccountName or UPN."""
    values = (account.attributes.get(name) for name in ("sAMAccountName", "userPrincipalName"))
    return asked.strip().casefold() in (account.sid.casefold(), *(str(v).casefold() for v in values if v))


def _of(state: State, attribute: str, wanted: str) -> Iterator[Guest]:
    return (guest for guest in state.guests.values() if wanted and _text(guest, attribute) == wanted)


def _joined(state: State, wanted: str) -> Iterator[Guest]:
    for account in state.accounts.values():
        guest = state.guests.get(account.guest or "")
        if guest is not None and named(account, wanted):
            yield guest


def _text(guest: Guest, attribute: str) -> str:
    value = guest.attributes.get(attribute)
    return value.casefold() if isinstance(value, str) else ""
