"""The one rule that detect-secrets gets: the same shape and the same entropy as for gitleaks, as a plugin.

Loaded with `-p`, all plugins of detect-secrets' own disabled. It runs inside detect-secrets' environment, on its own.
"""

import math
import re
from collections import Counter
from collections.abc import Generator

from detect_secrets.plugins.base import BasePlugin

SHAPE = re.compile(r"\b[A-Za-z0-9]{64}\b")
LEAST_ENTROPY = 4.6


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


class BinanceCredentialDetector(BasePlugin):
    """64 base62 characters of high entropy: the shape of a Binance API key and of its secret."""

    secret_type = "Binance credential (benchmark)"  # noqa: S105  (the host wants this name)

    def analyze_string(self, string: str) -> Generator[str, None, None]:
        """Every value of that shape in one line."""
        for match in SHAPE.finditer(string):
            if entropy(match.group()) > LEAST_ENTROPY:
                yield match.group()
