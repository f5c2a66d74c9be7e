"""The demo's story: every chapter says what happens and checks it."""

import csv
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import anyio

from insitu.api.gateway_v1 import ExecutionView, Quote, ReceiptView, ResultView
from insitu.cli.demo.data import Holding
from insitu.cli.demo.ledger import Entry, transactions_of
from insitu.cli.demo.narrator import Narrator, called
from insitu.cli.render import cut
from insitu.domain.amount import Amount
from insitu.domain.execution import ENDED, Phase
from insitu.domain.money import display_amount
from insitu.domain.readable import size
from insitu.sdk.agreements import Agreement
from insitu.sdk.client import Client
from insitu.sdk.publishing import Asset
from insitu.sdk.workflows import Previous, Stage

TOKEN = 10**18
PRICES = {"flights": 5 * TOKEN, "weather": 3 * TOKEN}
MAX_BYTES = 1_000_000
EARLIER_SECONDS = 300.0
"""How long to wait for an execution of an earlier demo to end."""
RULES = {"maxBytes": MAX_BYTES, "maxFiles": 10, "types": [".csv", ".png", ".txt", ".log"]}


@dataclass(frozen=True, slots=True)
class People:
    """The people of the story, each a client with their own key."""

    airline: Client
    weather: Client
    scientist: Client


