"""The OData query options this tenant understands: `$select`, and the `$filter`s Graph allows on users.

Parsers return what they parsed, or the 400 that Graph answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .answers import Answer, Json, Stationery
from .store import User

DEFAULT = (
    *("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation"),
    *("preferredLanguage", "surname", "userPrincipalName", "id"),
)
"""What a user comes with when nothing is selected."""

LISTS = frozenset({"businessPhones", "faxNumbers", "identities", "imAddresses", "otherMails", "proxyAddresses"})
"""Collections: empty, never null."""

KNOWN = frozenset(DEFAULT) | frozenset(
    (
        *("accountEnabled", "ageGroup", "assignedLicenses", "assignedPlans", "city", "companyName"),
        *("consentProvidedForMinor", "country", "createdDateTime", "creationType", "customSecurityAttributes"),
        *(
            "deletedDateTime",
            "department",
            "employeeHireDate",
            "employeeId",
            "employeeLeaveDateTime",
            "employeeOrgData",
        ),
        *("employeeType", "externalUserState", "externalUserStateChangeDateTime", "faxNumber", "faxNumbers"),
        *("identities", "imAddresses", "isResourceAccount", "legalAgeGroupClassification", "mailNickname"),
        *("onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesExtensionAttributes"),
        *("onPremisesImmutableId", "onPremisesLastSyncDateTime", "onPremisesProvisioningErrors"),
        *("onPremisesSamAccountName", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled"),
        *("onPremisesUserPrincipalName", "otherMails", "passwordPolicies", "passwordProfile", "postalCode"),
        *("preferredDataLocation", "proxyAddresses", "securityIdentifier", "serviceProvisioningErrors"),
        *("showInAddressList", "signInActivity", "signInSessionsValidFromDateTime", "state", "streetAddress"),
        *("usageLocation", "userType"),
    )
)
"""The properties of v1.0's user that can be selected."""

MAX_PAGE = 999
_MAX_OR = 15
_COMPARISON = re.compile(
    r"\s*(?P<name>\w+)\s+(?:(?P<op>eq|ne)\s+(?P<value>'(?:[^']|'')*'|true|false|null)"
    r"|in\s*\(\s*(?P<values>'(?:[^']|'')*'(?:\s*,\s*'(?:[^']|'')*')*)\s*\))\s*",
    re.IGNORECASE,
)
_JOIN = re.compile(r"(and|or)\b", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name eq value`, or with several values `name in (…)`."""

    name: str
    values: tuple[Json, ...]
    negated: bool = False

    def holds(self, user: User) -> bool:
        """Whether the user satisfies it; strings compare ignoring case, as the directory's do."""
        held = user.id if self.name == "id" else user.properties.get(self.name)
        return (_folded(held) in [_folded(v) for v in self.values]) is not self.negated


@dataclass(frozen=True, slots=True)
class Filter:
    """Comparisons joined by `and`, or by `or`; none at all holds for everybody."""

    comparisons: tuple[Comparison, ...] = ()
    disjunction: bool = False

    def holds(self, user: User) -> bool:
        """Whether the user satisfies it."""
        held = [c.holds(user) for c in self.comparisons]
        return any(held) if self.disjunction else all(held)


def parse_select(query: Mapping[str, str], stationery: Stationery) -> tuple[str, ...] | Answer | None:
    """Return the selected names with `id` first; None when nothing is selected."""
    text = query.get("$select")
    if not text:
        return None
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in KNOWN:
            what = f"Could not find a property named '{name}' on type 'microsoft.graph.user'."
            return stationery.graph_error(400, f"Parsing OData Select and Expand failed: {what}")
    return tuple(dict.fromkeys(["id", *names]))


def parse_filter(text: str, stationery: Stationery) -> Filter | Answer:
    """Parse comparisons by eq, ne and in, joined by only `and` or only `or`, fifteen alternatives at most."""
    comparisons, joins, at = [], set(), 0
    while True:
        match = _COMPARISON.match(text, at)
        if match is None or match["name"] not in KNOWN:
            return stationery.graph_error(400, f"Invalid filter clause: syntax error at position {at} in '{text}'.")
        comparisons.append(_comparison(match))
        at = match.end()
        if at == len(text):
            break
        join = _JOIN.match(text, at)
        if join is None:
            return stationery.graph_error(400, f"Invalid filter clause: syntax error at position {at} in '{text}'.")
        joins.add(join[1].lower())
        at = join.end()
    if len(joins) > 1:
        return stationery.graph_error(400, "Complex query is not supported.", "Request_UnsupportedQuery")
    alternatives = max(len(comparisons) if joins == {"or"} else 1, *(len(c.values) for c in comparisons))
    if alternatives > _MAX_OR:
        what = (
            f"Too many child clauses specified in search filter expression containing 'OR' operators: {alternatives}."
        )
        return stationery.graph_error(400, f"{what} Max allowed: {_MAX_OR}.", "Request_UnsupportedQuery")
    return Filter(tuple(comparisons), joins == {"or"})


def parse_ids(text: str, limit: int) -> tuple[str, ...] | None:
    """Return the ids of `id eq '…' or id eq '…'`, the one filter of a delta query; None for anything else."""
    ids = []
    for part in re.split(r"\s+or\s+", text.strip(), flags=re.IGNORECASE):
        match = _COMPARISON.fullmatch(part)
        if match is None or match["name"] != "id" or (match["op"] or "").lower() != "eq":
            return None
        ids.append(str(_literal(match["value"])).lower())
    return tuple(ids) if len(ids) <= limit else None


def project(user: User, select: tuple[str, ...] | None) -> dict[str, Json]:
    """Return a user as a read answers: every selected property, null (or an empty list) when unset."""
    held: dict[str, Json] = {**user.properties, "id": user.id}
    return {name: held.get(name, [] if name in LISTS else None) for name in (select or DEFAULT)}


def _comparison(match: re.Match[str]) -> Comparison:
    literals = _LITERAL.findall(match["values"]) if match["values"] else [match["value"]]
    return Comparison(match["name"], tuple(_literal(x) for x in literals), (match["op"] or "").lower() == "ne")


def _literal(text: str) -> Json:
    named: dict[str, Json] = {"true": True, "false": False, "null": None}
    return text[1:-1].replace("''", "'") if text.startswith("'") else named[text.lower()]


def _folded(value: Json) -> Json:
    return value.casefold() if isinstance(value, str) else value
