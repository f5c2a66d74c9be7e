"""First visits of the marketplace's pages in Chromium: 1.6 Mbit/s, 150 ms, a quarter of the processor."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.async_api import Browser
from typing_extensions import override

from bench.table import Row, median
from insitu.testing.provider import ProviderProcess
from tests.browser.chromium import running_chromium
from tests.browser.visits import Visit, visit
from tests.browser.wallet import Wallet
from tests.market import Market, open_market

__all__ = ["measure"]

RUNS = 5
READING, SIGNING = 40_000, 90_000
"""Bytes of a first visit: of pages that are read, and of those that sign."""
REQUESTS = 3
PAINTED, READY = 1500.0, 2500.0
"""Milliseconds until the largest paint, and until an element shows its verdict or its state."""
VERDICT = "#verdict .big .st.ok, #verdict .big .st.no"
STATE = "insitu-execution .line .st"
FORM = "insitu-publication form"
DESK = "insitu-desk h2"
CURATION = "insitu-curation form"
FLOOR = b"<!doctype html><html lang=en><title>floor</title><p>One line of text."


async def measure(provider: ProviderProcess) -> list[Row]:
    """Publish and run something, and open each page as somebody who was never there."""
    async with open_market(provider) as market, running_chromium() as browser:
        asset = await market.dataset("Departures", description="Delays of flights. " * 20)
        await market.publisher.metadata.status(asset.did, wait=20)
        workflow = await market.workflow(dataset=asset)
        agreement, execution = await market.run()
        with _empty_page() as address:
            floor = median([(await visit(browser, address)).painted for _ in range(RUNS)])
        reading = {"/": "/", "/search": "/search", "an asset": f"/assets/{asset.did}", "/receipts": "/receipts"}
        rows = [await _reading(browser, market, name, path, floor) for name, path in reading.items()]
        signing = {
            "a run": (f"/run?workflow={workflow.did}", VERDICT),
            "an execution": (f"/executions/{agreement.id}/{execution.execution_id}", STATE),
            "a publication": ("/publish/data", FORM),
            "a desk": ("/desk", DESK),
            "curation": (f"/curation?did={workflow.did}", CURATION),
        }
        return rows + [await _signing(browser, market, name, *page, floor) for name, page in signing.items()]


async def _reading(browser: Browser, market: Market, name: str, path: str, floor: float) -> Row:
    ready = "#receipt-file" if path == "/receipts" else ""
    visits = [await visit(browser, market.provider.url + path, ready) for _ in range(RUNS)]
    painted = median([seen.painted for seen in visits])
    heaviest, moved = _most(visits)
    most = max(len(seen.requests) for seen in visits)
    ours = f"{heaviest / 1000:.1f} kB in {most}, LCP {painted:.0f} ms, moves {moved:.3f}"
    goal = f"{READING // 1000} kB in {REQUESTS}, {PAINTED:.0f} ms, 0"
    reached = heaviest <= READING and most <= REQUESTS and painted <= PAINTED and moved == 0
    return Row(f"first visit of {name}", ours, f"one line of text {floor:.0f} ms", goal, reached)


async def _signing(browser: Browser, market: Market, name: str, path: str, ready: str, floor: float) -> Row:
    visits = [await visit(browser, market.provider.url + path, ready, _wallet(market)) for _ in range(RUNS)]
    shown = median([seen.ready for seen in visits])
    heaviest, _ = _most(visits)
    most = max(len(seen.requests) for seen in visits)
    ours = f"{heaviest / 1000:.1f} kB in {most}, ready after {shown:.0f} ms"
    goal = f"{SIGNING // 1000} kB, {READY:.0f} ms"
    reached = heaviest <= SIGNING and shown <= READY
    return Row(f"first visit of {name}", ours, f"one line of text {floor:.0f} ms", goal, reached)


def _most(visits: list[Visit]) -> tuple[int, float]:
    return max(seen.size for seen in visits), max(seen.moved for seen in visits)


def _wallet(market: Market) -> Wallet:
    deployments = json.loads(market.provider.settings.deployments.read_text("utf-8"))
    return Wallet(deployments["rpcUrl"], int(deployments["chainId"]))


@contextmanager
def _empty_page() -> Iterator[str]:
    """Serve one line of text, and nothing else."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(FLOOR)))
            self.end_headers()
            self.wfile.write(FLOOR)

        @override
        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
