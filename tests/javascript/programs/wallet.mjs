import { connectAccount } from 'insitu'
import { localKey, walletAccount } from 'insitu/wallets'

// A wallet as pages meet it: it has a node of its own, reads typed data as text, and signs what it shows.
const [url, secret, workflow, given, node] = process.argv.slice(2)
const key = localKey(secret)
const prompts = []
const reads = []
const hex = bytes => `0x${Buffer.from(bytes).toString('hex')}`

const typed = (types, name, message) =>
  Object.fromEntries(
    types[name].map(({ name: member, type }) => {
      const read = value => (type.startsWith('uint') ? BigInt(value) : value)
      return [member, Array.isArray(message[member]) ? message[member].map(read) : read(message[member])]
    }),
  )

const ask = async (method, params) => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const response = await fetch(node, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
  return (await response.json()).result
}

const request = async ({ method, params = [] }) => {
  if (method === 'eth_requestAccounts') return [key.address.toLowerCase()]
  if (method === 'personal_sign') {
    prompts.push('text')
    return hex(key.signText(Buffer.from(params[0].slice(2), 'hex').toString()))
  }
  if (method !== 'eth_signTypedData_v4') {
    reads.push(method)
    return ask(method, params)
  }
  const { types, ...data } = JSON.parse(params[1])
  prompts.push(data.primaryType)
  const { EIP712Domain: _, ...structs } = types
  return hex(key.signTypedData({ ...data, types: structs, message: typed(structs, data.primaryType, data.message) }))
}

let relayed = 0
const counting = (input, init) => {
  if (String(input).endsWith('/rpc')) relayed += 1
  return fetch(input, init)
}
const provider = { request }
const account = await walletAccount(provider)
const client = await connectAccount(url, account, { provider, contracts: JSON.parse(given), fetch: counting })
const execution = await client.run(workflow)
const { phase } = await execution.wait()
console.log(JSON.stringify({ phase, prompts, asked: reads.length > 10, relayed, account: client.account }))
