import { test } from 'node:test'
import { readComputeMain, readWorkflow, requireParameters, requireSamePurchase } from '../../src/domain/index.js'
import { refuses, vector } from './vector.js'

const KINDS = ['bought', 'servers', 'revisions', 'allowedParameters', 'parameters']
const { bought, servers, revisions, allowedParameters, parameters } = vector('revisions', ...KINDS)
const BOUGHT = readWorkflow(bought)
const service = readComputeMain({ timeout: 86400, provider: { environment: { supportedServers: servers } } })
const OFFERS = [{ service }, { service }]

function judged(act: () => void, code: string | undefined, pointer: string): void {
  if (code === undefined) act()
  else refuses(act, code, pointer)
}

for (const { name, revised, code, pointer } of revisions) {
  test(`revision: ${name}`, () =>
    judged(() => requireSamePurchase(BOUGHT, readWorkflow(revised), OFFERS), code, pointer))
}

for (const { name, parameters: given, code, pointer } of parameters) {
  test(`parameters: ${name}`, () => judged(() => requireParameters(BOUGHT, given, allowedParameters), code, pointer))
}
