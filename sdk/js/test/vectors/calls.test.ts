import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as calls from '../../src/domain/calls.js'
import {
  callData,
  encodeCall,
  fromHex,
  type Hex,
  keccak256,
  type RegistryRequest,
  type Settlement,
  signedTransaction,
  type Terms,
  type Transaction,
  toHex,
} from '../../src/domain/index.js'
import { localKey } from '../../src/wallets.js'
import { type Case, vector } from './vector.js'

const { calls: cases, transactions } = vector('calls', 'calls', 'transactions')

/** Make the call of a vector from its own arguments. */
const MAKERS: Record<string, (values: Case) => calls.Call> = {
  register_attribute: ([seed, checksum, providers, url]) => calls.registerAttribute(seed, checksum, providers, url),
  register_attribute_for: ([seed, checksum, providers, url, owner]) =>
    calls.registerAttributeFor(seed, checksum, providers, url, owner),
  update_attribute: ([did, checksum, url]) => calls.updateAttribute(did, checksum, url),
  transfer_ownership: ([did, owner]) => calls.transferOwnership(did, owner),
  create_and_lock: ([terms, signature, permit]) => calls.createAndLock(termsOf(terms), signature, permitOf(permit)),
  create_lock_grant: ([terms, signature, permit, offer]) =>
    calls.createLockGrant(termsOf(terms), signature, permitOf(permit), offer),
  grant: ([terms]) => calls.grant(termsOf(terms)),
  refuse: ([terms]) => calls.refuse(termsOf(terms)),
  settle: ([terms, settlement, signature]) => calls.settle(termsOf(terms), settlementOf(settlement), signature),
  settle_batch: ([items]) =>
    calls.settleBatch(items.map(([terms, settlements]: Case) => [termsOf(terms), settlements.map(settlementOf)])),
  cancel: ([terms]) => calls.cancel(termsOf(terms)),
  refund: ([terms]) => calls.refund(termsOf(terms)),
  used: ([statement, did, agent, activity, text]) => calls.used(statement, did, agent, activity, text),
  was_derived_from: ([statement, did, used, agent, activity, text]) =>
    calls.wasDerivedFrom(statement, did, used, agent, activity, text),
  was_associated_with: ([statement, did, agent, activity, text]) =>
    calls.wasAssociatedWith(statement, did, agent, activity, text),
  use_permit: ([owner, spender, ...permit]) => calls.usePermit(owner, spender, permitOf(permit)),
  RegistrationBatch: ([creator, items, deadline, signature]) => {
    const named = items.map(([seed, checksum, providers, url]: Case) => ({ seed, checksum, providers, url }))
    return send({ registrations: { creator, items: named, deadline: Number(deadline) } }, signature)
  },
  UpdateBatch: ([owner, items, deadline, signature]) => {
    const named = items.map(([did, checksum, url, version]: Case) => ({ did, checksum, url, version: Number(version) }))
    return send({ updates: { owner, items: named, deadline: Number(deadline) } }, signature)
  },
  Transfer: ([did, newOwner, changes, deadline, signature]) =>
    send({ transfer: { did, newOwner, changes: Number(changes), deadline: Number(deadline) } }, signature),
  ProviderChange: ([did, provider, allowed, changes, deadline, signature]) => {
    const change = { did, provider, allowed, changes: Number(changes), deadline: Number(deadline) }
    return send({ providerChange: change }, signature)
  },
}

function send(request: RegistryRequest, signature: Hex): calls.Call {
  return calls.sendRequest(request, signature)
}

function termsOf([seed, did, inputsHash, workflowId, workflowHash, consumer, provider, ...more]: Case): Terms {
  const [serviceIndex, deadline, grantTimeout, timeout, settleTimeout] = more.slice(0, 5).map(Number)
  const [amounts, receivers] = [more[5].map(BigInt), more[6]]
  const parties = { seed, did, inputsHash, workflowId, workflowHash, consumer, provider }
  return { ...parties, serviceIndex, deadline, grantTimeout, timeout, settleTimeout, amounts, receivers }
}

function settlementOf([index, charge, receiptHash, last]: Case): Settlement {
  return { index: Number(index), charge: BigInt(charge), receiptHash, last }
}

function permitOf([value, deadline, v, r, s]: Case) {
  return [BigInt(value), BigInt(deadline), Number(v), r, s] as const
}

test('every call of the vectors can be made', () => {
  assert.deepEqual(Object.keys(MAKERS).sort(), cases.map((made: Case) => made.name).sort())
})

for (const { name, contract, signature, arguments: values, data } of cases) {
  test(`${name}: call data`, () => {
    const call = MAKERS[name]?.(values)
    assert.ok(call)
    assert.deepEqual([call.contract, call.signature], [contract, signature])
    assert.equal(callData(call), data)
  })
}

for (const { name, key, sender, transaction, raw, hash } of transactions) {
  test(`a transaction of ${name} is signed`, () => {
    const fees = ['value', 'gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas']
    const wanted = Object.fromEntries(
      Object.entries(transaction).map(([member, value]) => [
        member,
        fees.includes(member) ? BigInt(value as number) : value,
      ]),
    ) as unknown as Transaction
    const signer = localKey(key)
    assert.equal(signer.address, sender)
    const signed = signer.signTransaction(wanted)
    assert.equal(toHex(signed), raw)
    assert.equal(toHex(keccak256(signed)), hash)
    assert.notEqual(toHex(signedTransaction({ ...wanted, nonce: 1 }, signer.signDigest(keccak256(fromHex('00'))))), raw)
  })
}

test('a value that does not fit its type is a mistake of the caller', () => {
  assert.throws(() => encodeCall('f(uint32)', [2n ** 32n]), TypeError)
  assert.throws(() => encodeCall('f(address)', ['0x01']), TypeError)
  assert.throws(() => encodeCall('f(uint256)', [-1]), TypeError)
  assert.throws(() => encodeCall('f(bool)', []), TypeError)
})
