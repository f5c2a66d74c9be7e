import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  computeServiceOf,
  conditionName,
  onchainChecksum,
  parseBytes,
  readComputeService,
  readDdo,
  serversOf,
} from '../../src/domain/index.js'
import { vectorText } from './vector.js'

const document = JSON.parse(vectorText('specification-compute-service'))

test("the specification's example of a compute service is read, and nothing of it is lost", () => {
  const ddo = readDdo(document)
  assert.deepEqual(ddo.json, document)
  assert.match(onchainChecksum(ddo), /^[0-9a-f]{64}$/)
  const compute = readComputeService(computeServiceOf(ddo, 2))
  assert.deepEqual([compute.price, compute.timeout], [10n, 86400])
  const servers = serversOf(compute)
  assert.deepEqual(
    servers.map(server => [server.serverId, server.serverType]),
    [
      ['1', 'xlsize'],
      ['2', 'medium'],
    ],
  )
  assert.deepEqual([servers[0]?.price, parseBytes(servers[0]?.memory)], [5n * 10n ** 18n, 128n * 10n ** 9n])
  const names = compute.serviceAgreementTemplate?.conditions.map(condition => conditionName(condition.name ?? ''))
  assert.deepEqual(names, ['lockReward', 'execCompute', 'escrowReward'])
})
