import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementDomain,
  agreementId,
  requestTypedData,
  settlementTypedData,
  type Terms,
  type TypedData,
  termsTypedData,
  toHex,
  typedDataDigest,
  typedDataText,
} from '../../src/domain/index.js'
import { localKey } from '../../src/wallets.js'
import { type Case, vector } from './vector.js'

const { agreements, settlements, requests } = vector('eip712', 'agreements', 'settlements', 'requests')

export function termsOf(written: Case): Terms {
  return { ...written, amounts: written.amounts.map(BigInt) }
}

function signs(data: TypedData, digest: string, key: string, signature: string): void {
  assert.equal(toHex(typedDataDigest(data)), digest)
  assert.equal(toHex(localKey(key).signTypedData(data)), signature)
}

for (const { chainId, verifyingContract, agreementId: id, consumerKey, consumerSignature, terms } of agreements) {
  test(`terms of the agreement ${id.slice(0, 12)} on chain ${chainId}`, () => {
    const domain = agreementDomain(chainId, verifyingContract)
    assert.equal(`0x${agreementId(termsOf(terms), domain)}`, id)
    signs(termsTypedData(termsOf(terms), domain), id, consumerKey, consumerSignature)
  })
}

for (const {
  chainId,
  verifyingContract,
  agreementId: id,
  digest,
  providerKey,
  providerSignature,
  ...more
} of settlements) {
  test(`settlement ${more.index} of the agreement ${id.slice(0, 12)}`, () => {
    const settlement = { ...more, charge: BigInt(more.charge) } as Case
    const data = settlementTypedData(id.slice(2), settlement, agreementDomain(chainId, verifyingContract))
    signs(data, digest, providerKey, providerSignature)
  })
}

const MEMBERS: Record<string, string> = {
  Registrations: 'registrations',
  Updates: 'updates',
  Transfer: 'transfer',
  ProviderChange: 'providerChange',
}

for (const { chainId, verifyingContract, primaryType, message, digest, key, signature } of requests) {
  test(`request to the registry: ${primaryType}`, () => {
    const items = message.items?.map(({ didSeed, ...item }: Case) => (didSeed ? { seed: didSeed, ...item } : item))
    const request = { [MEMBERS[primaryType] ?? '']: items ? { ...message, items } : message } as Case
    const data = requestTypedData(request, chainId, verifyingContract)
    assert.equal(data.primaryType, primaryType)
    signs(data, digest, key, signature)
    assert.deepEqual(JSON.parse(typedDataText(data)).message, message)
  })
}

test('a wallet is given numbers as text, and the type of the domain', () => {
  const [{ chainId, verifyingContract, terms }] = agreements
  const text = JSON.parse(typedDataText(termsTypedData(termsOf(terms), agreementDomain(chainId, verifyingContract))))
  assert.deepEqual(text.message.amounts, terms.amounts)
  assert.equal(text.types.EIP712Domain.length, 4)
})
