import { connectAccount } from 'insitu'
import { walletAccount } from 'insitu/wallets'

const asked = Object.fromEntries(new URLSearchParams(location.search))
const [chainId, registry, template] = asked.contracts.split(',')
const contracts = { chainId: Number(chainId), registry, template }
const status = document.querySelector('output')
const found = []
window.addEventListener('eip6963:announceProvider', ({ detail }) => found.push(detail.provider))
window.dispatchEvent(new Event('eip6963:requestProvider'))

async function run() {
  const onProgress = ({ message }) => {
    status.textContent = message
  }
  const [provider] = found
  const account = await walletAccount(provider)
  const client = await connectAccount(asked.gateway, account, { provider, contracts })
  const execution = await client.run(asked.workflow, { onProgress })
  let printed = ''
  for await (const { text } of execution.logs()) printed += text
  const files = {}
  for await (const { name, content } of execution.download()) files[name] = await new Response(content).text()
  const receipt = await execution.receipt()
  for (let look = 0; ; look += 1) {
    try {
      await client.verify(receipt)
      break
    } catch (error) {
      if (error.code !== 'ReceiptNotCommitted' || look === 100) throw error
      await new Promise(resolve => setTimeout(resolve, 100)) // the chain commits to it a block later
    }
  }
  status.dataset.told = JSON.stringify({ printed, files })
  status.textContent = 'The receipt holds.'
}

document.querySelector('button').addEventListener('click', () => {
  status.textContent = ''
  run().catch(error => {
    status.textContent = `${error.code ?? error}: ${error.nextStep ?? ''}`
  })
})
