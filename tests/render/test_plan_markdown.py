from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt

from reconciler.model.plan import Action, Plan
from reconciler.model.values import utf16_length
from reconciler.render.plan_markdown import markdown
from tests.support.costs import cheapest, cpu

from . import builder
from .builder import CHANGES_DIGEST, DIGEST
from .golden import same_as_golden
from .hostile import everywhere
from .nasty import NASTY, anything

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def shown(plan: Plan, limit: int = 65536) -> str:
    return markdown(plan, DIGEST, CHANGES_DIGEST, limit)


def structure(source: str) -> list[tuple[str, str]]:
    """Every token but running text and code."""
    tokens = [part for token in _PARSER.parse(source) for part in (token, *(token.children or []))]
    told = [t for t in tokens if t.type not in ("inline", "text", "text_special", "code_inline")]
    return [(t.type, t.content if t.type.startswith("html") else t.tag) for t in told]


@cache
def _harmless() -> list[tuple[str, str]]:
    return structure(shown(everywhere("Alice"), 10**9))


@pytest.mark.parametrize("make", [builder.small, builder.guarded, builder.conflicted, builder.empty])
def test_golden(make: Callable[[], Plan]) -> None:
    same_as_golden(f"{make.__name__}.md", shown(make()))


@settings(deadline=None, max_examples=60)
@given(anything)
def test_data_wherever_it_stands_never_changes_the_structure_of_the_page(text: str) -> None:
    assert structure(shown(everywhere(text or "x"), 10**9)) == _harmless()


@pytest.mark.parametrize("text", [t for t in NASTY if t])
def test_the_nasty_list_never_changes_the_structure_of_the_page(text: str) -> None:
    assert structure(shown(everywhere(text), 10**9)) == _harmless()


@settings(deadline=None, max_examples=50)
@given(anything)
def test_the_page_fits_a_small_limit_whatever_it_shows(text: str) -> None:
    assert utf16_length(shown(everywhere((text or "x") * 50), 8000)) <= 8000


@pytest.mark.parametrize("changes", [400, 1000, 10_000])
@pytest.mark.parametrize("limit", [8000, 65536])
def test_a_large_plan_fits_the_limit_and_uses_it(changes: int, limit: int) -> None:
    page = shown(builder.large(changes), limit)

    assert limit * 0.8 < utf16_length(page) <= limit


@pytest.mark.parametrize("changes", [200, 10_000])
def test_what_a_large_plan_leaves_out_is_counted(changes: int) -> None:
    plan = builder.large(changes)
    page = shown(plan)

    items = len(re.findall(r"^- [^…]", page, re.MULTILINE))
    left_out = sum(
        int(n.replace(",", "")) for n in re.findall(r"^- …and ([\d,]+) more, in `state/plan.json`", page, re.MULTILINE)
    )

    assert items + left_out == len(plan.changes) + len(plan.conflicts) + len(plan.unmanaged)


def test_a_large_plan_shows_of_every_group_its_beginning() -> None:
    page = shown(builder.large(10_000))

    assert all(
        f"**{head}**" in page for head in ("Delete 1,000 accounts", "Update 4,000 accounts", "Create 2,500 accounts")
    )
    assert all(name in page for name in ("Leaver 2", "Zoë Çelik 10002", "山田 20004", "山田 20005", "Conflict 2"))


def test_where_every_change_has_its_own_cause_the_groups_left_out_are_counted() -> None:
    plan = builder.plan(*(builder.change(Action.DISABLE, n, f"Guest {n}", cause=f"cause {n}") for n in range(5000)))
    page = shown(plan)

    groups = len(re.findall(r"^\*\*Disable 1 account\*\*", page, re.MULTILINE))
    left = re.search(r"…and ([\d,]+) more in ([\d,]+) other groups: all of them are in `state/plan.json`", page)

    assert left is not None
    assert groups + int(left[2].replace(",", "")) == 5000
    assert utf16_length(page) <= 65536


def test_what_is_dangerous_comes_before_conflicts_and_these_before_what_is_routine() -> None:
    plan = builder.plan(builder.create(1, "New"), builder.delete(2, "Gone"), conflicts=(builder.conflict(3, "Stuck"),))
    page = shown(plan)

    assert page.index("Gone") < page.index("Stuck") < page.index("New")


def test_a_changed_user_principal_name_is_dangerous() -> None:
    renamed = builder.update(1, "Alice", builder.delta("userPrincipalName", "a@x.test", "b@x.test"))

    assert "## Dangerous: 1 change" in shown(builder.plan(renamed))


@pytest.mark.parametrize(
    ("plan", "verdict"),
    [
        (builder.plan(), "**Nothing to do.**"),
        (builder.plan(builder.create(1, "A")), "**Safe to merge: 1 routine change.**"),
        (
            builder.plan(builder.create(1, "A"), builder.delete(2, "B")),
            "**1 of 2 changes is dangerous: read before merging.**",
        ),
        (builder.conflicted(), "**3 conflicts need a person.**"),
        (builder.guarded(), "**Refused by a guard.**"),
    ],
)
def test_the_verdict_comes_first(plan: Plan, verdict: str) -> None:
    assert shown(plan).splitlines()[1] == f"> {verdict}" + shown(plan).splitlines()[1].removeprefix(f"> {verdict}")


def test_a_value_made_at_apply_is_named_and_never_shown() -> None:
    assert "`unicodePwd` made at apply" in shown(builder.plan(builder.create(1, "Alice")))


def test_text_from_right_to_left_cannot_turn_around_before_and_after() -> None:
    page = shown(builder.plan(builder.update(1, "x", builder.delta("displayName", "אבג", "דהו"))))

    assert "&lrm;`אבג`&lrm; → &lrm;`דהו`&lrm;" in page


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert shown(builder.large(500)) == shown(builder.large(500))


def test_five_thousand_changes_take_less_than_a_second() -> None:
    plan = builder.large(5000)

    assert cheapest(lambda: cpu(lambda: shown(plan)), 1) < 1


def test_everything_but_terminals_is_shown_without_rich() -> None:
    modules = "plan_markdown", "plan_html", "markdown", "html", "visible", "log", "outcomes", "failure"
    code = (
        "import sys\n" + "".join(f"import reconciler.render.{m}\n" for m in modules) + "sys.exit('rich' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_many_dangerous_changes_leave_room_for_the_conflicts() -> None:
    conflicts = tuple(builder.conflict(n, f"Stuck {n}") for n in range(5000, 5100))
    page = shown(builder.plan(*(builder.delete(n, f"Gone {n}") for n in range(5000)), conflicts=conflicts))

    assert page.count("Stuck") == 100
    assert page.count("Gone") > 200


def test_of_a_large_group_ten_are_open_and_the_rest_is_folded() -> None:
    page = shown(builder.plan(*(builder.delete(n, f"Gone {n}") for n in range(50))))
    before, folded = page.split("<details>\n<summary>40 more</summary>\n\n")

    assert before.count("Gone") == 10
    assert folded.partition("</details>")[0].count("Gone") == 40


def test_a_group_of_hardly_more_is_not_folded() -> None:
    assert "<details>" not in shown(builder.plan(*(builder.delete(n, f"Gone {n}") for n in range(12))))


def test_ten_thousand_changes_leave_no_more_than_a_page_open() -> None:
    """What a reader sees without a click: the verdict, the counts, and of each dangerous group and conflict the first ten."""
    opened, depth = [], 0
    for line in shown(builder.large(10_000)).splitlines():
        depth += line.count("<details>") - line.count("</details>")
        opened += [line] if not depth and line else []

    assert len(opened) < 60
    assert depth == 0
