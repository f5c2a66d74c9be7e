import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, fromHex, mayCarry, readSealedList } from '../../src/domain/index.js'
import { type Case, vector } from './vector.js'

const { key, chainId, files, texts, versions } = vector('sealed-lists', 'key', 'chainId', 'files', 'texts', 'versions')

/** Return the list in a text, as a gateway with one key opens it. */
async function opened({ keyVersion, did, creator, text }: Case): Promise<{ sealer: string; list: string } | undefined> {
  try {
    const sealed = readSealedList(text, did, creator, chainId)
    if (sealed.keyVersion !== keyVersion) return undefined
    const aes = await crypto.subtle.importKey('raw', Buffer.from(fromHex(key)), 'AES-GCM', false, ['decrypt'])
    const [iv, additionalData] = [sealed.payload.subarray(0, 12), sealed.associated].map(part =>
      Buffer.from(part ?? []),
    )
    if (!iv || !additionalData) return undefined
    const algorithm = { name: 'AES-GCM', iv, additionalData }
    const list = await crypto.subtle.decrypt(algorithm, aes, Buffer.from(sealed.payload.subarray(12)))
    return { sealer: sealed.sealer, list: new TextDecoder().decode(list) }
  } catch {
    return undefined
  }
}

for (const one of texts) {
  test(`a text ${one.name}: ${one.opens}`, async () => {
    const expected = { sealer: one.sealer, list: new TextDecoder().decode(canonicalJson(files)) }
    assert.deepEqual(await opened(one), one.opens ? expected : undefined)
  })
}

for (const { name, sealer, versions: listed, allowed } of versions) {
  test(`${name}: ${allowed}`, () => assert.equal(mayCarry(listed, sealer), allowed))
}
