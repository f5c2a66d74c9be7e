"""What the pages of the marketplace weigh, as a first visit loads them."""

import gzip
import re

import httpx

from bench.table import Row
from insitu.testing.provider import ProviderProcess

__all__ = ["measure"]

READ = ("/", "/search", "/help", "/security", "/status")
HEAVIEST, MOST_REQUESTS = 40_000, 3


def measure(provider: ProviderProcess) -> list[Row]:
    """Add up page, style and scripts, compressed as the server does."""
    with httpx.Client(base_url=provider.url) as http:
        return [_weight(http, path) for path in READ]


def _weight(http: httpx.Client, path: str) -> Row:
    page = http.get(path).text
    loaded = re.findall(r'<link rel="stylesheet" href="([^"]+)"|<script type="module" src="([^"]+)"', page)
    parts = [page.encode(), *(http.get(style or script).content for style, script in loaded)]
    size = sum(len(gzip.compress(part, 5)) for part in parts)
    reached = size <= HEAVIEST and len(parts) <= MOST_REQUESTS
    ours = f"{size / 1000:.1f} kB in {len(parts)} requests"
    return Row(f"first visit of {path}", ours, "", f"{HEAVIEST // 1000} kB and {MOST_REQUESTS} requests", reached)
