// A client whose provider lies as a test wants; the programs beside it begin with this.
import { connectAccount } from 'insitu'
import { localKey, walletAccount } from 'insitu/wallets'
import { saveResult } from 'insitu/node'
import { toHex } from 'insitu/domain'
const [url, secret, workflow, given, folder] = process.argv.slice(2)
const contracts = JSON.parse(given)
const key = localKey(secret),
  other = localKey('11'.repeat(32))
let signed = 0,
  relayed = 0
const counting = {
  ...key,
  signTypedData: data => {
    signed += 1
    return key.signTypedData(data)
  },
}
// Change what the real provider answers to addresses that end so; a function of JSON returns the other answer.
const lying = lies => async (input, init) => {
  const address = String(input)
  if (address.endsWith('/agreements')) relayed += 1
  const response = await fetch(input, init)
  const lie = Object.entries(lies).find(([path]) => new URL(address).pathname.includes(path))?.[1]
  if (!lie || !response.ok) return response
  return new Response(JSON.stringify(lie(await response.json(), init?.body && JSON.parse(init.body))), response)
}
const open = (lies, options = {}, account = counting) =>
  connectAccount(url, account, { contracts, fetch: lying(lies), ...options })
const outcome = async buying => {
  ;[signed, relayed] = [0, 0]
  const code = await buying().then(
    () => 'bought',
    error => error.code ?? error.message,
  )
  return [code, signed, relayed]
}
const buyFrom = (lies, options, account) => outcome(async () => (await open(lies, options, account)).buy(workflow))
