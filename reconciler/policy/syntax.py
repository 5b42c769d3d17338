"""The syntax tree of a compiled expression: what of a guest it reads, and what it may not contain.

CEL hands out the checked tree as a serialized `cel.expr.CheckedExpr` (google/cel-spec, checked.proto and syntax.proto).
The few fields needed here are declared below; protobuf skips the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

PARSED: Final = frozenset({"matches", "timestamp", "duration"})
"""Functions that read their last argument, a text, as a pattern, a time or a length of time."""

MAX_NESTED_MACROS: Final = 2
"""`map`, `filter` and the like inside one another: each level multiplies the work for one guest."""


class NotAllowedError(Exception):
    """The expression type-checks, and is refused all the same. `offset` is where, in characters."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset = offset
        self.what = what


@dataclass(frozen=True, slots=True)
class Syntax:
    """What a tree says. Two expressions with equal shapes are the same but for spacing and spelling of literals."""

    reads: frozenset[str]
    literals: tuple[str, ...]
    copies: str | None
    """The attribute, where the whole expression is `guest.<attribute>`."""
    shape: tuple[Any, ...] = field(repr=False)
    fixed: tuple[tuple[int, str, str], ...] = ()
    """Literals that a function reads as something of its own: offset, function, text. See PARSED."""


class Parser:
    """Reads serialized trees."""

    def __init__(self) -> None:
        self._checked_expr = _message_class()

    def parse(self, serialized: bytes) -> Syntax:
        """Return what the tree says. Raises NotAllowedError."""
        from google.protobuf.any_pb2 import Any as AnyMessage
        from google.protobuf.message import DecodeError

        checked = self._checked_expr()
        try:
            checked.ParseFromString(AnyMessage.FromString(serialized).value)
        except DecodeError as e:
            raise NotAllowedError(0, "the expression is nested too deeply") from e
        walk = _Walk({p.key: p.value for p in checked.source_info.positions})
        shape = walk.shape(checked.expr, 0)
        copies = shape[1] if shape[0] == "read" and not shape[2] else None
        return Syntax(frozenset(walk.reads), tuple(sorted(walk.literals)), copies, shape, tuple(walk.fixed))


class _Walk:
    def __init__(self, positions: dict[int, int]) -> None:
        self.reads: set[str] = set()
        self.literals: set[str] = set()
        self.fixed: list[tuple[int, str, str]] = []
        self._positions = positions

    def shape(self, expr: Any, macros: int) -> tuple[Any, ...]:
        kind, node = _node(expr)
        if kind == "const_expr":
            if node.HasField("string_value"):
                self.literals.add(node.string_value)
            return (kind, node.SerializeToString(deterministic=True))
        if kind == "select_expr" and _node(node.operand)[0] == "ident_expr" and node.operand.ident_expr.name == "guest":
            self.reads.add(node.field)
            return ("read", node.field, node.test_only)
        macros += kind == "comprehension_expr"
        if forbidden := _forbidden(kind, node, macros):
            raise NotAllowedError(self._positions.get(expr.id, 0), forbidden)
        if kind == "call_expr" and node.function in PARSED and node.args:
            last, told = _node(node.args[-1])
            if last == "const_expr" and told.HasField("string_value"):
                self.fixed.append((self._positions.get(node.args[-1].id, 0), node.function, told.string_value))
        scalars = tuple(value for descriptor, value in node.ListFields() if descriptor.message_type is None)
        return (kind, tuple(map(str, scalars)), *(self.shape(child, macros) for child in _children(node)))


def _forbidden(kind: str, node: Any, macros: int) -> str:
    if kind == "ident_expr" and node.name == "guest":
        return "`guest` stands here alone: write guest.<attribute>"
    if kind == "struct_expr" and node.message_name:
        return f"`{node.message_name}{{…}}` makes a message: an expression may only read the guest's"
    if kind == "comprehension_expr" and "guest" in (node.iter_var, node.iter_var2):
        return "`guest` is taken: give the variable another name"
    if macros > MAX_NESTED_MACROS:
        return f"more than {MAX_NESTED_MACROS} of map, filter, exists and all inside one another"
    return ""


def _node(expr: Any) -> tuple[str, Any]:
    return next(((d.name, value) for d, value in expr.ListFields() if d.name != "id"), ("", expr))


def _children(node: Any) -> Iterator[Any]:
    """The expressions directly below a node, through the entries of a map literal."""
    for descriptor, value in node.ListFields():
        if descriptor.message_type is None:
            continue
        for item in value if descriptor.is_repeated else [value]:
            if descriptor.message_type.name == "Expr":
                yield item
            else:
                yield from _children(item)


_MESSAGES: Final = {
    "CheckedExpr": "source_info:5:SourceInfo expr:4:Expr",
    "SourceInfo": "positions:4:*Position",
    "Position": "key:1:int64 value:2:int32",
    "Expr": (
        "id:2:int64 const_expr:3:Constant ident_expr:4:Ident select_expr:5:Select call_expr:6:Call "
        "list_expr:7:List struct_expr:8:Struct comprehension_expr:9:Comprehension"
    ),
    "Constant": (
        "null_value:1:int64 bool_value:2:bool int64_value:3:int64 uint64_value:4:uint64 double_value:5:double "
        "string_value:6:string bytes_value:7:bytes"
    ),
    "Ident": "name:1:string",
    "Select": "operand:1:Expr field:2:string test_only:3:bool",
    "Call": "target:1:Expr function:2:string args:3:*Expr",
    "List": "elements:1:*Expr",
    "Struct": "message_name:1:string entries:2:*Entry",
    "Entry": "field_key:2:string map_key:3:Expr value:4:Expr",
    "Comprehension": (
        "iter_var:1:string iter_range:2:Expr accu_var:3:string accu_init:4:Expr loop_condition:5:Expr "
        "loop_step:6:Expr result:7:Expr iter_var2:8:string"
    ),
}
"""`name:number:type` of each field, `*` where it repeats."""


def _message_class() -> Any:
    from google.protobuf import descriptor_pool, message_factory
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    file = FileDescriptorProto(name="reconcile/tree.proto", package="reconcile.tree", syntax="proto2")
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, number, spec in (f.split(":") for f in fields.split()):
            added = declared.field.add(name=name, number=int(number))
            added.label = Field.LABEL_REPEATED if spec.startswith("*") else Field.LABEL_OPTIONAL
            kind = spec.removeprefix("*")
            if kind in _MESSAGES:
                added.type, added.type_name = Field.TYPE_MESSAGE, f".reconcile.tree.{kind}"
            else:
                added.type = Field.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("reconcile.tree.CheckedExpr"))
