"""What an import asks the receipts: what apply has written since the last import that was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from reconciler.directory.port import DirectoryReader, Domain, Entry
from reconciler.errors import GitError
from reconciler.git.notes import recent_receipts
from reconciler.git.repository import Repository
from reconciler.model.account import Account
from reconciler.model.guest import Guest
from reconciler.model.settings import Settings
from reconciler.policy.model import EvaluationError, Policy
from reconciler.state.model import DirectoryCursor, Manifest
from reconciler.state.told import ALSO, CREATED, NAME, Made, Seek, Told

from .context import Context
from .joins import Anchors

_ENABLES, _DISABLES = {"enable", "restore"}, {"disable"}
_MAKES = {"create", "join"}


def told(context: Context, settings: Settings, manifest: Manifest, cursor: DirectoryCursor) -> Told:
    """Return what the receipts tell of what was written since this import, freshly fetched where that can be done.

    They are records: none, or a damaged one, stops no import.
    """
    from reconciler.apply.receipt import Written, written_since

    repository = Repository.open(context.directory)
    since, place = datetime.fromisoformat(cursor.as_of), repository.prefix or "."

    def written(text: str) -> list[Written]:
        return written_since(text, since, manifest.serial, place, cursor.domain_sid, settings.entra.tenant)

    def stale(error: GitError) -> None:
        context.say(
            "The receipts cannot be fetched ({}): this import knows of what was applied only what was fetched before.",
            error.what.partition("\n")[0],
        )

    try:
        texts = list(recent_receipts(repository, settings.forge.remote, lambda text: bool(written(text)), stale))
    except GitError as error:
        context.say("The receipts cannot be read ({}): this import goes on without them.", error.what)
        return Told()
    rows = sorted((row for text in texts for row in written(text)), key=lambda row: (row.ended, row.serial))
    enabled: dict[str, bool] = {}
    for row in rows:
        if row.action in _ENABLES | _DISABLES:
            enabled[row.sid] = row.action in _ENABLES
    made = (Made(row.guest, row.sid, row.guid) for row in rows if row.action in _MAKES)
    return Told(frozenset(sid for sid, on in enabled.items() if on), tuple(made))


def seek(
    context: Context,
    reader: DirectoryReader,
    policy: Policy,
    guests: Mapping[str, Guest],
    anchors: Anchors,
    told: Told,
    cursor: DirectoryCursor | None,
    domain: Domain,
) -> Seek:
    """Return how the accounts that receipts tell of are looked for, and what proves whose they are."""
    attributes = policy.account_attributes
    also = tuple({n.casefold(): n for n in (*ALSO, *attributes)}.values())
    same_database = cursor is not None and (cursor.service_name, cursor.invocation_id) == (
        domain.service_name,
        domain.invocation_id,
    )

    def proves(made: Made, entry: Entry, known: Account | None) -> bool:
        guest = guests.get(made.guest)
        if guest is None or (policy.anchor.attribute != "cn" and policy.anchor.attribute in entry.attributes):
            return False
        if known is not None:
            return _found_by_rule(guest, known, policy)
        created = str(entry.attributes.get(CREATED, ""))
        since = same_database and cursor is not None and created.isdecimal() and int(created) > cursor.usn
        return since and _has_its_name(guest, entry, policy)

    def unfound(made: Sequence[Made]) -> None:
        if made:
            context.say(
                "{} accounts that were made since the last committed import cannot be seen, deleted ones included: nothing is "
                "known of what became of them. Let the reading account list deleted objects.",
                len(made),
            )

    return Seek(told, lambda guids: reader.find(guids, also), frozenset(attributes), anchors.names, proves, unfound)


def _found_by_rule(guest: Guest, account: Account, policy: Policy) -> bool:
    """Tell whether a join rule finds an account, as it was imported, for a guest: so it was when it was taken over."""
    from reconciler.planning.joining import same

    try:
        return any(
            same(
                account.dn.name if j.attribute == "cn" else account.attributes.get(j.attribute),
                j.expression.value(guest),
            )
            for j in policy.joins
        )
    except EvaluationError:
        return False


def _has_its_name(guest: Guest, entry: Entry, policy: Policy) -> bool:
    """Tell whether a deleted account has the one name that a tombstone keeps as the policy gives it to this guest."""
    from reconciler.planning.desired import UndecidableError, common_name, flows, initial_flows
    from reconciler.planning.joining import same

    try:
        wanted = {d.attribute: d.value for d in (*initial_flows(guest, policy), *flows(guest, policy))}
        if NAME in wanted:
            return same(entry.attributes.get(NAME), wanted[NAME])
        cn = wanted.get("cn") or common_name(guest, policy)
    except UndecidableError:
        return False
    return same(entry.dn.name.rpartition("\nDEL:")[0], cn)