@dataclass(slots=True)
class Story:
    """What has happened so far; the report is made from it. Each chapter sets what the following ones need."""

    people: People
    narrator: Narrator
    output: Path
    flights: Holding
    weather: Holding
    datasets: list[Asset] = field(default_factory=list)
    workflow: Asset = field(init=False)
    quote: Quote = field(init=False)
    agreement: Agreement = field(init=False)
    view: ExecutionView = field(init=False)
    result: ResultView = field(init=False)
    receipt: ReceiptView = field(init=False)
    files: list[Path] = field(default_factory=list)
    entries: tuple[Entry, ...] = ()
    paid: dict[str, int] = field(default_factory=dict)
    symbol: str = "NVM"
    decimals: int = 18

    async def tell(self) -> None:
        """Tell the whole story, in order."""
        token = await self.people.scientist.chain.token()
        self.symbol, self.decimals = token.symbol, token.decimals
        await self.publish()
        await self.prepare_workflow()
        await self.ask()
        await self.wait_for_earlier()
        before = await self.balances()
        await self.buy()
        await self.execute()
        await self.fetch()
        await self.verify()
        await self.settle(before)

    def money(self, amount: int) -> str:
        """Write an amount for people."""
        return display_amount(amount, self.decimals, self.symbol)

    def change(self, amount: int) -> str:
        """Write a change of a balance for people."""
        return f"{'−' if amount < 0 else '+' if amount else ' '}{self.money(abs(amount))}"

    async def publish(self) -> None:
        """P1–P3: two owners publish."""
        narrator, people = self.narrator, self.people
        narrator.chapter("Two owners publish. Not a byte moves.")
        scientist = people.scientist.account
        for client, holding, name, price in (
            (people.airline, self.flights, "Departures from New York, 2013", PRICES["flights"]),
            (people.weather, self.weather, "Hourly weather at the New York airports, 2013", PRICES["weather"]),
        ):
            asset = await client.assets.publish_dataset(
                name,
                [str(holding.path)],
                algorithms=[],
                publishers=[scientist],
                price=Amount.from_base_units(price),
                output=RULES,
                author=client.account,
                description=f"{holding.rows} rows, {holding.size} bytes; they stay where they are.",
                tags=["new-york", "2013"],
            )
            self.datasets.append(asset)
            narrator.say(f"{asset.did}")
            narrator.say(f"    {name}: {holding.rows:,} rows, {size(holding.size)}, {self.money(price)} per agreement")
        narrator.say(
            "both rules: only one publisher's algorithms; only csv, png and txt may leave, at most 1 MB in 10 files"
        )
        for asset in self.datasets:
            listed = await people.scientist.assets.status(asset.did)
            narrator.check(f"{cut(asset.did, 20)} is on chain and listed", listed.state == "listed")

    async def prepare_workflow(self) -> None:
        """The consumer publishes two algorithms and the workflow of two stages."""
        narrator, client = self.narrator, self.people.scientist
        narrator.chapter("A data scientist finds them and publishes a workflow of two stages")
        found = await client.assets.search("New York", type="dataset")
        narrator.say(f"search “New York”: {found.total_results} data sets")
        published = {str(document.get("id")) for document in found.results}
        narrator.check("the search finds both", {asset.did for asset in self.datasets} <= published)
        first = await self._algorithm("Filter departures", "filter_departures.py")
        second = await self._algorithm("Delay by weather", "delay_by_weather.py")
        stages = [
            Stage(
                algorithm=first.did,
                inputs=[asset.did for asset in self.datasets],
                stage_type="Filtering",
                configuration={"longest-delay": 600},
            ),
            Stage(
                algorithm=second.did,
                inputs=[Previous(0)],
                stage_type="Transformation",
                configuration={"smallest-group": 100},
                output={"metadata": {"name": "How bad weather delays departures"}},
            ),
        ]
        self.workflow = await client.assets.publish_workflow("Delay by weather, New York 2013", stages)
        narrator.say(f"{self.workflow.did}")
        narrator.say("    stage 0 Filtering       input 1: departures, input 2: weather")
        narrator.say("    stage 1 Transformation  input 1: the output of stage 0")

    async def _algorithm(self, name: str, file: str) -> Asset:
        source = files("insitu.cli.demo.algorithms").joinpath(file).read_bytes()
        return await self.people.scientist.assets.publish_algorithm(name, {file: source}, language="python")

    async def ask(self) -> None:
        """She asks whether it is allowed, and what it costs."""
        narrator = self.narrator
        narrator.chapter("Is it allowed, and what does it cost?")
        self.quote = await self.people.scientist.agreements.check(self.workflow.did)
        for reason in self.quote.reasons:
            narrator.say(f"{reason.code}: {reason.message}")
        narrator.check("the owners' rules allow the workflow", self.quote.allowed)
        server = self.quote.server
        size_of = [f"{server.get(name)} {name}" for name in ("cpu", "memory", "disk")]
        narrator.say(f"server {server.get('serverId')}: {', '.join(size_of)}")
        narrator.rows(
            ("WHO", "GETS", "FOR"),
            [(receiver.address, str(receiver.amount), cut(receiver.purpose, 60)) for receiver in self.quote.receivers],
        )
        narrator.say(f"total {self.quote.price}")
        wanted = {self.people.airline.account: PRICES["flights"], self.people.weather.account: PRICES["weather"]}
        paid = {receiver.address: receiver.amount.base_units for receiver in self.quote.receivers}
        narrator.check("one agreement pays both owners", all(paid.get(who) == amount for who, amount in wanted.items()))

    async def wait_for_earlier(self) -> None:
        """Wait for what an interrupted demo left running: its payments would be counted as this demo's."""
        client = self.people.scientist
        for earlier in await client.compute.executions():
            if earlier.phase not in ENDED or (earlier.charge and not earlier.settled):
                self.narrator.say(
                    f"waiting for execution {earlier.workflow_execution_id} of an interrupted demo to end"
                )
                left = await client.compute.execution(earlier.service_agreement_id, earlier.workflow_execution_id)
                await left.wait(EARLIER_SECONDS)

    async def balances(self) -> dict[str, int]:
        """Return everybody's tokens, in base units."""
        chain = self.people.scientist.chain
        accounts = {
            "data scientist": self.people.scientist.account,
            "airline office": self.people.airline.account,
            "weather service": self.people.weather.account,
            "provider": self.quote.provider,
            "escrow": chain.agreements.contract,
        }
        return {name: await chain.balance(account) for name, account in accounts.items()}

    async def buy(self) -> None:
        """C1–C8: one agreement, locked and granted."""
        narrator = self.narrator
        narrator.chapter("She buys: she signs the terms, one transaction locks the money, the provider grants")
        bought = await self.people.scientist.agreements.buy(self.workflow.did, max_price=self.quote.price)
        self.agreement = bought
        narrator.say(f"serviceAgreementId {bought.id}")
        narrator.say(f"executions may start until {bought.ends_at:%Y-%m-%d %H:%M} UTC")
        narrator.check("the money is in escrow and the execution is granted", bought.executable)

    async def execute(self) -> None:
        """E1–E9: run, and watch."""
        narrator = self.narrator
        narrator.chapter("The algorithms run next to the data, without network, with read-only inputs")
        execution = await self.people.scientist.compute.execute(self.agreement.id)
        narrator.say(f"workflowExecutionId {execution.execution_id}")
        began = narrator.seconds
        printed: list[str] = []
        printed_before_the_end = ""

        async def follow_logs() -> None:
            async for piece in execution.logs():
                printed.append(piece.text)
                narrator.log(piece.stage, piece.text)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follow_logs)
            async for event in execution.events():
                what = str(event.data.get("phase") or event.data.get("did") or "")
                stage = event.data.get("stage")
                where = f" stage {stage}" if stage is not None else ""
                narrator.say(f"{narrator.seconds - began:7.2f} s  {event.type:8} {what}{where}")
                if what == Phase.REVIEWING:
                    printed_before_the_end = "".join(printed)
        self.view = await execution.status()
        if self.view.reason is not None:
            narrator.say(f"{self.view.reason.code}: {self.view.reason.message}")
        narrator.check("the execution succeeded", self.view.phase is Phase.SUCCEEDED)
        narrator.check("its logs arrived while it was running", "departures" in printed_before_the_end)

    async def fetch(self) -> None:
        """The result: a new asset of the consumer."""
        narrator, client = self.narrator, self.people.scientist
        narrator.chapter("The result is a new asset, and it belongs to her")
        execution = await client.compute.execution(self.view.service_agreement_id, self.view.workflow_execution_id)
        self.result = await execution.result()
        record = await client.chain.did_record(self.result.did)
        narrator.say(f"{self.result.did}")
        narrator.check(
            "on chain it belongs to the data scientist", record is not None and record.owner == client.account
        )
        self.files = await execution.download(self.output / "result", overwrite=True)
        table = next(path for path in self.files if path.name == "delay_by_weather.csv")
        picture = next(path for path in self.files if path.name == "delay_by_weather.png")
        with table.open(newline="") as text:
            heading, *rows = list(csv.reader(text))
        narrator.rows([name.upper() for name in heading], rows)
        narrator.check("the table has the ten groups that the data contains", len(rows) == 10)
        narrator.check("rain delays departures", _delay(rows, "10", "rain") > _delay(rows, "10", "dry"))
        narrator.say(f"picture: {picture}")
        left, stayed = sum(file.content_length for file in self.result.files), self.flights.size + self.weather.size
        narrator.say(
            f"left the provider: {size(left)} in {len(self.result.files)} files;  stayed there: {size(stayed)}"
        )
        narrator.check("what left is within the owners' rules", left <= MAX_BYTES)

    async def verify(self) -> None:
        """E8: the signed receipt."""
        narrator, client = self.narrator, self.people.scientist
        narrator.chapter("The receipt")
        execution = await client.compute.execution(self.view.service_agreement_id, self.view.workflow_execution_id)
        self.receipt = await execution.receipt()
        (self.output / "receipt.json").write_text(self.receipt.model_dump_json(indent=2))
        offline = await client.verify(self.receipt, on_chain=False)
        narrator.say(f"receipt hash {self.receipt.receipt_hash}")
        narrator.say(f"signed by    {offline.signer}")
        narrator.check("the signature is the provider's", offline.signer == self.quote.provider)
        proven = await client.verify(self.receipt, on_chain=True)
        narrator.check("its hash is on chain", proven.receipt_hash == self.receipt.receipt_hash)
        narrator.say(f"verify it yourself:  {called()} verify {self.output / 'receipt.json'}")

    async def settle(self, before: dict[str, int]) -> None:
        """E10: who was paid what."""
        narrator = self.narrator
        narrator.chapter("Who was paid what")
        self.entries = await transactions_of(self.people.scientist.chain, self.agreement.id, self.result.did)
        narrator.rows(
            ("TRANSACTION", "GAS", "EVENTS"),
            [(cut(entry.transaction, 14), f"{entry.gas:,}", ", ".join(entry.events)) for entry in self.entries],
        )
        after = await self.balances()
        self.paid = {name: after[name] - before[name] for name in before}
        narrator.rows(("WHO", "CHANGE"), [(name, self.change(change)) for name, change in self.paid.items()])
        narrator.check(
            "the data scientist paid the agreed price", self.paid["data scientist"] == -self.quote.price.base_units
        )
        narrator.check("the airline office got its price", self.paid["airline office"] == PRICES["flights"])
        narrator.check("the weather service got its price", self.paid["weather service"] == PRICES["weather"])
        narrator.check(
            "nothing stayed in escrow and nothing was lost", self.paid["escrow"] == 0 == sum(self.paid.values())
        )


def _delay(rows: list[list[str]], visibility: str, rain: str) -> float:
    return next(float(row[3]) for row in rows if row[:2] == [visibility, rain])
