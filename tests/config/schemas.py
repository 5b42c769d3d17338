"""What a published JSON Schema owes the people who edit with it."""

from __future__ import annotations


def undescribed(schema: object, path: str = "") -> list[str]:
    """Paths of the fields that lack a title or a description."""
    found = []
    if isinstance(schema, dict):
        if "title" not in schema or "description" not in schema:
            found.append(path)
        children = {**schema.get("properties", {}), "[]": schema.get("items"), "*": schema.get("additionalProperties")}
        found += [
            p
            for name, child in children.items()
            if isinstance(child, dict)
            for p in undescribed(child, f"{path}/{name}")
        ]
    return found
