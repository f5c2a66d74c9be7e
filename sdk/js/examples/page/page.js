// A page without a bundler: the import map of index.html says where the modules are.
import { connectAccount, isInsituError, sharedByTabs } from 'insitu'
import { untilChanged, useChain, walletAccount, watchWallets } from 'insitu/wallets'

const form = document.querySelector('form')
const [status, log, list] = ['[role=status]', 'pre', 'ul'].map(name => document.querySelector(name))
const say = text => {
  status.textContent = text
}

let wallets = []
watchWallets(found => {
  wallets = found
  form.wallet.replaceChildren(...found.map(({ name, uuid }) => new Option(name, uuid)))
})

/** Asked once before anything is signed. A real page remembers the answer for each chain. */
const confirmContracts = ({ chainId, registry, template }) =>
  confirm(`Chain ${chainId}, registry ${registry}, template ${template}: are these the contracts that you trust?`)

async function run(url, workflow, { provider }) {
  const account = await walletAccount(provider)
  const client = await connectAccount(url, account, { provider, confirmContracts, sharing: sharedByTabs() })
  const { chainId } = client.contracts
  await useChain(provider, { chainId })
  const { signal, stop } = untilChanged(provider, account.address, chainId)
  const onProgress = ({ message }) => say(message)
  const execution = await client.run(workflow, { onProgress, signal }).finally(stop)
  say('It runs.')
  for await (const { text } of execution.logs()) log.append(text)
  const files = []
  for await (const file of execution.download()) {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(await new Response(file.content).blob())
    link.download = file.name.replaceAll('/', '-')
    link.textContent = file.name
    list.append(Object.assign(document.createElement('li'), { id: file.name }))
    list.lastChild.append(link)
    files.push(file)
  }
  await verify(client, await execution.receipt(), files)
}

/** The provider commits to the receipt on the chain a moment after the end. */
async function verify(client, receipt, files) {
  for (let looks = 0; ; looks += 1) {
    try {
      const { checked } = await client.verify(receipt, { files })
      return say(`The receipt holds: ${checked.length} checks.`)
    } catch (error) {
      if (error.code !== 'ReceiptNotCommitted' || looks === 100) throw error
      await new Promise(resolve => setTimeout(resolve, 200))
    }
  }
}

form.addEventListener('submit', event => {
  event.preventDefault()
  log.textContent = ''
  list.replaceChildren()
  const wallet = wallets.find(({ uuid }) => uuid === form.wallet.value)
  run(form.provider.value, form.workflow.value, wallet).catch(error => {
    say(isInsituError(error) ? `${error.detail}. ${error.nextStep}` : String(error))
  })
})
