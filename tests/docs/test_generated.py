"""What script/docs writes is up to date, and what people wrote beside it is still true."""

from __future__ import annotations

import json
import re
import shlex
import xml.etree.ElementTree as ET

import pytest
import yaml

from reconciler import __version__
from reconciler.cli.arguments import parser
from reconciler.errors import Exit
from reconciler.model.guest import Guest
from reconciler.model.plan import Action, Rule
from reconciler.policy.expressions import Engine
from reconciler.policy.messages import FUNCTIONS
from reconciler.policy.model import EvaluationError
from reconciler.policy.safety import DEFAULT_GUARDS
from tests.bench.results import Compared, load

from .benchmarks import COMPARED
from .charts import chart
from .generated import REGIONS, regenerated, regions
from .pages import ROOT, code_in, fences, marked_tables, pages, text_of
from .pictures import lines_of, svg

_PICTURES = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs/images").iterdir())
_VARIABLE = re.compile(
    r"""["']((?:RECONCILE|XDG|GITHUB|ACTIONS|AZURE|REQUESTS|CURL|CI|BUILD)_[A-Z0-9_]+|KRB5CCNAME)["']"""
)
"""A variable's name where the program asks for it."""


@pytest.mark.parametrize("page", pages())
def test_generated_parts_are_up_to_date(page: str) -> None:
    assert regenerated(page) == text_of(page), f"{page} is stale: run script/docs"


def test_every_generated_part_stands_on_a_page() -> None:
    assert sorted(regions()) == sorted(REGIONS)


def test_the_picture_shows_what_the_terminal_shows_today() -> None:
    drawn = (ROOT / "docs/images/plan.svg").read_text("utf-8")

    assert [_letters(line) for line in lines_of(drawn)] == [_letters(line) for line in lines_of(svg())], (
        "run script/docs"
    )


def test_the_chart_shows_the_figures_that_are_kept() -> None:
    drawn = (ROOT / "docs/images/compare.svg").read_text("utf-8")

    assert lines_of(drawn) == lines_of(chart(load(COMPARED, "compared", Compared))), "run script/docs"


@pytest.mark.parametrize("picture", _PICTURES)
def test_a_picture_loads_nothing_and_stands_on_its_own_ground(picture: str) -> None:
    text = (ROOT / picture).read_text("utf-8")
    root = ET.fromstring(text)  # noqa: S314  our own file
    names = {element.tag.rpartition("}")[2] for element in root.iter()}

    assert not re.search(r"(?:href|src)\s*=|url\((?!#)|@import", text)
    assert not names & {"script", "image", "foreignObject", "a"}
    assert "title" in names
    assert 'fill="#0f172a"' in text, "an opaque ground, for light pages and dark ones"


def test_the_readme_lists_the_commands_that_exist_and_promises_no_other() -> None:
    actions = [a for a in parser()._actions if a.dest == "command"]
    exist = set(actions[0].choices or ())
    (listed, wanting) = re.findall(r"^\| (`init`.*?) \| (.*?) \|$", text_of("README.md"), re.MULTILINE)[0]
    table = re.findall(r"^\| `reconcile ([a-z]+)` \|", text_of("README.md"), re.MULTILINE)

    assert set(code_in(listed)) == exist
    assert set(table) == exist
    assert not exist & set(code_in(wanting)), "one of these exists now: update the status in README.md"
    assert f"version {__version__}" in text_of("README.md")


def test_the_readme_lists_every_exit_code() -> None:
    codes = re.findall(r"^\| (\d+) \|", text_of("README.md"), re.MULTILINE)

    assert [int(code) for code in codes] == [*sorted(int(e) for e in Exit), 130]


def test_every_environment_variable_is_documented_and_no_other() -> None:
    package = ROOT / "reconciler"
    modules = [f for f in sorted(package.rglob("*.py")) if "tenant" not in f.relative_to(package).parts]
    code = "".join(f.read_text("utf-8") for f in modules)
    rows = re.findall(r"^\| ((?:`[A-Z0-9_]+`(?:, )?)+) \|", text_of("docs/settings.md"), re.MULTILINE)
    documented = {name for row in rows for name in code_in(row)}

    assert set(_VARIABLE.findall(code)) <= documented
    assert {name for name in documented - {"NO_COLOR", "COLUMNS"} if name not in code} == set()
    readme = re.findall(r"^\| ((?:`RECONCILE_[A-Z0-9_]+`(?:, )?)+) \|", text_of("README.md"), re.MULTILINE)
    assert {name for row in readme for name in code_in(row)} <= documented


def test_every_expression_of_the_policy_page_gives_what_it_says() -> None:
    engine, guest = Engine(), _guest_of_the_page()
    wrong = []
    for expression, result in marked_tables("docs/policy.md")["evaluated"]:
        (source,) = code_in(expression)
        said = code_in(result)[0] if code_in(result) else result
        if (found := _outcome(engine, source, guest)) != said:
            wrong.append(f"{source} gives {found}, not {said}")

    assert wrong == []


def test_the_policy_page_shows_every_function_that_is_suggested() -> None:
    shown = " ".join(row[0] for row in marked_tables("docs/policy.md")["evaluated"])

    assert [f for f in FUNCTIONS if not re.search(rf"\b{f}\(", shown)] == []


def test_the_guards_of_the_policy_page_are_the_defaults() -> None:
    rows = re.findall(r"^\| `([a-z]+)` \| [^|]* \| ([^|]*) \|$", text_of("docs/policy.md"), re.MULTILINE)
    said = {name: default.strip() for name, default in rows if name in set(Action)}

    def words(action: Action) -> str:
        count, percent = DEFAULT_GUARDS.get(action, (None, None))
        parts = [f"{count:,}"] if count is not None else []
        parts += [f"{percent:g} %"] if percent is not None else []
        return ", and ".join(parts) or "no limit"

    assert said == {action.value: words(action) for action in Action}


def test_the_scripts_that_are_named_exist_and_all_are_named() -> None:
    named = set(re.findall(r"`script/([a-z]+)`", text_of("docs/contributing.md")))

    assert named == {p.name for p in (ROOT / "script").iterdir() if p.is_file()}


def _guest_of_the_page() -> Guest:
    text = text_of("docs/policy.md")
    block = next(f for f in fences("docs/policy.md") if f.words == ("yaml",) and "userPrincipalName" in f.text)
    assert "<!-- the guest of the table -->" in text
    said = yaml.safe_load(block.text)
    guest_id = said.pop("id")
    return Guest(guest_id, {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()})


def _outcome(engine: Engine, source: str, guest: Guest) -> str:
    try:
        value = engine.compile(source, Rule("page", "docs/policy.md", 1)).value(guest)
    except EvaluationError as error:
        return f"fails: {error.why}"
    if value is None:
        return "nothing"
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _letters(line: str) -> str:
    return "".join(shlex.split(line, posix=False)) if "'" not in line else line.replace(" ", "")
