"""Generated people: guests as partners of every country would bring them, the same ones for the same seed.

Names come from Faker in some forty locales and a dozen scripts. Everything is legal in Active Directory (givenName and
surname at most 64 UTF-16 units, displayName 256), and realistic where that hurts: twins who share a display name, a
missing mail or surname, single letters, very long names. The partners are the fictitious companies of Microsoft's own
documentation.
"""

from __future__ import annotations

import random
import re
import unicodedata
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, cast

LOCALES = (
    *("en_US", "en_GB", "de_DE", "fr_FR", "es_MX", "pt_BR", "it_IT", "nl_NL", "ga_IE"),
    *("sv_SE", "da_DK", "no_NO", "fi_FI", "et_EE", "lv_LV", "lt_LT", "pl_PL", "cs_CZ", "sk_SK"),
    *("hu_HU", "ro_RO", "hr_HR", "tr_TR", "az_AZ", "vi_VN", "el_GR", "ru_RU", "uk_UA", "bg_BG"),
    *("ka_GE", "hy_AM", "he_IL", "ar_AA", "ar_SA", "fa_IR", "hi_IN", "bn_BD", "ta_IN", "th_TH"),
    *("ja_JP", "ko_KR", "zh_CN", "zh_TW"),
)
SURNAME_FIRST = frozenset({"hu_HU", "ja_JP", "ko_KR", "vi_VN", "zh_CN", "zh_TW"})
UNSPACED = frozenset({"ja_JP", "ko_KR", "zh_CN", "zh_TW"})

PARTNERS = (
    ("fabrikam.com", "Fabrikam, Inc."),
    ("adatum.com", "A. Datum Corporation"),
    ("northwindtraders.com", "Northwind Traders"),
    ("litwareinc.com", "Litware, Inc."),
    ("proseware.com", "Proseware, Inc."),
    ("tailspintoys.com", "Tailspin Toys"),
    ("wingtiptoys.com", "Wingtip Toys"),
    ("woodgrovebank.com", "Woodgrove Bank"),
    ("fourthcoffee.com", "Fourth Coffee"),
    ("margiestravel.com", "Margie's Travel"),
)
"""(domain, company) of the partners guests come from; fabrikam.com is the largest."""

_WEIGHTS = (30, *([70 / 9] * 9))
_JOBS = ("Buyer", "Engineer", "Auditor", "Consultant", "Project Manager", "Field Technician", "Account Manager", None)
_EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
_SPELLED = {"Васовa": "Васова"}
"""What Faker spells with a Latin letter among Cyrillic ones: nobody is called so, and such a name is suspected."""
_NAME_MAX = 64
_DISPLAY_MAX = 256


