"""A program in Node finds what Python published, and proves it by the chain of a real provider."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

PROGRAM = """
import { connect } from 'insitu'
const [url, did, registry, chainId] = process.argv.slice(2)
const client = await connect(url, { contracts: { chainId: Number(chainId), registry } })
const page = await client.assets.search('words', { type: 'dataset', service: 'compute' })
const { ddo, record, creator } = await client.assets.show(did)
const nobody = 'did:nv:' + '0'.repeat(64)
const unknown = await client.assets.resolve(nobody).catch(error => [error.code, error.nextStep !== ''])
console.log(JSON.stringify({ found: page.results.map(one => one.id), document: ddo.json, creator, ...record, unknown }))
"""


async def test_a_program_in_node_proves_what_python_published(provider: ProviderProcess, tmp_path: Path) -> None:
    async with open_market(provider) as market:
        published = await market.dataset()
        document = await market.consumer.assets.resolve(published.did)
        registry, chain_id = market.consumer.chain.contract("DIDRegistry"), market.consumer.chain.agreements.chain_id
    install_sdk(tmp_path)
    told = json.loads(run_node(tmp_path, PROGRAM, provider.url, published.did, registry, str(chain_id)))
    owner = str(document.proof.creator) if document.proof is not None else ""
    assert (told["found"], told["document"]) == ([published.did], document.to_json())
    assert (told["owner"], told["creator"], told["registrant"], told["version"]) == (owner, owner, owner, 1)
    assert told["unknown"] == ["AssetNotFound", True]
