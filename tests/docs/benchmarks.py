"""The tables of the pages on performance, made from the figures in docs/benchmarks/.

Of several runs the fastest stands in a table: what else a machine did is in the others. Bold: above the target.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from tests.bench.plan import TARGETS, Measured, best
from tests.bench.results import FOLDER, Applied, Compared, Imported, Page, Read, load

PLANS, IMPORTS, CONTROLLER, COMPARED = (
    FOLDER / f"{name}.json" for name in ("plan", "snapshot", "controller", "compare")
)
_MEMORY: Mapping[str, Mapping[int, float]] = {
    "cold": {10_000: 100, 100_000: 150, 1_000_000: 300},
    "warm": {10_000: 100, 100_000: 150, 1_000_000: 200},
}
"""Megabytes, all processes of a plan together."""
_IMPORTED: Mapping[str, Mapping[int, float]] = {
    "full": {10_000: 3, 100_000: 10, 1_000_000: 60},
    "increment": {10_000: 0.5, 100_000: 0.5, 1_000_000: 1},
    "both sides": {10_000: 0.5, 100_000: 0.5, 1_000_000: 1},
}
"""Seconds until an import is committed, on a quiet machine of two cores."""
_SIZES = (10_000, 100_000, 1_000_000)


def targets() -> str:
    """What a plan may cost."""
    rows = [(_named(what), *(f"{TARGETS[what][size]:g} s" for size in _SIZES)) for what in _order(TARGETS)]
    rows += [(f"memory, {what}", *(f"{some[size]} MB" for size in _SIZES)) for what, some in _MEMORY.items()]
    return _table(("plan", *(_guests(size) for size in _SIZES)), rows)


def plans() -> str:
    """Wall time and memory of plans."""
    found = load(PLANS, "plans", Measured)
    rows = [
        (
            _named(what),
            *(
                _timed([o.wall for o in found if (o.what, o.guests) == (what, size)], TARGETS[what][size])
                for size in _SIZES
            ),
        )
        for what in _order(TARGETS)
    ]
    for what, limits in _MEMORY.items():
        some = [o for o in found if o.what.startswith(what)]
        rows.append(
            (
                f"memory, {what}",
                *(_peak([o.together for o in some if o.guests == size], limits[size]) for size in _SIZES),
            )
        )
    growth = ""
    cold = {o.guests: o.wall for o in best([o for o in found if o.what == "cold"])}
    if _SIZES[1] in cold and _SIZES[2] in cold:
        times = cold[_SIZES[2]] / cold[_SIZES[1]]
        growth = f"\nFrom {_SIZES[1]:,} guests to {_SIZES[2]:,} a cold plan cost {times:.1f} times as much.\n"
    return _table(("plan", *(_guests(size) for size in _SIZES)), rows) + growth + _machine(PLANS)


def plans_cpu() -> str:
    """CPU time of plans."""
    fastest = {(o.what, o.guests): o for o in best(load(PLANS, "plans", Measured))}
    rows = [
        (_named(what), *(f"{fastest[what, size].cpu:.2f} s" if (what, size) in fastest else "" for size in _SIZES))
        for what in _order(TARGETS)
    ]
    return _table(("plan", *(_guests(size) for size in _SIZES)), rows)


def imports() -> str:
    """Imports of guests, until they are committed."""
    found = load(IMPORTS, "imports", Imported)
    rows = []
    for what in dict.fromkeys(o.what for o in found):
        for size in _SIZES:
            some = [o for o in found if (o.what, o.guests) == (what, size)]
            if not some:
                continue
            one = min(some, key=lambda o: o.total)
            limit = _IMPORTED.get(what, {}).get(size)
            memory = f"{max(o.memory for o in some):,.0f} MB"
            rows.append((what, f"{size:,}", _timed([one.total], limit), _limit(limit), f"{one.cpu:.2f} s", memory))
    return _table(
        ("import", "guests", "until committed", "target", "CPU of the import", "peak memory"), rows
    ) + _machine(IMPORTS)


def page() -> str:
    """What a page of entries costs the client."""
    (one,) = load(CONTROLLER, "pages", Page)
    rows = [
        ("received and walked", f"{one.received:.0f}"),
        ("made an account: values by their kinds, GUID, SID, protections", f"{one.made:.0f}"),
        ("ldap3's own strategy, received and decoded alone", f"{one.stock:.0f}"),
    ]
    return _table(("step", "µs an entry"), rows)


def reads() -> str:
    """Reads of a whole controller."""
    found = sorted(load(CONTROLLER, "reads", Read), key=lambda o: (o.accounts, -o.count))
    rows = [
        (
            one.what,
            f"{one.accounts:,}",
            *(f"{seconds:.2f} s" for seconds in (one.wall, one.server)),
            f"{one.client:.3f} s",
            f"{one.client / one.count * 1e6:,.0f} µs",
        )
        for one in found
    ]
    return _table(("read", "accounts", "wall", "controller: CPU", "client: CPU", "client, an entry"), rows)


def applied() -> str:
    """Who keeps whom waiting in `apply`."""
    rows = [
        (
            f"{one.count:,} {one.what}",
            *(f"{seconds:.2f} s" for seconds in (one.wall, one.server, one.client)),
            f"{one.client / one.count * 1e3:.1f} ms",
            f"{one.client / one.wall:.0%}".replace("%", " %"),
        )
        for one in load(CONTROLLER, "applied", Applied)
    ]
    heads = ("apply", "wall", "controller: CPU", "client: CPU", "client, a change", "client's share of the wall time")
    return _table(heads, rows) + _machine(CONTROLLER)


def compared() -> str:
    """The side by side, and its chart in words for those who do not see it."""
    found = load(COMPARED, "compared", Compared)
    asked = {o.what: [each for each in found if each.what == o.what] for o in found}
    words = "; ".join(f"{what}: {', '.join(f'{o.who} {o.wall:.2f} s' for o in some)}" for what, some in asked.items())
    rows = [
        (what, o.who, f"{o.count:,}", f"{o.wall:.2f} s", f"{o.cpu:.2f} s") for what, some in asked.items() for o in some
    ]
    picture = f"![Bars of wall time. {words}](images/compare.svg)\n\n"
    return picture + _table(("", "who", "guests", "wall", "client's CPU"), rows) + _machine(COMPARED)


def _order(known: Iterable[str]) -> list[str]:
    return sorted(known, key=["cold", "warm, 100 changed", "warm, 1 % changed", "unchanged", "help"].index)


def _named(what: str) -> str:
    return {"help": "`reconcile --help`", "cold": "cold: nothing is remembered"}.get(what, what)


def _guests(size: int) -> str:
    return f"{size:,} guests"


def _timed(seconds: Sequence[float], limit: float | None) -> str:
    if not seconds:
        return ""
    least = f"{min(seconds):.2f} s"
    return f"**{least}**" if limit is not None and min(seconds) > limit else least


def _peak(megabytes: Sequence[float], limit: float) -> str:
    if not megabytes:
        return ""
    most = f"{max(megabytes):,.0f} MB"
    return f"**{most}**" if max(megabytes) > limit else most


def _limit(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g} s"


def _machine(file: Path) -> str:
    on = json.loads(file.read_text("utf-8"))["machine"]
    where = f"{on['processors']} processors, {on['system']}, Python {on['python']}"
    return f"\nMeasured on {on['on']}: {where}; {on['load']:g} processes waiting on average.\n"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first align right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


TABLES: Mapping[str, Callable[[], str]] = {
    "bench-targets": targets,
    "bench-plans": plans,
    "bench-plans-cpu": plans_cpu,
    "bench-imports": imports,
    "bench-page": page,
    "bench-reads": reads,
    "bench-applied": applied,
    "bench-compared": compared,
}
