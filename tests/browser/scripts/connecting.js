import { connectAccount } from 'insitu'
import { discoverWallets, untilChanged, useChain, walletAccount } from 'insitu/wallets'

const { gateway, workflow, contracts: named } = Object.fromEntries(new URLSearchParams(location.search))
const code = error => error.code ?? String(error)
const told = { steps: [] }

Object.assign(window, {
  told,
  async wallets() {
    const found = await discoverWallets()
    return found.map(({ uuid, name, icon, rdns }) => ({ uuid, name, icon, rdns }))
  },
  async connect() {
    const [{ provider }] = await discoverWallets()
    window.provider = provider
    return walletAccount(provider).then(account => {
      window.account = account
      return account.address
    }, code)
  },
  use: chain => useChain(window.provider, chain).then(() => 'there', code),
  sign: () => window.account.signText('a text').then(bytes => bytes.length, code),
  buy() {
    const [chainId, registry, template] = named.split(',')
    const contracts = { chainId: Number(chainId), registry, template }
    const { signal } = untilChanged(window.provider, window.account.address, contracts.chainId)
    const onProgress = ({ step }) => told.steps.push(step)
    void connectAccount(gateway, window.account, { contracts })
      .then(client => client.buy(workflow, { signal, onProgress }))
      .then(({ id }) => id, code)
      .then(outcome => {
        told.outcome = outcome
      })
  },
})
