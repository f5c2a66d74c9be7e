const quoting = change => ({ '/check': quote => ({ ...quote, ...change(quote) }) })
const told = {}
told.price = await buyFrom(
  quoting(quote => ({ price: '1000000', receivers: [{ ...quote.receivers[0], amount: '1000000' }] })),
)
told.receiver = await buyFrom(
  quoting(({ receivers: [first, ...rest] }) => ({ receivers: [{ ...first, address: other.address }, ...rest] })),
)
told.provider = await buyFrom(quoting(() => ({ provider: other.address })))
told.times = await buyFrom(quoting(() => ({ deadlineSeconds: 360000 })))
told.workflow = await buyFrom(quoting(() => ({ workflowHash: '0x' + '00'.repeat(32) })))
told.inputs = await buyFrom(quoting(() => ({ inputsHash: '0x' + '00'.repeat(32) })))
told.nonsense = await buyFrom(quoting(() => ({ price: -1 })))
told.refused = await buyFrom(
  quoting(() => ({ allowed: false, reasons: [{ code: 'AlgorithmNotAllowed', message: 'no' }] })),
)
told.document = await buyFrom({ '/assets/ddo/did': ddo => ({ ...ddo, created: '2020-01-01T00:00:00Z' }) })
told.code = await buyFrom({
  '/rpc': (answer, { method }) => (method === 'eth_getCode' ? { ...answer, result: '0x6001' } : answer),
})
// The same contracts at a chain that no release knows.
const unknownChain = {
  '/rpc': (answer, { method }) => (method === 'eth_chainId' ? { ...answer, result: '0x7a6a' } : answer),
  '/services': info => ('chainId' in info ? { ...info, chainId: 31338 } : info),
}
told.unconfirmed = await buyFrom(unknownChain, { contracts: undefined })
const shown = []
const confirmContracts = found => {
  shown.push(found.registry, found.template, found.tokenFacts.decimals)
  return false
}
told.declined = await buyFrom(unknownChain, { contracts: undefined, confirmContracts })
told.shown = JSON.stringify(shown) === JSON.stringify([contracts.registry, contracts.template, 18])
told.template = await buyFrom({}, { contracts: { ...contracts, template: other.address } })
const honest = { eth_requestAccounts: [key.address], eth_accounts: [key.address], eth_chainId: '0x7a69' }
const wallet = answer => walletAccount({ request: async ({ method }) => honest[method] ?? answer(method) })
const no = await wallet(() => {
  throw Object.assign(new Error('User rejected'), { code: 4001 })
})
told.rejected = await buyFrom({}, {}, no)
const wrong = await wallet(() => toHex(other.signDigest(new Uint8Array(32).fill(7))))
told.otherAccount = await buyFrom({}, {}, wrong)
told.cancelled = await outcome(async () => {
  const controller = new AbortController(),
    client = await open({})
  const onProgress = ({ step }) => step === 'terms' && controller.abort(new Error('went away'))
  return client.buy(workflow, { onProgress, signal: controller.signal })
})
console.log(JSON.stringify(told))
