import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  agreementDomain,
  agreementId,
  domainSeparator,
  permitTuple,
  permitTypedData,
  purchaseJson,
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
}
