"""A desk says what its owner was paid, what waits for them, and what is open and paused; and nothing of others."""

import pytest

from insitu.api.agreements_v1 import Desk
from insitu.api.gateway_v1 import BASE
from insitu.domain.errors import InsituError
from tests.gateway.test_consumers_list_what_they_bought import buy, run
from tests.gateway.world import World, client

pytestmark = pytest.mark.needs("chain")


def money(desk: Desk) -> tuple[int, int, int, int]:
    return desk.received.base_units, desk.payments, desk.escrow.base_units, desk.waiting


async def test_a_price_waits_for_its_owner_until_a_success_pays_it(provider: World) -> None:
    data = await provider.publish_dataset(policy={"algorithms": "any", "maxExecutions": 3})
    owner = client(provider, "owner")
    before = money(await owner.desk([data]))
    first, _ = await buy(provider, data), await buy(provider, data)
    locked = await owner.desk([data])
    part = (locked.escrow.base_units - before[2]) // 2
    assert 0 < part < 13, "the rest of the price is the provider's"
    assert money(locked) == (before[0], before[1], before[2] + 2 * part, before[3] + 2)
    assert [(one.did, one.paused, one.open_agreements) for one in locked.data_sets] == [(data, False, 2)]
    await run(provider, first)
    assert money(await owner.desk()) == (before[0] + part, before[1] + 1, before[2] + part, before[3] + 1)
    await run(provider, first)
    assert money(await owner.desk())[1] == before[1] + 1, "a further success is free"
    rest = money(await client(provider, "provider").desk())
    assert rest[0] == before[0] + 13 - part


async def test_a_pause_is_shown_and_what_it_gives_back_waits_no_more(provider: World) -> None:
    data = await provider.publish_dataset()
    owner = client(provider, "owner")
    before = money(await owner.desk())
    await buy(provider, data)
    await owner.pause(data, stop=True)
    await provider.gateway.pauser.turn()
    paused = await owner.desk([data])
    assert [(one.paused, one.stopping, one.open_agreements) for one in paused.data_sets] == [(True, True, 0)]
    assert money(paused) == before


async def test_others_see_nothing_of_it(provider: World) -> None:
    data = await provider.publish_dataset()
    await buy(provider, data)
    for who in ("second-owner", "stranger"):
        desk = await client(provider, who).desk([data, "did:nv:" + "0e" * 32])
        assert (money(desk), desk.data_sets) == ((0, 0, 0, 0), ())
    assert (await provider.http.get(f"{BASE}/desk")).status_code == 401
    with pytest.raises(InsituError, match="InvalidDid"):
        await client(provider, "owner").desk(["did:nv:%' OR 1=1"])
    with pytest.raises(InsituError, match="AudienceMismatch"):
        await provider.gateway.bookkeeper.desk(provider.caller("owner", "compute", did=data), [data])


async def test_executions_are_listed_by_role_and_say_which_versions_ran(provider: World) -> None:
    data = await provider.publish_dataset()
    theirs = await buy(provider, data)
    await run(provider, theirs)
    own = await buy(provider, data, "owner")
    await provider.exec(own, "owner")
    owner = client(provider, "owner")
    found = {
        role: [view.service_agreement_id for view in (await owner.executions(role=role, reading=data)).executions]
        for role in ("consumer", "owner", None)
    }
    assert found == {"consumer": [own], "owner": [own, theirs], None: [own, theirs]}
    assert (await client(provider, "stranger").executions(role="owner")).executions == ()
    (view,) = (await client(provider, "consumer").executions(role="consumer", reading=data)).executions
    assert set(view.versions) == set(view.names) - {view.workflow_did}
    known = await provider.agreements.agreement(theirs)
    assert known is not None
    assert view.versions[data] == known.versions[data]
