"""Which values a baseline knows at which paths, and how they were audited.

A value is identified by its path and digest, never by its line. The type of an entry is the role that the value had
when it was recorded; as another scan may see more files and take a key for a secret, any of our types matches.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Ordered, Role, Value, split_member
from binance_leaks.scattered_values import mask_values
from binance_leaks.sources.path_roots import relative_path

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
    """The filters that detect-secrets 1.5.0 uses by default and writes down, without `REFERENCE_FILTER`."""
    heuristics: list[dict[str, object]] = [{"path": f"detect_secrets.filters.heuristic.{name}"} for name in _HEURISTICS]
    return [
        {"path": "detect_secrets.filters.allowlist.is_line_allowlisted"},
        {"path": "detect_secrets.filters.common.is_ignored_due_to_verification_policies", "min_level": 2},
        *heuristics,
    ]


class Label(Ordered):
    """The result of an audit of a value; its text is the reason of a suppression."""

    FALSE_ALARM = "known to the baseline, audited as a false alarm"
    UNAUDITED = "known to the baseline, not audited"
    REAL = "known to the baseline, audited as real"

    @classmethod
    def of(cls, is_secret: object) -> Label:
        """The label of an entry, by the word of detect-secrets for it."""
        if is_secret is None:
            return cls.UNAUDITED
        return cls.REAL if is_secret else cls.FALSE_ALARM


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """The values of a baseline.

    `labels` are by path and SHA-1; paths count from the folder `root`.
    """

    labels: Mapping[tuple[str, str], Label]
    root: str

    def label(self, value: Value, path: str) -> Label | None:
        """Return the label of a value at a path from the root, None if it is not known there."""
        return self.labels.get((stored(path), value.sha1)) if value.sha1 else None


def stored(path: str) -> str:
    """Convert a path to the form in baselines, with values masked.

    It has `/`, as baselines may come from Windows.
    """
    return mask_values(path.replace("\\", "/"))


def path_from(root: str, path: str, anchor: str) -> str:
    """Convert the path of a file from the folder `anchor` to one from the folder `root`.

    Links on the way are followed, one at its end is not. The member of an archive, after `!/`, is kept.
    """
    # Paths of findings are text: they may name members of archives.
    file, member = split_member(path)
    folder, name = os.path.split(os.path.join(anchor, file))  # noqa: PTH118
    real = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118
    return relative_path(real, os.path.realpath(root)) + member
