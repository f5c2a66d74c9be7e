import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERRORS, InsituError, isInsituError } from '../../src/domain/index.js'
import { type Case, vector } from './vector.js'

const { codes, removed } = vector('error-codes', 'codes', 'removed')

test('every code has its class and its HTTP status', () => {
  const told = Object.entries(ERRORS).map(([code, { kind, status }]) => [code, { class: kind, status }])
  assert.deepEqual(Object.fromEntries(told), codes)
})

test('removed codes are not used again', () => {
  for (const code of removed) assert.ok(!(code in ERRORS), code)
})

test('an error says its code, what to do next, and whether waiting helps', () => {
  const error = new InsituError(ERRORS.PeerUnavailable, 'nobody answers')
  const row = ERRORS.PeerUnavailable
  assert.equal(error.message, 'PeerUnavailable: nobody answers')
  assert.deepEqual([error.kind, error.nextStep, error.retry], [row.kind, row.nextStep, row.retry])
  assert.ok(isInsituError(error))
})

test('a code of a newer server is kept as it came', () => {
  const facts = { kind: 'Conflict', nextStep: 'Wait.', retry: true } as const
  const error = new InsituError('MoonIsFull', 'come back later', facts) as Case
  assert.deepEqual([error.code, error.kind, error.nextStep, error.retry], ['MoonIsFull', 'Conflict', 'Wait.', true])
})
