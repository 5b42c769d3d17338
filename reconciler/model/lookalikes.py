"""Names that look like other names: letters of one alphabet that pass for another's, and names compared by their looks.

The table is drawn from confusables.txt of Unicode's UTS #39 (© Unicode, Inc., Unicode License v3): every letter and digit of
the basic plane that compatibility decomposition leaves alone and whose prototype is a letter or digit of ASCII. Which
script a letter is of is read from its name, which never changes: so every supported Python gives the same answer, and
characters that Unicode 14 does not have are passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from .invisible import invisible

_TABLE = """
2:ƧϨᒿꙄꝚ 3:ƷȜЗӠⳌꝪꞫ 4:Ꮞ 5:Ƽ 6:бᏮⳒ 8:Ȣȣ 9:ⳊꝮ A:ΑАᎪᗅꓮ AA:Ꜳ AE:ÆӔ AO:Ꜵ AU:Ꜷ AV:ꜸꜺ AY:Ꜽ B:ΒВᏴᗷꓐꞴ C:СᏟⲤꓚ D:Ꭰᗞᗪꓓ
E:ΕЕᎬⴹꓰ F:ϜᖴꓝꞘ G:ԌᏀᏳꓖ H:ΗНᎻᕼⲎꓧ J:ͿЈᎫᒍꓙꞲ K:ΚКᏦᛕⲔꓗ L:ᏞᒪⳐꓡ M:ΜϺМᎷᗰᛖⲘꓟ N:ΝⲚꓠ O:ΟОՕⲞⵔꓳ OE:Œ OO:ꚘꝎ P:ΡРᏢᑭⲢꓑ Q:ⵕ
R:ƦᎡᏒᖇꓣ S:ЅՏᏕᏚꓢ T:ΤТᎢⲦꓔ T3:Ꜩ U:Սᑌꓴ V:ѴᏙᐯⴸꓦ W:ԜᎳᏔꓪ X:ΧХᚷⲬⵝꓫꞳ Y:ΥУҮᎩᎽⲨꓬ Z:ΖᏃꓜ a:ɑαа aa:ꜳ ae:æӕ ao:ꜵ au:ꜷ av:ꜹꜻ
ay:ꜽ b:ƄЬᏏᑲᖯ bl:Ы c:сᴄⲥꮯ d:ԁᏧᑯꓒ dz:ʣ e:еҽꬲ f:քẝꞙꬵ g:ƍɡցᶃ h:һհᏂ i:ıɩɪιіӏᎥꙇꭵ j:ϳј l:ƖǀΙІӀוןᛁⲒⵏꓲ lO:Ю ll:ǁװ ls:ʪ
lz:ʫ n:ոռ o:οσоօסჿᴏᴑⲟꬽ oe:œ oo:ꚙꝏ p:ρрⲣ q:ԛգզ r:гᴦⲅꭇꭈꮁ s:ƽѕꜱꮪ tf:ꝷ ts:ʦ u:ʋυսᴜꞟꭎꭒ ue:ᵫ uo:ꭣ v:νѵטᴠꮩ w:ɯѡԝաᴡꮃ
x:хᕁᕽ y:ɣʏγуүყᶌỿꭚ z:ᴢꮓ
"""

_STROKED = """
a:Ⱥⱥ b:ƀƁɃɓ c:Ȼȼƈ d:ÐðĐđƉƊɖɗ e:Ɇɇ f:Ƒƒ g:ƓǤǥɠ h:Ħħɦ i:Ɨɨ j:Ɉɉ k:Ƙƙⱪ l:ŁłȽƚɫⱡ m:Ɱɱ n:ƝŊŋɲƞ o:ØøƟɵ p:Ᵽƥᵽ q:Ɋɋ r:ɌɍⱤɽ s:Ȿȿ
t:ŦŧƬƭȾⱦ u:Ʉʉ v:Ʋʋ w:Ⱳⱳ y:Ɏɏƴ z:Ƶƶȥ
"""
"""Latin letters with a stroke or a hook, which Unicode does not decompose: UTS #39 keeps them apart as it does `é` from `e`,
and a reader no more than that. Ours; for comparing names alone."""


def _pairs(table: str) -> Iterator[tuple[int, str]]:
    for row in table.split():
        latin, _, others = row.partition(":")
        yield from ((ord(c), latin) for c in others)


_LATIN = dict(_pairs(_TABLE))
_ALIKE = dict(_pairs(_STROKED)) | _LATIN
_SAME: dict[int, int | str | None] = {
    n: (c.lower() if c.isalnum() else None) for n, c in enumerate(map(chr, range(128)))
}
_SAME |= {ord(c): "o" if c == "0" else "l" for c in "01iI|"}
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "COPTIC", "CHEROKEE", "GEORGIAN", "HEBREW", "ARABIC", "LISU"}
    | {"CANADIAN", "TIFINAGH", "RUNIC", "DEVANAGARI", "THAI"}
)
"""Alphabets that no language mixes within a word. Chinese, Japanese and Korean writing is not among them."""
_HIDDEN = re.compile(
    r"[\0-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\u2800\u3164\ufeff\uffa0]"
)
"""What has no place in a name. The joiners U+200C and U+200D do, in Persian and in the scripts of India."""


def looks(text: str) -> str:
    """Return a key that names alike to the eye share: `Аdministrator` (Cyrillic А) and `ADM1NISTRATOR` have one.

    Letters and digits alone count; marks, case and width do not. Wider than UTS #39's skeleton, for comparing with few names.
    """
    if not text.isascii():
        seen = _decomposed(text).translate(_ALIKE).casefold()
        text = "".join(c for c in unicodedata.normalize("NFKD", seen) if c.isalnum())
    return text.translate(_SAME).replace("rn", "m").replace("vv", "w")


def mixed(text: str) -> tuple[str, str] | None:
    """Return a letter that passes for another alphabet's, and the two alphabets; None where there is none.

    It stands among letters of another alphabet within one word; or among Latin words, all that is written in its alphabet
    reads as ASCII. A company in brackets does not count among these.
    """
    if text.isascii():
        return None
    seen = _composed(text)
    for word in _WORD.findall(seen):
        scripts = [(c, _script(c)) for c in word]
        found = list(dict.fromkeys(s for _, s in scripts if s))
        if len(found) > 1:
            first = "LATIN" if "LATIN" in found else found[0]
            odd, other = next((c, s) for c, s in scripts if s and s != first)
            return odd, f"{other.capitalize()} among {first.capitalize()}"
    return _disguised(_WORD.findall(seen.partition("(")[0]))


def _disguised(words: Sequence[str]) -> tuple[str, str] | None:
    """What is not Latin among Latin words, where all of it could be."""
    others = [(w, _script(w[0])) for w in words if not w.isascii() and _script(w[0]) not in ("", "LATIN")]
    alone = len(others) == len(words) or not others
    if alone or any(len(w) == 1 or any(ord(c) not in _LATIN for c in w) for w, _ in others):
        return None
    word, script = others[0]
    return word[0], f"{script.capitalize()} among Latin"


def hidden(text: str) -> str | None:
    """Return the first character that has no place in a name because nobody can see it, or None."""
    if text.isascii() and text.isprintable():
        return None
    found = _HIDDEN.search(text)
    return found[0] if found else None


def named(char: str) -> str:
    """Return a character as `U+0410`: safe to print anywhere."""
    return f"U+{ord(char):04X}"


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", "".join(c for c in text if c.isascii() or not invisible(c)))


def _decomposed(text: str) -> str:
    return unicodedata.normalize("NFKD", _composed(text))


def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    first = unicodedata.name(char, "").partition(" ")[0]
    return first if first in _SCRIPTS else ""
