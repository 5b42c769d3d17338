"""JSON as this program prints and stores it: ASCII alone, and nothing in it that a log's reader could take for a command.

A forge's runner looks for `##[…]` anywhere in a line, and what a program prints in a job is such lines.
"""

from __future__ import annotations

import json


def json_text(document: object) -> str:
    """Return the document, indented; any JSON reader gets the same values from it."""
    text = json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False)
    return text.replace("##", "#\\u0023")
