import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementDomain,
  agreementId,
  domainSeparator,
  type Hex,
  permitTuple,
  permitTypedData,
  purchaseJson,
  purchaseSignature,
  termsTypedData,
  toHex,
  typedDataDigest,
} from '../../src/domain/index.js'
import { localKey } from '../../src/wallets.js'
import { vector } from './vector.js'

for (const given of vector('purchase', 'purchases').purchases) {
  const { consumerKey, chainId, verifyingContract, token, nonce, permitDigest, agreementId: id, request } = given
  const domain = agreementDomain(chainId, verifyingContract)
  const terms = { ...request.terms, amounts: request.terms.amounts.map(BigInt) }
  const value = BigInt(request.permit.value)
  const { address, name, version } = token
  const tokenDomain = { name, version, chainId, verifyingContract: address }
  const permit = permitTypedData(
    tokenDomain,
    terms.consumer,
    verifyingContract,
    value,
    BigInt(nonce),
    request.permit.deadline,
  )

  test(`purchase ${id.slice(0, 12)}: the terms`, () => {
    assert.equal(agreementId(terms, domain), id)
    assert.equal(toHex(localKey(consumerKey).signTypedData(termsTypedData(terms, domain))), request.signature)
  })

  test(`purchase ${id.slice(0, 12)}: the permit`, () => {
    assert.equal(toHex(domainSeparator(tokenDomain)), token.domainSeparator)
    assert.equal(toHex(typedDataDigest(permit)), permitDigest)
    assert.equal(toHex(localKey(consumerKey).signTypedData(permit)), request.permit.signature)
  })

  test(`purchase ${id.slice(0, 12)}: the request`, () => {
    const signed = { value, deadline: request.permit.deadline, signature: request.permit.signature }
    assert.deepEqual(purchaseJson({ terms, signature: request.signature, permit: signed }), request)
    assert.equal(permitTuple(signed)[2], Number(`0x${request.permit.signature.slice(-2)}`))
  })

  test(`purchase ${id.slice(0, 12)}: a key's signature is sent with v 27 or 28, that of a contract account as it is`, () => {
    const v = Number(`0x${request.signature.slice(-2)}`)
    const short: Hex = `0x${request.signature.slice(2, -2)}0${v - 27}`
    assert.equal(purchaseSignature({ terms, signature: short }, domain), request.signature)
    const foreign = `0x${'00'.repeat(65)}` as const
    assert.equal(purchaseSignature({ terms, signature: foreign }, domain), foreign)
    assert.equal(purchaseSignature({ terms: { ...terms, consumer: address }, signature: short }, domain), short)
  })
}
