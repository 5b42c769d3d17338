"""The access check against the controller's own opinion, and the parser against what is no descriptor."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.demo.samba import Controller
from reconciler.directory.ldap.descriptor import Ace, Descriptor, parse
from reconciler.directory.ldap.root import naming
from reconciler.doctor.rights import access, look
from reconciler.doctor.rights.access import USER, Token, changes, owns, permits
from reconciler.doctor.rights.names import Names
from reconciler.doctor.rights.needs import DELETE_USERS
from reconciler.doctor.rights.seen import Places
from reconciler.model.dn import DN

from .delegated import delegated, seen, session

ME = Token("me", "S-1-5-21-1-2-3-1000", "CN=me", frozenset({"S-1-5-21-1-2-3-1000", "S-1-5-11"}), signed_in=True)
PERSONAL = "77b5b886-944a-11d1-aebd-0000f80367c1"
"""The property set Personal-Information."""
LIMITS = ("description", "displayName", "telephoneNumber", "mail", "info", "title")


def ace(mask: int, *, allow: bool = True, sid: str = ME.sid, flags: int = 0, **more: str | None) -> Ace:
    return Ace(allow, mask, sid, flags, more.get("object_type"), more.get("inherited_type"))


def entries(names: Names, sid: str, seed: int) -> str:
    """A random access list for users below an OU: allowed and denied, whole, by property set and by attribute."""
    chance = random.Random(seed)
    limits = [a.guid for name in LIMITS if (a := names.attribute(name))] + [PERSONAL, "", USER]
    made = []
    for _ in range(chance.randint(2, 7)):
        kind = chance.choice(("OA", "OA", "OD"))
        made.append(f"({kind};CIIO;WP;{chance.choice(limits)};{chance.choice((USER, ''))};{sid})")
    for name in chance.sample(("user", "group", "computer", "organizationalUnit"), 2):
        guid = next(g for g, n in names.guids.items() if n == name)
        made.append(f"({chance.choice(('OA', 'OD'))};CI;CC;{guid};;{sid})")
    return "".join(made)


def test_what_is_read_from_the_list_is_what_the_controller_itself_says(samba: Controller) -> None:
    account = delegated(samba, lambda _rights, _sid: {})
    with session(samba, account.login) as mine:
        at = naming(mine)
        names = look.names(mine, at)
        token = look.own_token(mine, at)
        writable = 0
        for seed in range(6):
            with samba.administrator() as administrator:
                ou = DN(administrator.ou(f"OU=L{seed},{account.ou}"))
                administrator.user(f"CN=u{seed},{ou}", {"sAMAccountName": f"{account.name}{seed}"})
            account.grant(ou, entries(names, account.sid, seed))
            administrator_made = DN(f"CN=u{seed},{ou}")
            found = look.seen(mine, at, token, names, Places(DN(samba.base), (ou,), (ou,)))
            [sample] = found.samples
            user, itself = found.opinion(administrator_made), found.opinion(ou)
            assert sample.dn == administrator_made
            assert sample.descriptor is not None
            assert user is not None
            assert itself is not None
            for name in LIMITS:
                attribute = names.attribute(name)
                assert attribute is not None
                may = permits(sample.descriptor, token, access.WRITE, attribute.types)
                assert may == (name.casefold() in user.attributes), f"seed {seed}: {name}"
                writable += may
            holder = found.holder(ou)
            assert holder is not None
            assert holder.descriptor is not None
            for guid in ("user", "group", "computer", "organizationalUnit"):
                classed = next(g for g, n in names.guids.items() if n == guid)
                may = permits(holder.descriptor, token, access.CREATE, (classed,))
                assert may == (guid.casefold() in itself.classes), f"seed {seed}: {guid}"
        assert 0 < writable < 6 * len(LIMITS)


def test_a_descriptor_is_read_as_samba_writes_it(samba: Controller) -> None:
    account = delegated(samba)
    with session(samba, account.login) as mine:
        holder = seen(account, mine, look.own_token(mine, naming(mine))).holder(account.ou)
    assert holder is not None
    assert holder.descriptor is not None
    assert holder.descriptor.entries is not None
    shown = samba.samba_tool("dsacl", "get", f"--objectdn={account.ou}")
    ours = [e.sddl for e in holder.descriptor.entries if e.sid == account.sid]
    assert len(ours) == len(account.rights)
    assert all(entry in shown for entry in ours)
    assert shown.partition("S:")[0].count("(") == len(holder.descriptor.entries)


@given(st.binary(max_size=400))
def test_bytes_that_are_no_descriptor_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    try:
        parse(raw)
    except ValueError:
        return


@pytest.mark.parametrize("end", range(0, 60, 7))
def test_a_descriptor_that_was_cut_is_refused(end: int) -> None:
    sid = bytes.fromhex("010100000000000512000000")
    body = b"\x00\x00" + (8 + len(sid)).to_bytes(2, "little") + (0xF01FF).to_bytes(4, "little") + sid
    dacl = b"\x04\x00" + (8 + len(body)).to_bytes(2, "little") + b"\x01\x00\x00\x00" + body
    whole = b"\x01\x00\x04\x80" + bytes(12) + (20).to_bytes(4, "little") + dacl
    found = parse(whole)
    assert found.entries == (Ace(allow=True, mask=0xF01FF, sid="S-1-5-18"),)
    if end < len(whole):
        with pytest.raises(ValueError, match="not a"):
            parse(whole[:end])


def test_without_a_list_everybody_may_everything() -> None:
    assert permits(Descriptor("S-1-5-18", None), ME, access.WRITE_DACL)
    assert changes(Descriptor("S-1-5-18", None), ME)


def test_an_entry_before_it_decides() -> None:
    denied = Descriptor(None, (ace(access.WRITE, allow=False), ace(access.WRITE)))
    assert not permits(denied, ME, access.WRITE)
    assert not changes(denied, ME)
    allowed = Descriptor(None, (ace(access.WRITE), ace(access.WRITE, allow=False)))
    assert permits(allowed, ME, access.WRITE)
    assert changes(allowed, ME)


def test_a_condition_grants_nothing_for_certain_and_counts_as_too_much() -> None:
    maybe = Descriptor(None, (Ace(allow=True, mask=access.WRITE, sid=ME.sid, conditional=True),))
    assert not permits(maybe, ME, access.WRITE)
    assert changes(maybe, ME)


def test_the_owner_may_change_the_list_unless_owner_rights_says_otherwise() -> None:
    assert owns(Descriptor(ME.sid, ()), ME)
    assert not owns(Descriptor(ME.sid, (ace(0x20000, sid=access.OWNER_RIGHTS),)), ME)
    assert owns(Descriptor(ME.sid, (ace(0x20000 | access.WRITE_DACL, sid=access.OWNER_RIGHTS),)), ME)
    assert not owns(Descriptor("S-1-5-18", ()), ME)


@pytest.mark.parametrize("kind", [None, access.USER])
def test_whoever_creates_gets_what_creator_owner_has(kind: str | None) -> None:
    full = Ace(True, 0xF01FF, access.CREATOR, 0xA, None, kind)
    create = Ace(True, access.CREATE, ME.sid, 0, access.USER)
    assert [g.entry for g in changes(Descriptor(None, (create, full)), ME)] == [create, full]
    assert changes(Descriptor(None, (full,)), ME) == []
    other = Ace(True, access.CREATE, ME.sid, 0, "bf967a86-0de6-11d0-a285-00aa003049e2")
    assert (full in [g.entry for g in changes(Descriptor(None, (other, full)), ME)]) == (kind is None)


def test_an_account_may_be_deleted_by_a_right_on_itself() -> None:
    on_users = Ace(True, access.DELETE, ME.sid, 0xA, None, access.USER)
    assert DELETE_USERS.held(Descriptor(None, (on_users,)), ME)
    assert not DELETE_USERS.held(Descriptor(None, (replace(on_users, flags=0),)), ME)
    assert not DELETE_USERS.held(Descriptor(None, (ace(access.DELETE, allow=False),)), ME)
