"""The sink for HTML: text and attribute values of a page."""

from __future__ import annotations

from html import escape

from .visible import visible


def text(value: str, limit: int | None = None) -> str:
    """Return data as HTML text, also fit for a quoted attribute value; printed in a CI job, no command to it."""
    return escape(visible(value, limit)).replace("##", "#&#35;")


def code(value: str, limit: int | None = None) -> str:
    """Return data as a code element, its writing direction kept apart from what surrounds it."""
    return f"<code><bdi>{text(value, limit)}</bdi></code>"
