// Buy a workflow, run it, save its result, and check the receipt:
//
//     KEY=<64 digits> node run.mjs http://127.0.0.1:8030 did:nv:… result
import { createInterface } from 'node:readline/promises'
import { connectAccount } from 'insitu'
import { saveResult } from 'insitu/node'
import { localKey } from 'insitu/wallets'

const [url, workflow, folder] = process.argv.slice(2)

async function confirmContracts({ chainId, registry, template, tokenFacts }) {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  console.log(`chain ${chainId}, registry ${registry}, template ${template}, paid in ${tokenFacts.symbol}`)
  const answer = await terminal.question('Are these the contracts that you trust? (yes) ')
  terminal.close()
  return answer.trim() === 'yes'
}

const client = await connectAccount(url, localKey(process.env.KEY), { confirmContracts })
const verdict = await client.check(workflow)
if (!verdict.allowed) throw new Error(verdict.reasons.map(({ message }) => message).join('\n'))
console.log(`costs at most ${verdict.cost.total} base units`)

const onProgress = ({ message }) => console.log(message)
const execution = await client.run(workflow, { maxPrice: verdict.cost.total, onProgress })
for await (const { text } of execution.logs()) process.stdout.write(text)
const { phase, reason } = await execution.wait()
if (phase !== 'Succeeded') throw new Error(`${phase}: ${reason?.detail}`)

const files = await saveResult(execution, folder)
for (const { path } of files) console.log(path)

// The provider commits to the receipt on the chain a moment later.
const receipt = await execution.receipt()
for (let looks = 0; ; looks += 1) {
  try {
    const { checked } = await client.verify(receipt, { files })
    console.log(`the receipt holds: ${checked.length} checks`)
    break
  } catch (error) {
    if (error.code !== 'ReceiptNotCommitted' || looks === 100) throw error
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}
