"""A guest as the protobuf message that expressions are type-checked against and evaluated on.

`id` and what Entra never leaves empty are plain fields; every other property is a wrapper, so that a missing one is
`null` to CEL, `has()` tells, and using it in a function fails instead of meaning an empty text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from reconciler.graph.attributes import CATALOGUE, NEVER_NULL, Kind
from reconciler.model.guest import Guest
from reconciler.model.values import Value, clean

if TYPE_CHECKING:
    from google.protobuf.descriptor_pool import DescriptorPool

MESSAGE: Final = "reconcile.Guest"
NULLABLE: Final = frozenset(name for name, kind in CATALOGUE.items() if kind != "list" and name not in NEVER_NULL)
"""Attributes that are null to an expression when the guest has none."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One guest, ready to be evaluated. `unfit` says, for each attribute that could not be, why."""

    guest: Guest
    message: Any
    unfit: Mapping[str, str]


class GuestMessages:
    """Makes messages that carry the attributes in `wanted`; `pool` describes all of them to a compiler."""

    def __init__(self) -> None:
        self.pool, self._class = _message_class()
        self._wanted: tuple[tuple[str, Kind], ...] = ()

    def want(self, attributes: Iterable[str]) -> None:
        """Carry these attributes as well, from the next message on."""
        names = {name for name, _ in self._wanted}.union(attributes)
        self._wanted = tuple((name, CATALOGUE[name]) for name in sorted(names))

    def load(self, guest: Guest) -> Loaded:
        """Return the guest as a message. A value that is not of its attribute's kind is left out and named in `unfit`."""
        message = self._class()
        unfit: dict[str, str] = {}
        for name, kind in self._wanted:
            value = guest.id if name == "id" else clean(guest.attributes.get(name))
            why = unfitness(name, kind, value)
            if why:
                unfit[name] = why
            elif value is None:
                continue
            elif kind == "list":
                getattr(message, name).extend(value)
            elif name in NEVER_NULL:
                setattr(message, name, value)
            else:
                getattr(message, name).value = value
        return Loaded(guest, message, unfit)


def unfitness(name: str, kind: Kind, value: Value | None) -> str:
    """Return why a value cannot be what its attribute is declared to be, without repeating it; empty where it can."""
    if value is None:
        return f"the guest has no {name}, which Entra always gives" if name in NEVER_NULL else ""
    if kind == "boolean":
        return "" if isinstance(value, bool) else f"the guest's {name} is not true or false"
    if kind == "string":
        return "" if isinstance(value, str) and _is_text(value) else f"the guest's {name} is not text"
    texts = isinstance(value, tuple) and all(isinstance(v, str) and _is_text(v) for v in value)
    return "" if texts else f"the guest's {name} is not a list of texts"


def _is_text(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _message_class() -> tuple[DescriptorPool, Any]:
    from google.protobuf import descriptor_pool, message_factory, wrappers_pb2
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    wrappers = FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    file = FileDescriptorProto(name="reconcile/guest.proto", package="reconcile", syntax="proto3")
    file.dependency.append(wrappers.name)
    declared = file.message_type.add(name="Guest")
    for number, (name, kind) in enumerate(CATALOGUE.items(), start=1):
        added = declared.field.add(name=name, number=number, label=Field.LABEL_OPTIONAL)
        if kind == "list":
            added.label, added.type = Field.LABEL_REPEATED, Field.TYPE_STRING
        elif name in NEVER_NULL:
            added.type = Field.TYPE_BOOL if kind == "boolean" else Field.TYPE_STRING
        else:
            added.type = Field.TYPE_MESSAGE
            added.type_name = f".google.protobuf.{'BoolValue' if kind == 'boolean' else 'StringValue'}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(wrappers)
    pool.Add(file)
    return pool, message_factory.GetMessageClass(pool.FindMessageTypeByName(MESSAGE))