@dataclass(frozen=True, slots=True)
class Person:
    """One guest before the tenant knows them; `properties` is what Microsoft Graph calls all of it."""

    id: str
    user_principal_name: str
    display_name: str
    given_name: str | None
    surname: str | None
    mail: str | None
    company_name: str
    job_title: str | None
    country: str
    preferred_language: str
    account_enabled: bool
    accepted: bool
    created: datetime
    locale: str

    @property
    def properties(self) -> dict[str, str | bool | None]:
        """Graph's property names, `id` and nulls included."""
        return {
            "id": self.id,
            "userPrincipalName": self.user_principal_name,
            "displayName": self.display_name,
            "givenName": self.given_name,
            "surname": self.surname,
            "mail": self.mail,
            "companyName": self.company_name,
            "jobTitle": self.job_title,
            "country": self.country,
            "preferredLanguage": self.preferred_language,
            "accountEnabled": self.account_enabled,
            "userType": "Guest",
            "creationType": "Invitation",
            "externalUserState": "Accepted" if self.accepted else "PendingAcceptance",
            "createdDateTime": self.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def generate(
    count: int,
    seed: int,
    tenant_domain: str = "contoso.onmicrosoft.com",
    locales: Sequence[str] = LOCALES,
    *,
    blocked: float = 0.0,
) -> list[Person]:
    """Return `count` people, the same for the same arguments; a larger count begins with the smaller one's people.

    `blocked` is the share of them who may not sign in (`accountEnabled` false): nobody, unless asked for.
    """
    stream = _people(random.Random(seed), tenant_domain, locales, blocked)
    return [next(stream) for _ in range(count)]


def _people(rng: random.Random, tenant_domain: str, locales: Sequence[str], blocked: float) -> Iterator[Person]:
    names = {locale: _names(locale, rng.getrandbits(32)) for locale in locales}
    latin = _names("en_US", rng.getrandbits(32))
    taken: set[str] = set()
    displayed: list[str] = []
    while True:
        locale = rng.choice(locales)
        female = rng.random() < 0.5
        given, surname = _draw(names[locale], female=female)
        romanised = _draw(latin, female=female)
        domain, company = rng.choices(PARTNERS, _WEIGHTS)[0]
        local = _unique(_local_part(given, surname) or _local_part(*romanised), domain, taken)
        display = _display(rng, locale, given, surname, company)
        if displayed and rng.random() < 0.02:
            display = rng.choice(displayed)
        displayed.append(display)
        kept = rng.random()
        yield Person(
            id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            user_principal_name=f"{local}_{domain}#EXT#@{tenant_domain}",
            display_name=display,
            given_name=None if kept < 0.02 else given,
            surname=None if kept > 0.98 else surname,
            mail=f"{local}@{domain}" if rng.random() < 0.97 else None,
            company_name=company,
            job_title=rng.choice(_JOBS),
            country=locale.partition("_")[2],
            preferred_language=locale.replace("_", "-"),
            account_enabled=not blocked or rng.random() >= blocked,
            accepted=rng.random() < 0.9,
            created=_EPOCH + timedelta(minutes=rng.randrange(60 * 24 * 365)),
            locale=locale,
        )


class _Names(Protocol):
    """Faker's generator for one locale: languages whose surnames agree with the bearer have two of each."""

    def first_name_female(self) -> str: ...
    def last_name_female(self) -> str: ...
    def first_name_male(self) -> str: ...
    def last_name_male(self) -> str: ...


def _names(locale: str, seed: int) -> _Names:
    from faker import Factory

    generator = Factory.create(locale, providers=["faker.providers.person"])
    generator.seed_instance(seed)
    return cast("_Names", generator)


def _draw(names: _Names, *, female: bool) -> tuple[str, str]:
    """Return a given name and a surname that fit their attributes, drawing again while they do not."""
    while True:
        drawn = (
            (names.first_name_female(), names.last_name_female())
            if female
            else (names.first_name_male(), names.last_name_male())
        )
        given, surname = (" ".join(_SPELLED.get(name, name).split()) for name in drawn)
        if 0 < _units(given) <= _NAME_MAX and 0 < _units(surname) <= _NAME_MAX:
            return given, surname


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _local_part(given: str, surname: str) -> str:
    """Return an e-mail address's local part, or nothing where the name has too little Latin in it."""
    bare = (unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode() for part in (given, surname))
    parts = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in bare]
    return ".".join(parts)[:40] if all(len(part) > 1 for part in parts) else ""


def _unique(local: str, domain: str, taken: set[str]) -> str:
    candidate, n = local, 1
    while f"{candidate}@{domain}" in taken:
        n += 1
        candidate = f"{local}{n}"
    taken.add(f"{candidate}@{domain}")
    return candidate


def _display(rng: random.Random, locale: str, given: str, surname: str, company: str) -> str:
    ordered = (surname, given) if locale in SURNAME_FIRST else (given, surname)
    full = ("" if locale in UNSPACED else " ").join(ordered)
    kind = rng.random()
    if kind < 0.70:
        return full
    if kind < 0.82:
        return f"{full} ({company})"
    if kind < 0.93:
        return f"{surname}, {given}"
    if kind < 0.99:
        return given
    if kind < 0.995:
        return given[0]
    words = f"{full} — {company}, {rng.choice(_JOBS) or 'Guest'}; " * 20
    while _units(words) > _DISPLAY_MAX:
        words = words[:-1]
    return words.rstrip()
