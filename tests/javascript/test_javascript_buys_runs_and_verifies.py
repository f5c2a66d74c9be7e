"""Python publishes, and JavaScript buys, runs, follows, downloads and verifies, at a real provider."""

import json
from pathlib import Path

import pytest

from insitu.testing.provider import ProviderProcess
from tests.javascript.packages import install_sdk, run_node
from tests.market import PAID, PRICE, SERVER_PRICE, open_market

pytestmark = [pytest.mark.needs("node", "docs", "chain", "oci", "root"), pytest.mark.slow]

SECRET = "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"
"""The key of the development account that is called consumer; it is public."""

PROGRAM = """
import { readFile } from 'node:fs/promises'
import { connectAccount } from 'insitu'
import { saveResult } from 'insitu/node'
import { localKey } from 'insitu/wallets'
const [url, secret, workflow, contracts, folder] = process.argv.slice(2)
const key = localKey(secret)
const client = await connectAccount(url, key, { contracts: JSON.parse(contracts) })
const steps = []
const onProgress = ({ step, message }) => steps.push([step, message !== ''])
const verdict = await client.check(workflow)
const tooDear = await client.buy(workflow, { maxPrice: verdict.cost.total - 1n, onProgress }).catch(error => error.code)
const asked = steps.map(([step]) => step)
const seed = 'ab'.repeat(32)
const bought = await client.buy(workflow, { maxPrice: verdict.cost.total, seed, onProgress })
const again = await client.buy(workflow, { seed })
const execution = await client.execute(bought.id, { onProgress })
const printed = [], happened = []
for await (const one of execution.stream()) {
  if (one.kind === 'log') printed.push(one.log.text)
  else happened.push(one.event.type)
}
const ended = await execution.wait()
const files = await saveResult(execution, folder)
const full = await saveResult(execution, folder).catch(error => error.code)
const receipt = await execution.receipt()
let verified
for (let look = 0; !verified; look += 1) {
  verified = await client.verify(receipt, { files, provider: verdict.quote.provider }).catch(async error => {
    if (error.code !== 'ReceiptNotCommitted' || look === 100) throw error
    await new Promise(resolve => setTimeout(resolve, 100))
  })
}
const forged = [{ ...files[0], sha256: '00'.repeat(32) }]
const refused = await client.verify(receipt, { files: forged }).catch(error => error.code)
const fresh = await connectAccount(url, key, { contracts: JSON.parse(contracts) })
const found = await (await fresh.execution(bought.id, execution.executionId)).status()
const second = await client.buy(workflow)
const preview = await client.agreements.previewClose(second.id)
const closing = await client.agreements.close(second.id)
let closed = false
for (let look = 0; look < 200 && !closed; look += 1) {
  closed = (await client.agreements.show(second.id)).state.closed
  await new Promise(resolve => setTimeout(resolve, 50))
}
await client.session().signOut()
const texts = {}
for (const { name, path } of files) texts[name] = await readFile(path, 'utf8')
console.log(JSON.stringify({
  preview: [String(preview.charge), String(preview.returned)], returned: String(closing.returned), closed,
  asked, tooDear, total: String(verdict.cost.total), steps: steps.map(([step, said]) => said && step), happened,
  same: again.id === bought.id, id: bought.id, phase: ended.phase, texts, full, refused,
  printed: printed.join(''), charge: String(verified.statement.predicate.charge.amount),
  checked: verified.checked.length, found: found.phase,
}))
"""


async def test_python_publishes_and_javascript_buys_runs_downloads_and_verifies(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        workflow = await market.workflow()
        before = await market.balances()
        told = json.loads(
            run_node(
                tmp_path,
                PROGRAM,
                *(provider.url, SECRET, workflow.did),
                *(json.dumps(market.contracts), str(tmp_path / "result")),
            )
        )
        assert told["tooDear"] == "PriceTooHigh"
        assert told["asked"] == ["verify"]
        assert told["total"] == told["charge"] == str(PRICE + SERVER_PRICE)
        assert told["steps"] == ["verify", "verify", "permit", "terms", "send", "grant", "sign-in"]
        assert told["printed"] == "hello\n"
        assert {"phase", "result", "settled"} <= set(told["happened"]), told["happened"]
        assert (told["phase"], told["found"], told["same"]) == ("Succeeded", "Succeeded", True)
        assert told["texts"] == {"logs/console.log": "hello\n", "out.txt": "done"}
        assert (told["full"], told["refused"]) == ("FolderNotEmpty", "ReceiptInvalid")
        assert (told["preview"], told["returned"]) == (["0", told["total"]], told["total"])
        assert told["closed"] is True
        assert await market.changes(before) == PAID
        bought = await market.consumer.agreements.show(told["id"])
        assert (bought.workflow_did, bought.price.base_units) == (workflow.did, PRICE + SERVER_PRICE)


async def test_a_wallet_is_asked_three_times_and_its_node_says_what_the_chain_has(
    provider: ProviderProcess, tmp_path: Path
) -> None:
    install_sdk(tmp_path)
    async with open_market(provider) as market:
        workflow = await market.workflow()
        node = json.loads(provider.settings.deployments.read_text("utf-8"))["rpcUrl"]
        source = (Path(__file__).parent / "programs" / "wallet.mjs").read_text("utf-8")
        told = json.loads(
            run_node(tmp_path, source, provider.url, SECRET, workflow.did, json.dumps(market.contracts), node)
        )
        assert told["prompts"] == ["Permit", "Terms", "text"]
        assert (told["asked"], told["relayed"]) == (True, 0)
        assert (told["phase"], told["account"]) == ("Succeeded", market.consumer.account)
