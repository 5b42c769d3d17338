"""`state/manifest.yaml`: what the last import read, how far it came, and whether all of it was written."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import StateError

from .canonical import Node, dump, load
from .fields import Fields, Source
from .model import DirectoryCursor, GraphCursor, Manifest
from .paths import MANIFEST

VERSION = 1


@dataclass(frozen=True, slots=True)
class Written:
    """A manifest as found; `incomplete` while an import is being written, and after that was interrupted."""

    manifest: Manifest
    incomplete: bool = False


def dump_manifest(manifest: Manifest, *, incomplete: bool = False) -> bytes:
    """Return the file's bytes."""
    document: dict[str, Node] = {
        "version": VERSION,
        "serial": manifest.serial,
        "asOf": manifest.as_of,
        "incomplete": incomplete or None,
        "graph": None if manifest.graph is None else _graph_node(manifest.graph),
        "directory": None if manifest.directory is None else _directory_node(manifest.directory),
    }
    return dump(document)


def read_manifest(data: bytes) -> Written:
    """Return the manifest; raise StateError (`file:line`) for a damaged one or one of another version."""
    fields = Fields(Source(MANIFEST, data), load(data, MANIFEST))
    version = fields.number("version")
    if version != VERSION:
        raise StateError(
            f"{MANIFEST}: version {version}, and this program reads version {VERSION}",
            "Use the release of reconcile that wrote it. Or delete state/guests, state/accounts and state/manifest.yaml to import "
            "afresh; joins are then found again by the anchors.",
        )
    graph, directory = fields.fields("graph"), fields.fields("directory")
    manifest = Manifest(
        serial=fields.number("serial"),
        as_of=fields.required_time("asOf"),
        graph=None if graph is None else _graph(graph),
        directory=None if directory is None else _directory(directory),
    )
    incomplete = fields.flag("incomplete")
    fields.close()
    return Written(manifest, incomplete)


def _graph_node(cursor: GraphCursor) -> dict[str, Node]:
    return {
        "tenant": cursor.tenant,
        "asOf": cursor.as_of,
        "guests": cursor.guests,
        "tombstones": cursor.tombstones,
        "attributes": cursor.attributes,
        "deltaLink": cursor.delta_link,
    }


def _graph(fields: Fields) -> GraphCursor:
    cursor = GraphCursor(
        tenant=fields.string("tenant"),
        as_of=fields.required_time("asOf"),
        attributes=fields.strings("attributes"),
        delta_link=fields.string("deltaLink"),
        guests=fields.number("guests"),
        tombstones=fields.number("tombstones"),
    )
    fields.close()
    return cursor


def _directory_node(cursor: DirectoryCursor) -> dict[str, Node]:
    return {
        "domain": cursor.domain,
        "domainSid": cursor.domain_sid,
        "asOf": cursor.as_of,
        "accounts": cursor.accounts,
        "ous": cursor.ous,
        "attributes": cursor.attributes,
        "controller": cursor.controller,
        "serviceName": cursor.service_name,
        "invocationId": cursor.invocation_id,
        "usn": cursor.usn,
    }


def _directory(fields: Fields) -> DirectoryCursor:
    cursor = DirectoryCursor(
        as_of=fields.required_time("asOf"),
        controller=fields.string("controller"),
        domain=fields.string("domain"),
        domain_sid=fields.string("domainSid"),
        service_name=fields.string("serviceName"),
        invocation_id=fields.string("invocationId"),
        usn=fields.number("usn"),
        ous=fields.strings("ous"),
        attributes=fields.strings("attributes"),
        accounts=fields.number("accounts"),
    )
    fields.close()
    return cursor
