"""A test tenant: Entra ID's sign-in and Microsoft Graph's users, spoken over verified HTTPS on loopback.

It behaves as Microsoft documents the real ones, so whatever works against it needs no special case::

    from reconciler.demo.people import generate
    from reconciler.demo.tenant import Quirks, Tenant

    with Tenant("7b3f0000-0000-4000-8000-000000000001", "5d1c0000-0000-4000-8000-000000000002",
                generate(500, seed=1), secret="a secret") as tenant:
        tenant.authority             # https://localhost:PORT: `entra.authority`, msal adds /<tenant id>
        tenant.graph                 # https://localhost:PORT/v1.0: `entra.graph`
        tenant.ca_file(directory)    # writes the root to trust: `entra.ca_file`

Act as the administrator (any thread; ids are object ids, properties have Graph's names, None clears)::

        guest = tenant.invite({"mail": "alice@fabrikam.com", "displayName": "Alice"})   # or a generated Person
        tenant.update(guest, surname="Müller", accountEnabled=False, jobTitle=None)
        tenant.soft_delete(guest)    # restorable for 30 days by the tenant's clock, then purged by itself
        tenant.restore(guest)        # or tenant.purge(guest)
        tenant.get(guest)            # User(id, properties, deleted); KeyError when unknown or purged
        tenant.guests()              # every live guest; there are members and a user without userType, too

Credentials, beyond the secret::

        tenant.register_certificate(issued.certificate_pem)
        tenant.federate("repo:contoso/identity:environment:plan")      # GitHub's issuer and Entra's audience by default
        tenant.mint("repo:contoso/identity:environment:plan")          # -> a federated assertion
        tenant.actions("repo:contoso/identity:environment:plan")       # -> ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN
        tenant.approve()                                               # a device code's person signs in; deny()
        tenant.expire_access_tokens()

Freedoms that Graph takes and clients must bear: `tenant.quirks = Quirks(repeats=True, empty_pages=True)`, see `Quirks`.
Things that go wrong, see `Faults`; pages of a delta round count from 1, `times=None` means every time::

        tenant.faults.throttle(2, retry_after=0)                # the next two Graph requests: 429
        tenant.faults.throttle(2, retry_after=0, batched=True)  # the next two requests inside $batch
        tenant.faults.fail_page(3, status=500, times=None)      # cut_page, malform_page, drop_page
        tenant.faults.drop(1)                                   # closes the connection instead of answering
        tenant.faults.empty = True                              # likewise: half, no_delta_link, foreign_next_link, slow
        tenant.faults.withdraw_consent()                        # 403 Authorization_RequestDenied; grant_consent()
        tenant.faults.clear()
        tenant.expire_delta_links()                             # 410 Gone; Quirks(expiry="bad-request") makes it a 400

What was asked: `tenant.requests`, records of method, path, query and status, without headers or bodies.

`clock` rules the directory (30 days of deleted items, 7 of delta links); sign-in goes by `wall`, as msal goes by the
machine's clock.
An increment carries only changed properties unless `Quirks(whole_objects=True)`; `Prefer: return=minimal` always does.
"""

from __future__ import annotations

from .faults import Faults, Quirks
from .server import Request
from .store import Properties, User
from .tenant import Tenant

__all__ = ["Faults", "Properties", "Quirks", "Request", "Tenant", "User"]
