"""Random steps of owners, a new owner, two consumers and strangers, each done on a real chain and in the model."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import anyio
import pytest

from insitu.api.gateway_v1 import ExecRequest
from insitu.api.metadata_v1 import RetireRequest
from insitu.domain.algorithm import Scalar
from insitu.domain.canonical import JsonObject
from insitu.domain.catalogue_requests import catalogue_digest, catalogues_domain
from insitu.domain.did import Did, derive_did
from insitu.domain.errors import InsituError
from insitu.domain.execution import Phase
from insitu.domain.integrity import origin_of
from insitu.domain.ledger import Call, transfer_ownership, update_attribute
from insitu.domain.service import File
from insitu.ports.agreement_records import Standing, StoredExecution
from tests.doubles.scripted_runtime import Ending
from tests.gateway.test_closing_never_costs_less_than_waiting import until_closed
from tests.gateway.test_nothing_is_lost_or_doubled import until
from tests.gateway.trade_model import (
    Data,
    Offer,
    Owned,
    Purchase,
    Rules,
    Work,
    execution_refusals,
    fails_freely,
    purchase_refusals,
    rules_of,
)
from tests.gateway.versions import propose, register, revise_main, sell
from tests.gateway.world import World, stage_of

SERVER_PRICE = 3
OWNERS = ("owner", "second-owner", "stranger")
PUBLISHER = "second-consumer"
CONSUMERS = ("consumer", "second-consumer")
NOT_THEIRS = {"NotDIDOwner", "NotOwner", "SignatureMismatch", "NotConsumer"}
ENDINGS = {"success": None, "failure": "AlgorithmFailed", "breakdown": "InfrastructureFailed"}


class Trade:
    """One sequence: two data sets of two owners, an algorithm, and a workflow over both, bought by two consumers."""

    def __init__(self, provider: World, seed: int, met: Counter[str]) -> None:
        self.provider, self.random, self.met = provider, Random(seed), met
        self.story: list[str] = []
        self.purchases: list[Purchase] = []
        self.data: dict[str, Data] = {}
        self.works: list[Work] = []
        self.owed: Counter[str] = Counter()

    async def step(self) -> None:
        """Do something; mostly buy and execute, and soon end what lets nobody do that."""
        withdrawn = any(not entry.provided for entry in self.data.values())
        blocked = self.blocked()
        weights: dict[Callable[[], Awaitable[None]], int] = {
            self.execute: 12,
            self.buy: 5,
            self.revise_offer: 10 if blocked else 5,
            self.change_workflow: 3,
            self.trespass: 2,
            self.sell_data: 1,
            self.switch_provider: 8 if withdrawn else 1,
            self.retire: 1,
            self.change_script: 2,
            self.sell_script: 2,
            self.sell_workflow: 1,
        }
        (chosen,) = self.random.choices(list(weights), list(weights.values()))
        await chosen()

    def blocked(self) -> list[Data]:
        """Data sets that the consumer cannot buy, whatever the workflow."""
        refusing = (entry for entry in self.data.values() if entry.offer.policy["consumers"] == ["second-consumer"])
        return [*refusing, *(entry for entry in self.data.values() if entry.retired)]

    async def begin(self) -> None:
        provider = self.provider
        for who in OWNERS[:2]:
            offer = Offer(self.random.randint(1, 20), self.policy(narrow=0), "flights.csv")
            did = await provider.publish_dataset(who, price=str(offer.price), policy=self.written(offer.policy))
            self.data[did] = Data(did, who, who, await self.checksum(did), offer=offer)
        script = await provider.publish_algorithm(PUBLISHER)
        self.script = Owned(script, PUBLISHER, PUBLISHER, await self.checksum(script))
        chosen = {"id": script, "checksum": self.script.current}
        workflow = await provider.simple_workflow(*self.data, algorithm=script, transformation=chosen)
        self.workflow = Owned(workflow, "consumer", "consumer", await self.checksum(workflow))
        self.works.append(
            Work(1, self.workflow.current, "consumer", self.script, self.script.current, tuple(self.data))
        )
        self.before = await provider.balances()
        await self.buy()

    async def checksum(self, did: str) -> str:
        return (await self.provider.desk.ports.resolver.resolve(did)).checksum

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def policy(self, narrow: float) -> JsonObject:
        """Any rules; ``narrow`` is how likely each refuses what this consumer wants."""
        output: JsonObject = {}
        choose: Any = self.random.choice
        policy: JsonObject = {
            "version": 1,
            "algorithms": "any",
            "consumers": "any",
            "revisions": "none" if self.chance(narrow) else choose(["untilSuccess", "always", "always"]),
            "parameters": ["limit"] if self.chance(narrow) else ["threshold", "limit"],
            "maxExecutions": choose([1, 2, 3, 50]),
            "logs": choose(["live", "live", "none"]),
            "failures": choose(["charged", "free"]),
            "data": "pinned" if self.works and self.chance(narrow) else "newest",
        }
        for name, values in {"maxBytes": [1000, 50_000], "maxFiles": [5, 20]}.items():
            if self.chance(0.5):
                output[name] = choose(values)
        if self.chance(0.3):
            output["types"] = choose([[".txt"], [".csv", ".txt"]])
        if self.chance(narrow):
            policy["consumers"] = choose([["second-consumer"], ["consumer", "stranger"]])
        if self.works and self.chance(0.35):
            version = choose(list(self.script.registrants))
            policy |= choose(
                [
                    {"algorithms": [{"did": self.script.did, "checksum": version}]},
                    {"algorithms": [], "publishers": ["stranger", PUBLISHER]},
                    {"algorithms": [], "publishers": [PUBLISHER]},
                ]
            )
        policy["output"] = output
        if not fails_freely(policy):
            policy["failures"] = "charged"  # nobody can publish the other
        return policy

    def written(self, policy: JsonObject) -> JsonObject:
        """The same rules as a document has them: with addresses in place of names."""
        named = {name: policy.get(name) for name in ("consumers", "publishers")}
        addressed = {
            name: [self.provider.address(who) for who in people]
            for name, people in named.items()
            if isinstance(people, list)
        }
        return policy | addressed

    # -- what owners do -----------------------------------------------------------------------------------------------

    async def revise_offer(self) -> None:
        """An owner asks another price, sets other rules, and perhaps lists another file."""
        data = self.random.choice(self.blocked() or list(self.data.values()))
        offer = Offer(
            self.random.randint(1, 20), self.policy(0.2 if self.chance(0.7) else 0), data.offer.file, data.offer.digest
        )
        listed = None
        if self.chance(0.3) or (offer.policy["data"] == "pinned" and offer.digest is None):
            listed = self.new_file()
            offer = Offer(offer.price, offer.policy, listed["name"], listed["checksum"])

        def edit(services: list[JsonObject]) -> None:
            services[1]["attributes"]["main"] |= {"price": str(offer.price), "policy": self.written(offer.policy)}
            if listed is not None:
                public = {name: value for name, value in listed.items() if name not in ("url", "name")}
                services[0]["attributes"]["main"]["files"] = [public]
                sealer = self.provider.address(data.owner)
                sealed = self.provider.desk.encrypter.seal(data.did, sealer, [File.read(listed)])
                services[0]["attributes"]["encryptedFiles"] = sealed

        checksum = await propose(self.provider, data.owner, data.did, edit)
        await register(self.provider, data.owner, data.did, checksum)
        self.tell(f"{data.owner} offers {data.did[-4:]} as {offer}")
        data.register(checksum)
        data.offer, data.retired = offer, False

    def new_file(self) -> JsonObject:
        path = self.provider.folder / "data" / f"{secrets.token_hex(4)}.csv"
        path.write_text(path.name)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"index": 0, "url": path.as_uri(), "name": path.name, "contentType": "text/csv", "checksum": digest}

    async def sell_data(self) -> None:
        data = self.random.choice(list(self.data.values()))
        await self.sell(data, OWNERS)

    async def sell(self, owned: Owned, buyers: tuple[str, ...]) -> None:
        buyer = self.random.choice([who for who in buyers if who != owned.owner])
        await sell(self.provider, owned.owner, owned.did, buyer)
        self.tell(f"{owned.owner} sells {owned.did[-4:]} to {buyer}")
        owned.owner = buyer

    async def switch_provider(self) -> None:
        """An owner takes the gateway's right to sell and execute, or gives it back."""
        data = self.random.choice(
            [entry for entry in self.data.values() if not entry.provided] or [*self.data.values()]
        )
        await self.provider.chain.transact(self.provider_change(data), self.provider.people[data.owner])
        data.provided = not data.provided
        self.tell(f"{data.owner} lets the gateway provide {data.did[-4:]}: {data.provided}")

        async def is_noted() -> bool:
            return (data.did in await self.provider.agreements.paused()) is not data.provided

        await until(is_noted)
        for bought in self.purchases if not data.provided else ():
            if not (bought.successes or bought.owes or bought.returned):
                await until_closed(self.provider, bought.agreement)
                self.give_back(bought)
                self.met["returned"] += 1

    def give_back(self, bought: Purchase) -> None:
        bought.returned = True
        self.owed.update({bought.consumer: bought.total, "escrow": -bought.total})

    def provider_change(self, data: Data) -> Call:
        function = "removeDIDProvider" if data.provided else "addDIDProvider"
        return Call("DIDRegistry", function, (bytes(Did.parse(data.did)), self.provider.address("provider")))

    async def retire(self) -> None:
        data = self.random.choice(list(self.data.values()))
        await self.provider.metadata.retire(data.did, self.retirement(data, data.owner))
        data.retired = True
        self.tell(f"{data.owner} retires {data.did[-4:]}")

    def retirement(self, data: Data, who: str) -> RetireRequest:
        url, chain = self.provider.configuration.public_url, self.provider.chain
        deadline = int(self.provider.gateway.ports.clock.now().timestamp()) + 300
        digits = "0x" + bytes(Did.parse(data.did)).hex()
        request = {"catalogue": url, "did": digits, "action": "retire", "deadline": deadline}
        domain = catalogues_domain(chain.agreements.chain_id, chain.contract("DIDRegistry"))
        signature = self.provider.people[who].sign_digest(catalogue_digest("ListingRequest", request, domain))
        return RetireRequest(catalogue=url, deadline=deadline, signature="0x" + signature.hex())

    async def change_script(self) -> None:
        """Whoever owns the algorithm registers another version of it."""
        name = f"Count {secrets.token_hex(4)}"
        self.script.register(await revise_main(self.provider, self.script.owner, self.script.did, name=name))
        self.tell(f"{self.script.owner} registers version {self.script.current[:6]} of the algorithm")

    async def sell_script(self) -> None:
        """The algorithm gets another owner, who mostly registers a version that the consumer wants to run."""
        await self.sell(self.script, (PUBLISHER, "stranger"))
        if self.chance(0.7):
            await self.change_script()
            await self.change_workflow()

    async def sell_workflow(self) -> None:
        """The workflow gets another owner, who mostly registers a version that somebody wants to run."""
        await self.sell(self.workflow, (*CONSUMERS, "stranger"))
        self.met["workflow sold"] += 1
        if self.chance(0.7):
            await self.change_workflow()

    # -- what those do who may not ------------------------------------------------------------------------------------

    async def trespass(self) -> None:
        """Somebody does with the data of others, or with an agreement of others, what only they may do."""
        data, provider = self.random.choice(list(self.data.values())), self.provider
        who = self.random.choice([name for name in (*OWNERS, "consumer") if name != data.owner])
        digits, signer = bytes(Did.parse(data.did)), provider.people[who]

        def cheapen(services: list[JsonObject]) -> None:
            services[1]["attributes"]["main"] |= {"price": "0", "policy": {"algorithms": "any"}}

        async def send(call: Call) -> None:
            await provider.chain.transact(call, signer)

        tried: dict[str, Callable[[], Awaitable[object]]] = {
            "register": lambda: send(
                update_attribute(digits, secrets.token_bytes(32), provider.configuration.metadata_url)
            ),
            "register an old version": lambda: send(
                update_attribute(
                    digits, bytes.fromhex(next(iter(data.registrants))), provider.configuration.metadata_url
                )
            ),
            "transfer": lambda: send(transfer_ownership(digits, signer.address)),
            "change the provider": lambda: send(self.provider_change(data)),
            "retire": lambda: provider.metadata.retire(data.did, self.retirement(data, who)),
            "propose": lambda: propose(provider, who, data.did, cheapen),
        }
        if others := [bought for bought in self.purchases if bought.consumer != who]:
            tried["execute"] = lambda: provider.exec(self.random.choice(others).agreement, who)
        name = self.random.choice(list(tried))
        self.tell(f"{who} tries to {name} {data.did[-4:]}")
        with pytest.raises(InsituError) as caught:
            await tried[name]()
        assert caught.value.code in NOT_THEIRS
        self.met["trespass refused"] += 1

    # -- what consumers do --------------------------------------------------------------------------------------------

    async def change_workflow(self) -> None:
        """Whoever owns the workflow registers a version with any version of the algorithm, rarely on swapped inputs."""
        version = self.script.current if self.chance(0.8) else self.random.choice(list(self.script.registrants))
        reads = self.works[0].reads if self.chance(0.92) else self.works[0].reads[::-1]
        inputs = [{"index": position, "id": did} for position, did in enumerate(reads)]
        chosen = {"id": self.script.did, "checksum": version}
        number = len(self.works) + 1
        stage = stage_of(0, inputs, self.script.did, transformation=chosen, configuration={"threshold": number})
        who = self.workflow.owner
        checksum = await revise_main(self.provider, who, self.workflow.did, workflow={"stages": [stage]})
        self.workflow.register(checksum)
        self.works.append(Work(number, checksum, who, self.script, version, reads))
        self.tell(f"{who} registers version {number} of the workflow, with {version[:6]}, on {reads[0][-4:]} first")

    async def buy(self) -> None:
        """A consumer buys the current version, if the current rules permit it, at the current price."""
        work, who = self.works[-1], self.random.choice(CONSUMERS)
        refusals = purchase_refusals(work, self.data, who)
        quote = await self.provider.quote(self.workflow.did, who)
        self.tell(f"{who} asks for version {work.number}; against it: {sorted(refusals) or 'nothing'}")
        assert quote.allowed is not bool(refusals), quote.reasons
        codes = {reason.code for reason in quote.reasons}
        assert codes <= refusals, codes
        self.met.update(f"purchase: {code}" for code in codes)
        if refusals:
            return
        shares = Counter({"provider": SERVER_PRICE})
        for entry in self.data.values():
            shares[entry.owner] += entry.offer.price
        terms = self.provider.terms(quote, who)
        agreement = await self.provider.lock(terms, who)
        await self.provider.until_standing(agreement, Standing.GRANTED)
        offers = {did: self.data[did].offer for did in work.reads}
        self.purchases.append(Purchase(who, agreement, terms, work, offers, shares))
        self.owed.update({"escrow": shares.total(), who: -shares.total()})
        self.met[f"bought by the {who}"] += 1

    async def execute(self) -> None:
        """A consumer executes the bought version or another one, with or without a parameter."""
        if all(bought.returned for bought in self.purchases):
            await self.buy()
            return
        bought = self.random.choice([bought for bought in self.purchases if not bought.returned])
        own = [work for work in self.works if work.registrant == bought.consumer]
        newest = (own or self.works)[-1]
        work = self.random.choice([bought.work, bought.work, newest, newest, self.random.choice(self.works)])
        given: dict[str, Scalar] = {"threshold": 7} if self.chance(0.3) else {}
        ending = self.random.choice(["success", *ENDINGS])
        refusals = execution_refusals(bought, work, self.data, given)
        self.tell(
            f"{bought.consumer} executes version {work.number} under purchase {self.purchases.index(bought)} of "
            f"version {bought.work.number} with {given} ({ending}); against it: {sorted(refusals) or 'nothing'}"
        )
        for attempt in (1, 2):
            self.provider.operator.runtime.script[f"0-compute-{attempt}"] = Ending(code=ENDINGS[ending])
        request = ExecRequest(
            service_agreement_id=bought.agreement,
            workflow_checksum=None if work == bought.work else work.checksum,
            parameters={"0": given} if given else {},
        )
        try:
            started = await self.provider.gateway.executor.execute(self.provider.caller(bought.consumer), request)
        except InsituError as error:
            assert error.code in refusals, f"refused with {error.code}: {error.detail}"
            self.met[f"execution: {error.code}"] += 1
            self.met["revision of another refused"] += (
                error.code == "RevisionNotAllowed" and work.registrant != bought.consumer
            )
            return
        assert not refusals, f"it started in spite of {refusals}"
        execution_id = started.workflow_execution_id
        self.compare_plan(await self.provider.execution(execution_id), bought, work, given)
        await self.provider.until_events(execution_id, "end")
        await self.provider.operator.until(execution_id)
        await self.account(bought, work, ending, await self.provider.execution(execution_id))

    def compare_plan(self, started: StoredExecution, bought: Purchase, work: Work, given: JsonObject) -> None:
        """The plan obeys the strictest rules of then and now, and reads the newest files."""
        plan, rules = started.plan, rules_of(bought, self.data)
        output, limits = plan.output, plan.limits
        assert (plan.workflow_checksum, plan.did) == (work.checksum, bought.work.reads[0])
        assert plan.revision_of == (None if work == bought.work else bought.work.checksum)
        assert output.max_bytes == rules.smallest("maxBytes", limits.disk_bytes)
        assert output.max_files == rules.smallest("maxFiles", 10_000)
        assert output.max_log_bytes == rules.log_bytes(limits.log_bytes)
        assert (None if output.types is None else set(output.types)) == rules.types
        assert (output.logs, plan.failures) == (rules.logs, bought.failures)
        assert plan.parameters == ({"0": given} if given else {})
        assert started.dossier.versions[self.script.did] == work.version
        read = [[file.name for file in source.files] for source in plan.stages[0].inputs]
        assert read == [[self.data[did].offer.file] for did in work.reads]
        self.met["now stricter"] += rules.effect != rules_of(bought, {}).effect
        self.met["then stricter"] += rules.effect != Rules(tuple(now.offer.policy for now in self.data.values())).effect
        self.met["revision ran"] += work != bought.work

    async def account(self, bought: Purchase, work: Work, ending: str, ended: StoredExecution) -> None:
        """The first success pays the shares as bought. A failure may become due at the end; a breakdown never."""
        assert ended.frozen is not None
        phase = ended.frozen.outcome.phase
        assert phase is (Phase.SUCCEEDED if ending == "success" else Phase.FAILED), ended.frozen.outcome
        bought.used.add((work.script.did, work.version))
        bought.owes = bought.owes or (ending == "failure" and bought.failures == "charged")
        self.met[ending] += 1
        if ending != "success":
            return
        bought.successes += 1
        await self.provider.until_events(ended.execution_id, "settled")
        if bought.successes == 1:
            self.pay(bought)

    def pay(self, bought: Purchase) -> None:
        self.owed.update({**bought.shares, "escrow": -bought.total})

    async def close(self, bought: Purchase) -> None:
        """At the end consumers close what no success paid: it costs the price if a failure has to be paid."""
        if bought.successes or bought.returned:
            return
        charge = bought.total if bought.owes else 0
        self.tell(f"{bought.consumer} closes purchase {self.purchases.index(bought)} for {charge}")
        caller = self.provider.caller(bought.consumer, "compute")
        await self.provider.gateway.closer.close(caller, bought.agreement, charge)
        with anyio.fail_after(30):
            while True:
                state = await self.provider.chain.agreement(bought.agreement)
                if state.settled == bought.total if charge else state.closed:
                    break
                await anyio.sleep(0.02)
        if charge:
            self.pay(bought)
        else:
            self.give_back(bought)

    # -- what holds after each step -----------------------------------------------------------------------------------

    def tell(self, step: str) -> None:
        self.story.append(step)

    async def compare(self) -> None:
        """Money is where the model has it, purchases are as they were made, and every DID is its creator's."""
        now = await self.provider.balances()
        assert {who: now[who] - self.before[who] for who in now} == {who: self.owed[who] for who in now}
        assert sum(now.values()) == sum(self.before.values())
        for bought in self.purchases:
            await self.compare_purchase(bought)
        for owned in (*self.data.values(), self.script, self.workflow):
            await self.compare_owned(owned)

    async def compare_purchase(self, bought: Purchase) -> None:
        known = await self.provider.agreements.agreement(bought.agreement)
        assert known is not None
        assert known.terms == bought.terms
        paid = Counter[str]()
        for receiver, amount in zip(known.terms.receivers, known.terms.amounts, strict=True):
            paid[receiver] += amount
        assert paid == {self.provider.address(who): share for who, share in bought.shares.items()}

    async def compare_owned(self, owned: Owned) -> None:
        provider, resolver = self.provider, self.provider.desk.ports.resolver
        record = await resolver.record(owned.did)
        assert (record.owner, record.checksum) == (provider.address(owned.owner), owned.current)
        if isinstance(owned, Data):
            assert await provider.chain.is_provider(owned.did, provider.address("provider")) is owned.provided
        for checksum in {owned.current, self.random.choice(list(owned.registrants))}:
            found = await resolver.resolve(owned.did, checksum)
            assert found.creator == provider.address(owned.creator)
            assert found.registrant == provider.address(owned.registrants[checksum])
            assert str(derive_did(origin_of(found.ddo), found.creator)) == owned.did
