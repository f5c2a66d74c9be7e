/** What can be chosen to run: one's own workflows and algorithms, and those that the rules name. Names are claims. */
import type { AccountClient } from 'insitu'
import { allowsAny, didHex, isObject, type JsonObject, mainOf, sameAddress } from 'insitu/domain'
import { claimedInputs, type DataSet, mainIn, type Offer, type Pinned } from './plan.js'

const MOST = 50
/** Trusted publishers whose algorithms are looked for. */
const MOST_PUBLISHERS = 5

/** Return one's own workflows that read exactly these data sets. */
export async function workflowsFor(
  client: AccountClient,
  inputs: readonly DataSet[],
  signal: AbortSignal,
): Promise<Offer[]> {
  const found = await client.assets.search('', { type: 'workflow', owner: client.account, offset: MOST, signal })
  const wanted = inputs.map(input => input.did).join()
  const fitting = found.results.filter(document => [...new Set(claimedInputs(document))].join() === wanted)
  return fitting.map(document => offerOf(document, true))
}

/** Return algorithms that may be worth a try: one's own, those of the rules, and listed ones if the rules allow any. */
export async function algorithmsFor(
  client: AccountClient,
  inputs: readonly DataSet[],
  signal: AbortSignal,
): Promise<Offer[]> {
  const rules = inputs.map(input => input.policy)
  const publishers = [...new Set(rules.flatMap(rule => rule.publishers))].slice(0, MOST_PUBLISHERS)
  const owners = [client.account, ...publishers.filter(one => !sameAddress(one, client.account))]
  const search = { type: 'algorithm', offset: MOST, signal }
  const asked = owners.map(owner => client.assets.search('', { ...search, owner }))
  if (rules.every(allowsAny)) asked.push(client.assets.search('', search))
  const found = (await Promise.all(asked)).map(page => page.results)
  const listed = rules.flatMap(rule => (typeof rule.algorithms === 'object' ? rule.algorithms.map(one => one.did) : []))
  const named = await Promise.all([...new Set(listed)].slice(0, MOST).map(did => nameOf(client, did, signal)))
  const offers = found.flatMap((documents, at) => documents.map(document => offerOf(document, at === 0)))
  return [...new Map([...offers, ...named.flat()].reverse().map(offer => [offer.did, offer])).values()].reverse()
}

function offerOf(document: JsonObject, isOwn: boolean): Offer {
  return { did: String(document['id']), name: String(mainIn(document)['name'] ?? ''), isOwn }
}

async function nameOf(client: AccountClient, did: string, signal: AbortSignal): Promise<Offer[]> {
  const found = await client.assets.show(did, { signal }).catch(() => undefined)
  signal.throwIfAborted()
  const isOwn = found !== undefined && sameAddress(found.record.owner, client.account)
  return found ? [{ did, name: String(mainOf(found.ddo)['name'] ?? ''), isOwn }] : []
}

/** Return the current version of an algorithm, verified, as a workflow pins it. */
export async function pin(client: AccountClient, did: string, signal: AbortSignal): Promise<Pinned> {
  didHex(did)
  const { record, ddo } = await client.assets.show(did, { signal })
  const { name, algorithm } = mainOf(ddo)
  const requirements = isObject(algorithm) && isObject(algorithm['requirements']) ? algorithm['requirements'] : {}
  const own = isObject(requirements['container']) ? requirements['container'] : {}
  const container = own['image'] && own['checksum'] ? own : undefined
  return { did, checksum: record.checksum, name: String(name ?? did), container }
}
