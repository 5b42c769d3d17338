"""From what the directory says and what the KDC answered to the cause. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from . import kdc, obstacles
from .answers import by_answer
from .causes import Cause, Finding
from .facts import Person, Surroundings
from .kdc import Refusal, Step

_ACCOUNT_CODES = frozenset({kdc.REVOKED, kdc.POLICY, kdc.CLIENT_EXPIRED, kdc.KEY_EXPIRED})
_UNKNOWN_CODES = frozenset({kdc.CLIENT_UNKNOWN, kdc.NOT_UNIQUE})
_SKEW_CODES = frozenset({kdc.SKEW, kdc.PREAUTH_FAILED, kdc.INTEGRITY, kdc.TICKET_EXPIRED, kdc.NOT_YET_VALID})
_DELEGATION_CODES = frozenset({kdc.BAD_OPTION, kdc.POLICY})
_EVERYWHERE = frozenset(Step)
_AT_SERVICE = frozenset({Step.SERVICE})
_AT_GUEST = frozenset({Step.GUEST, Step.SERVICE})

_EXPLAINS: dict[Cause, tuple[frozenset[Step], frozenset[int]]] = {
    Cause.CLOCK_SKEW: (_EVERYWHERE, _SKEW_CODES),
    Cause.CONNECTOR_REVOKED: (_EVERYWHERE, _ACCOUNT_CODES),
    Cause.CONNECTOR_WITHOUT_SPN: (frozenset({Step.GUEST}), frozenset({kdc.SERVER_UNKNOWN, kdc.BAD_OPTION})),
    Cause.NO_ACCOUNT: (_AT_GUEST, _UNKNOWN_CODES),
    Cause.DELETED: (_AT_GUEST, _UNKNOWN_CODES),
    Cause.DISABLED: (_AT_GUEST, _ACCOUNT_CODES),
    Cause.EXPIRED: (_AT_GUEST, _ACCOUNT_CODES),
    Cause.LOCKED: (_AT_GUEST, _ACCOUNT_CODES),
    Cause.UPN_DIFFERS: (_AT_GUEST, _UNKNOWN_CODES),
    Cause.IDENTITY_DIFFERS: (_AT_GUEST, _UNKNOWN_CODES),
    Cause.DUPLICATE_UPN: (_AT_GUEST, _UNKNOWN_CODES),
    Cause.WRONG_SPN: (_AT_SERVICE, frozenset({kdc.SERVER_UNKNOWN, kdc.BAD_OPTION})),
    Cause.DUPLICATE_SPN: (_AT_SERVICE, frozenset({kdc.SERVER_UNKNOWN, kdc.NOT_UNIQUE, kdc.BAD_OPTION})),
    Cause.NOT_ALLOWED: (_AT_SERVICE, _DELEGATION_CODES),
    Cause.RESOURCE_BASED: (_AT_SERVICE, _DELEGATION_CODES),
    Cause.NO_PROTOCOL_TRANSITION: (_AT_SERVICE, _DELEGATION_CODES),
    Cause.NOT_FORWARDABLE: (_AT_SERVICE, _DELEGATION_CODES),
    Cause.NOT_DELEGATED: (_AT_GUEST, _DELEGATION_CODES),
    Cause.PROTECTED_USERS: (_AT_GUEST, _DELEGATION_CODES | _ACCOUNT_CODES),
    Cause.SERVICE_DISABLED: (_AT_SERVICE, frozenset({kdc.SERVICE_REVOKED, kdc.SERVER_UNKNOWN, kdc.POLICY})),
}
"""At which step, and with which answers, each obstacle that the directory shows is what the KDC means."""

DESPITE_SUCCESS = frozenset({Cause.ANOTHER_ACCOUNT, Cause.DUPLICATE_UPN, Cause.PROTECTED_USERS})
"""What makes a sign-in a failure although this KDC granted it."""


def connector_obstacles(around: Surroundings, now: datetime) -> Iterator[Finding]:
    """Yield what is in every guest's way."""
    yield from obstacles.of_clock(around)
    yield from obstacles.of_connector(around, now)
    yield from obstacles.of_service(around)
    yield from obstacles.of_ticket(around)


def refused(refusal: Refusal, around: Surroundings, person: Person | None, now: datetime) -> tuple[Finding, ...]:
    """Return why it was refused: the cause first, then whatever else would have refused it at that step.

    Where nothing the directory shows explains the answer, the answer speaks for itself.
    """
    found = [*connector_obstacles(around, now), *(obstacles.of_person(person, now) if person else ())]
    return tuple(f for f in found if _explains(f.cause, refusal)) or (by_answer(refusal, around, person),)


def granted(person: Person, now: datetime) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return why a granted ticket is none to rely on, and what else the directory shows that another KDC would refuse."""
    found = tuple(obstacles.of_person(person, now))
    failing = tuple(f for f in found if f.cause in DESPITE_SUCCESS)
    return failing, tuple(f for f in found if f.cause not in DESPITE_SUCCESS)


def _explains(cause: Cause, refusal: Refusal) -> bool:
    steps, codes = _EXPLAINS.get(cause, (frozenset(), frozenset()))
    return refusal.step in steps and refusal.code in codes
