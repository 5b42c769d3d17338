"""`reconcile validate`: settings, policy and state against schemas and types; no network."""

from __future__ import annotations

from reconciler.errors import Exit
from reconciler.git.repository import Repository

from .context import Context
from .loading import load_policy, load_settings


def validate(context: Context) -> Exit:
    """Read everything a plan would read, and say what it found."""
    from reconciler.state.store import load_or_empty

    tree = Repository.open(context.directory).files_tree()
    settings = load_settings(context, tree)
    policy = load_policy(tree, settings)
    state = load_or_empty(tree)
    if context.json:
        context.print_json(
            {
                "valid": True,
                "settings_sha256": settings.sha256,
                "policy": policy.file,
                "guest_attributes": list(policy.guest_attributes),
                "account_attributes": list(policy.account_attributes),
                "guests": len(state.guests) if state else None,
                "accounts": len(state.accounts) if state else None,
            }
        )
        return Exit.OK
    context.result("reconcile.yaml is valid (SHA-256 {}).", settings.sha256)
    context.result(
        "{} is valid: {}, {}, {}.",
        policy.file,
        _counted(len(policy.flows), "flow"),
        _counted(len(policy.joins), "join rule"),
        _counted(len(policy.placement), "placement"),
    )
    context.result("  imports from Entra: id, {}", ", ".join(policy.guest_attributes))
    context.result("  imports from AD:    {}", ", ".join(policy.account_attributes))
    if state is None:
        context.result("state/ is empty: `reconcile snapshot` makes the first import.")
    else:
        manifest = state.manifest
        context.result(
            "state/ is valid: {}, {}; import {}, as of {}.",
            _counted(len(state.guests), "guest"),
            _counted(len(state.accounts), "account"),
            manifest.serial,
            manifest.as_of,
        )
    return Exit.OK


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
