"""Where sign-in's endpoints are: OpenID Connect Discovery, and Entra's list of its own clouds."""

from __future__ import annotations

from urllib.parse import urlsplit

from .answers import Answer, Json


def openid_configuration(authority: str, graph: str) -> Answer:
    """Return `/.well-known/openid-configuration` for `https://host/tenant`."""
    return Answer(
        200,
        {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
            "msgraph_host": urlsplit(graph).netloc,
        },
    )


def instances(authority: str) -> Answer:
    """Return `/common/discovery/instance`: this host is its own and only cloud."""
    host = urlsplit(authority).netloc
    metadata: list[Json] = [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}]
    endpoint = f"{authority}/v2.0/.well-known/openid-configuration"
    return Answer(200, {"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": metadata})
