// A wallet as pages meet it, which counts what it is asked; the programs beside it begin with this.
import { connectAccount } from 'insitu'
import { localKey, walletAccount } from 'insitu/wallets'

const [url, secret, given, node, ...rest] = process.argv.slice(2)
const contracts = JSON.parse(given)
const key = localKey(secret)
const prompts = []
const hex = bytes => `0x${Buffer.from(bytes).toString('hex')}`
const ask = async (method, ...params) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(node, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  const { result, error } = await response.json()
  if (error) throw Object.assign(new Error(error.message), { code: error.code })
  return result
}
// Wallets get numbers as text; sign what is shown.
const typed = (types, name, message) =>
  Object.fromEntries(
    types[name].map(({ name: member, type }) => {
      const [base] = type.split('[')
      const read = value => (base in types ? typed(types, base, value) : base.startsWith('uint') ? BigInt(value) : value)
      return [member, Array.isArray(message[member]) ? message[member].map(read) : read(message[member])]
    }),
  )
const request = async ({ method, params = [] }) => {
  if (['eth_requestAccounts', 'eth_accounts'].includes(method)) return [key.address]
  if (method === 'personal_sign') {
    prompts.push('text')
    return hex(key.signText(Buffer.from(params[0].slice(2), 'hex').toString()))
  }
  if (method === 'eth_signTypedData_v4') {
    const { types, ...data } = JSON.parse(params[1])
    prompts.push(data.primaryType)
    const { EIP712Domain: _, ...structs } = types
    return hex(key.signTypedData({ ...data, types: structs, message: typed(structs, data.primaryType, data.message) }))
  }
  if (method !== 'eth_sendTransaction') return ask(method, ...params)
  prompts.push('transaction')
  const [{ from, to, data }] = params
  const numbers = ['eth_chainId', 'eth_gasPrice'].map(name => ask(name))
  const [chainId, gasPrice, nonce, gas] = (
    await Promise.all([...numbers, ask('eth_getTransactionCount', from, 'pending'), ask('eth_estimateGas', { from, to, data })])
  ).map(BigInt)
  const transaction = { chainId: Number(chainId), nonce: Number(nonce), to, data, value: 0n, gas: gas * 2n, gasPrice: gasPrice * 2n }
  return ask('eth_sendRawTransaction', hex(key.signTransaction(transaction)))
}
const provider = { request }
const said = []
const onProgress = ({ step, asks, sends, message, promptsLeft }) => {
  if (asks !== undefined || sends !== undefined) said.push([step, message.length > 20, promptsLeft])
}
// Change what the real provider answers to addresses that have a path; a function of JSON returns the other answer.
const lying = lies => async (input, init) => {
  const found = Object.entries(lies).find(([path]) => new URL(String(input)).pathname.includes(path))?.[1]
  if (found === 'broken') throw new TypeError('the connection broke off')
  const response = await fetch(input, init)
  if (!found || !response.ok) return response
  return new Response(JSON.stringify(found(await response.json(), typeof init?.body === 'string' ? JSON.parse(init.body) : undefined)), response)
}
const open = async (lies = {}, options = {}) =>
  connectAccount(url, await walletAccount(provider), { provider, contracts, fetch: lying(lies), ...options })
const asked = async work => {
  const before = prompts.length
  const value = await work().then(
    result => ({ result }),
    error => ({ code: error.code ?? String(error) }),
  )
  return { ...value, prompts: prompts.slice(before) }
}
