"""The names by which a baseline of detect-secrets knows our plugins and what they find. Never to change."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.model import Role

SECRET_TYPES: Mapping[Role, str] = MappingProxyType(
    {
        Role.API_KEY: "Binance API Key",
        Role.SECRET_KEY: "Binance Secret Key",
        Role.PRIVATE_KEY: "Binance Private Key",
    }
)
"""What an entry calls its value, by role."""
PLUGIN_NAMES = ("BinanceApiKeyDetector", "BinancePrivateKeyDetector", "BinanceSecretKeyDetector")
"""By these names a baseline lists the plugins, in the order in which detect-secrets writes them."""
OUR_TYPES = frozenset(SECRET_TYPES.values())
REFERENCE_FILTER = "detect_secrets.filters.heuristic.is_indirect_reference"
"""The filter of detect-secrets that hides calls which take credentials."""
_HEURISTICS = (
    "is_likely_id_string",
    "is_lock_file",
    "is_not_alphanumeric_string",
    "is_potential_uuid",
    "is_prefixed_with_dollar_sign",
    "is_sequential_string",
    "is_swagger_file",
    "is_templated_secret",
)


def filters() -> list[dict[str, object]]:
    """The filters that detect-secrets 1.5.0 uses and writes down unless told otherwise, but for `REFERENCE_FILTER`."""
    heuristics: list[dict[str, object]] = [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _HEURISTICS]
    return [
        {"path": "detect_secrets.filters.allowlist.is_line_allowlisted"},
        {"path": "detect_secrets.filters.common.is_ignored_due_to_verification_policies", "min_level": 2},
        *heuristics,
    ]
