"""Bringing deleted users back: the same object, marked in the same write."""

from __future__ import annotations

import pytest

from reconciler.directory.port import Modification
from reconciler.errors import NameTakenError, NotFoundError
from reconciler.model.account import HALF_MADE
from reconciler.model.dn import DN
from reconciler.model.values import Value

from .world import World

_MARK: dict[str, Value] = {"adminDescription": "User_x"}
_READ = ("adminDescription", "userAccountControl", "sAMAccountName", "displayName", "lastKnownParent")


class ReanimatingContract:
    """What `reanimate` promises."""

    def gone(self, world: World, name: str = "returning") -> tuple[str, str, DN]:
        dn = world.ou.child("CN", name)
        made = world.writer.add(dn, {"sAMAccountName": f"{name[:8]}{world.ou.name[-8:]}", "displayName": "D"})
        world.writer.delete(made.guid)
        return made.guid, made.sid, dn

    def test_it_is_the_same_object_marked_and_disabled(self, world: World) -> None:
        guid, sid, dn = self.gone(world)
        back = world.writer.reanimate(guid, dn, _MARK)
        assert (back.guid, back.sid, back.dn, back.deleted) == (guid, sid, dn, False)
        assert world.writer.find([guid], _READ)[guid].attributes["userAccountControl"] == HALF_MADE, "as it was deleted"
        found = world.writer.find([guid], _READ)[guid]
        assert {k: found.attributes.get(k) for k in _MARK} == _MARK
        assert not found.deleted

    def test_a_deleted_one_says_where_it_was(self, world: World) -> None:
        guid, _, dn = self.gone(world)
        found = world.writer.find([guid], _READ)[guid]
        assert found.deleted
        assert DN(str(found.attributes["lastKnownParent"])) == dn.parent

    def test_it_may_come_back_to_another_ou_and_be_finished(self, world: World) -> None:
        guid, sid, dn = self.gone(world)
        to = DN(f"{dn.rdn},OU=Departed,{world.ou}")
        assert world.writer.reanimate(guid, to, _MARK).dn == to
        world.writer.modify(guid, [Modification("displayName", None, "New")])
        world.writer.set_password(guid, "Aa1-long-enough-for-any-policy")
        world.writer.modify(guid, [Modification("userAccountControl", HALF_MADE, 262656)])
        found = world.writer.find([guid], _READ)[guid]
        assert (found.sid, found.attributes["userAccountControl"]) == (sid, 262656)

    def test_a_name_that_is_taken_meanwhile_refuses_it_and_it_stays_deleted(self, world: World) -> None:
        guid, _, dn = self.gone(world)
        world.writer.add(dn, {"sAMAccountName": f"other{world.ou.name[-8:]}"})
        with pytest.raises(NameTakenError):
            world.writer.reanimate(guid, dn, _MARK)
        assert world.writer.find([guid], ())[guid].deleted

    def test_a_missing_ou_refuses_it(self, world: World) -> None:
        guid, _, dn = self.gone(world)
        with pytest.raises(NotFoundError):
            world.writer.reanimate(guid, DN(f"{dn.rdn},OU=Nowhere,{world.ou}"), _MARK)
        assert world.writer.find([guid], ())[guid].deleted

    def test_what_is_not_deleted_is_not_brought_back(self, world: World) -> None:
        made = world.writer.add(world.ou.child("CN", "alive"), {"sAMAccountName": f"alive{world.ou.name[-8:]}"})
        with pytest.raises(Exception) as caught:
            world.writer.reanimate(made.guid, world.ou.child("CN", "twice"), _MARK)
        assert "Error" in type(caught.value).__name__
        assert not world.writer.find([made.guid], ())[made.guid].deleted
