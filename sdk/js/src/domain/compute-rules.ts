import { isInsituError } from '../errors.js'
import { MAX_TIMEOUT } from './agreement-times.js'
import { checkTime } from './asset-rules.js'
import { lengthOf } from './bytes.js'
import type { Checker } from './checker.js'
import {
  type ComputeService,
  completeMain,
  computeMain,
  type Server,
  serversOf,
  type Template,
  timesOf,
} from './compute-service.js'
import {
  CONDITIONS,
  type ConditionKind,
  conditionKey,
  conditionName,
  HANDLER_VERSION,
  TEMPLATE,
  TEMPLATE_HANDLER,
} from './conditions.js'
import { isDid } from './did.js'
import { typeProblem } from './file-types.js'
import { type Address, readAddress, sameAddress } from './ids.js'
import { FREE_FAILURE_LOG_BYTES, failuresAreFree, type Policy } from './policy.js'
import { type Service, sha256Of } from './service.js'
import { parseBytes, parseCores, parseCount } from './units.js'
import { checkContainer } from './workflow-rules.js'

/** The most servers, containers, or entries of a list in the policy of one service. */
const MOST_ENTRIES = 1000
const LONGEST_USE = 4096

/** Check a service of type compute. `checker` stands at its entry in the document. */
export function checkComputeService(entry: Service, checker: Checker): void {
  const main = checker.at('attributes', 'main')
  const offered = main.read(computeMain, completeMain(entry))
  if (offered === undefined) return
  if (offered.creator !== undefined) checkAddress(offered.creator, main.at('creator'))
  checkTime(offered.datePublished, main.at('datePublished'))
  main.at('price').require('price' in entry.main, 'Required', 'a compute service has a price, even if it is 0')
  checkSeconds(offered.timeout, 'timeout', main)
  checkEnvironment(offered, main.at('provider', 'environment'))
  checkPolicy(offered.policy, main.at('policy'))
  checkTemplate(entry, offered.serviceAgreementTemplate, main.at('serviceAgreementTemplate'))
  checkTimes(offered, main)
}

/**
 * Check what older documents may say and new ones may not.
 *
 * @param isHashed - the description of each file of the data set has its SHA-256
 * @param checker - stands at the service's entry in the document
 */
export function checkNewComputeService(entry: Service, isHashed: boolean, checker: Checker): void {
  const main = checker.at('attributes', 'main')
  const rules = main.read(computeMain, completeMain(entry))?.policy
  if (rules === undefined) return
  const at = main.at('policy')
  at.at('logs').require(
    rules.logs !== 'after_review',
    'ManualReviewNotSupported',
    'there is no review yet, so logs are live or none',
  )
  for (const pointer of rules.notUnderstood) {
    at.below(pointer).report('PolicyNotUnderstood', `this version of insitu cannot obey the rule ${pointer}`)
  }
  at.at('data').require(
    rules.data === 'newest' || isHashed,
    'Contradiction',
    'data can only be pinned if the description of each file has its SHA-256',
  )
  at.at('failures').require(
    rules.failures === 'charged' || failuresAreFree(rules),
    'Contradiction',
    `failures can only be free where logs are none, or maxLogBytes is at most ${FREE_FAILURE_LOG_BYTES}`,
  )
}

function checkSeconds(seconds: number, name: string, checker: Checker): void {
  const isInRange = seconds > 0 && seconds <= MAX_TIMEOUT
  checker.at(name).require(isInRange, 'OutOfRange', `${name} is 1 to ${MAX_TIMEOUT} seconds`)
}

/** Check that a list is not too long. */
function checkCount(entries: readonly unknown[], checker: Checker): boolean {
  return checker.require(entries.length <= MOST_ENTRIES, 'TooMany', `at most ${MOST_ENTRIES} entries`)
}

function checkEnvironment(offered: ComputeService, checker: Checker): void {
  const { supportedContainers: containers, supportedServers: servers } = offered.provider.environment
  const [atContainers, atServers] = [checker.at('supportedContainers'), checker.at('supportedServers')]
  if (!checkCount(containers, atContainers) || !checkCount(servers, atServers)) return
  containers.forEach((image, position) => {
    checkContainer(image, atContainers.at(position))
  })
  atServers.require(servers.length > 0, 'Required', 'at least one server is needed')
  const seen = new Set<string>()
  servers.forEach((server, position) => {
    const at = atServers.at(position)
    checkServer(server, at)
    if (server.serverId === undefined) return
    at.at('serverId').require(!seen.has(server.serverId), 'Duplicate', 'two servers have this id')
    seen.add(server.serverId)
  })
}

function checkServer(server: Server, checker: Checker): void {
  checker.at('serverId').require(!!server.serverId, 'Required', 'a server needs an id')
  const quantities = [
    ['cpu', parseCores, 1],
    ['gpu', parseCount, 0],
    ['memory', parseBytes, 1],
    ['disk', parseBytes, 1],
  ] as const
  for (const [name, parse, least] of quantities) {
    const at = checker.at(name)
    const quantity = at.attempt(() => parse(server[name]), 'WrongFormat')
    at.require(quantity === undefined || quantity >= least, 'OutOfRange', `at least ${least} is needed`)
  }
  checkSeconds(server.maxExecutionTime, 'maxExecutionTime', checker)
}

function checkPolicy(rules: Policy, checker: Checker): void {
  const algorithms = checker.at('algorithms')
  if (typeof rules.algorithms === 'object') {
    checkCount(rules.algorithms, algorithms)
    rules.algorithms.slice(0, MOST_ENTRIES).forEach(({ did, checksum }, position) => {
      const at = algorithms.at(position)
      at.at('did').require(isDid(did), 'InvalidDid', 'did:nv: and 64 hex digits')
      const isHash = sha256Of(checksum) !== undefined
      at.at('checksum').require(isHash, 'WrongFormat', 'the on-chain checksum: 64 hex digits')
    })
  } else {
    algorithms.require(
      rules.algorithms === undefined || rules.publishers.length === 0,
      'Contradiction',
      'allow any algorithm, or those of the named publishers, but not both',
    )
  }
  rules.output.types?.forEach((type, position) => {
    const problem = typeProblem(type)
    checker.at('output', 'types', position).require(problem === undefined, 'WrongFormat', problem ?? '')
  })
  checkCount(rules.publishers, checker.at('publishers'))
  if (typeof rules.consumers === 'object') checkCount(rules.consumers, checker.at('consumers'))
  checkCount(rules.parameters ?? [], checker.at('parameters'))
  checker.at('use').require(lengthOf(rules.use ?? '') <= LONGEST_USE, 'TooMany', `at most ${LONGEST_USE} characters`)
  checker
    .at('review')
    .require(rules.review === 'none', 'ManualReviewNotSupported', 'manual review is not available yet')
}

/** Check an account's address, and return it in the case of EIP-55. */
export function checkAddress(text: string, checker: Checker): Address | undefined {
  return checker.attempt(() => readAddress(text), 'WrongFormat')
}

function checkTemplate(entry: Service, template: Template | undefined, checker: Checker): void {
  if (template === undefined) {
    checker.report('Required', 'a compute service needs a serviceAgreementTemplate')
    return
  }
  const { contractName, chainId, fulfillmentOperator, contractAddress, conditions } = template
  checker.at('contractName').require(contractName === TEMPLATE, 'WrongValue', `${TEMPLATE} is needed`)
  checker.at('chainId').require((chainId ?? 0) > 0, 'Required', "the id of the contract's chain is needed")
  const operator = checker.at('fulfillmentOperator')
  operator.require((fulfillmentOperator ?? 0) === 0, 'WrongValue', '0: there is one terminal condition')
  const contract = checkAddress(contractAddress ?? '', checker.at('contractAddress'))
  const isSame = contract === undefined || sameAddress(entry.templateId ?? '', contract)
  checker.at('contractAddress').require(isSame, 'WrongValue', 'templateId and contractAddress differ')
  checkEvents(template.events, [['AgreementCreated', 'consumer']], checker.at('events'))
  checkOrder(template, checker)
  const at = checker.at('conditions')
  const areAll = conditions.length === CONDITIONS.length
  if (!at.require(areAll, 'WrongValue', 'the conditions are lockReward, execCompute, escrowReward')) return
  CONDITIONS.forEach((kind, position) => {
    const condition = conditions[position]
    if (condition !== undefined) checkCondition(condition, kind, contract, at.at(position))
  })
}

function checkOrder({ fulfillmentOrder, conditionDependency }: Template, checker: Checker): void {
  const order = fulfillmentOrder.map(step => conditionName(step.replace(/\.fulfill$/, '')))
  const names = CONDITIONS.map(kind => kind.name)
  checker
    .at('fulfillmentOrder')
    .require(same(order, names), 'WrongValue', 'lockReward, execCompute, escrowReward in this order')
  const stated = new Map(
    Object.entries(conditionDependency ?? {}).map(([name, others]) => [
      conditionName(name),
      others.map(conditionName).sort(),
    ]),
  )
  const [lock, compute, escrow] = names
  const expected = [
    [escrow, [compute, lock]],
    [compute, []],
    [lock, []],
  ]
  checker
    .at('conditionDependency')
    .require(
      same([...stated].sort(), expected),
      'WrongValue',
      'escrowReward depends on the other two, which depend on nothing',
    )
}

function checkCondition(
  condition: Template['conditions'][number],
  kind: ConditionKind,
  contract: Address | undefined,
  checker: Checker,
): void {
  const required = (name: string, holds: boolean, message: string): void => {
    checker.at(name).require(holds, 'WrongValue', message)
  }
  required('name', conditionName(condition.name ?? '') === kind.name, `the condition here is ${kind.name}`)
  required('contractName', condition.contractName === kind.contractName, `${kind.contractName} is needed`)
  required('functionName', condition.functionName === 'fulfill', 'fulfill is needed')
  checker.at('timelock').require(condition.timelock === 0, 'TimelockNotSupported', 'timelock must be 0')
  const stated = condition.parameters.map(({ name, type }) => ({ name, type }))
  required('parameters', same(stated, kind.parameters), "the parameters are not those of the contract's function")
  checkEvents(condition.events, kind.events, checker.at('events'))
  if (contract === undefined) return
  const key = conditionKey(contract, contract, kind)
  required('conditionKey', condition.conditionKey?.toLowerCase() === key, `the condition key is ${key}`)
}

function checkEvents(events: Template['events'], expected: ConditionKind['events'], checker: Checker): void {
  const stated = events.map(({ name, actorType }) => [name, actorType])
  checker.require(same(stated, expected), 'WrongValue', `the events and actors here are ${expected.join(' and ')}`)
  const known = [TEMPLATE_HANDLER, ...CONDITIONS.map(kind => kind.handler)]
  events.slice(0, MOST_ENTRIES).forEach(({ handler }, position) => {
    const { moduleName, functionName, version } = handler ?? {}
    const isKnown = version === HANDLER_VERSION && known.some(one => same(one, [moduleName, functionName]))
    checker.at(position, 'handler').require(isKnown, 'HandlerNotAllowed', 'the handler is not on the whitelist')
  })
}

function checkTimes(offered: ComputeService, main: Checker): void {
  const { timeout, serviceAgreementTemplate: template } = offered
  const isReported = timeout <= 0 || timeout > MAX_TIMEOUT || serversOf(offered).length === 0
  if (isReported || template?.conditions.some(condition => condition.timelock !== 0)) return
  try {
    timesOf(offered)
  } catch (error) {
    if (!isInsituError(error)) throw error
    main.below(error.pointer ?? '').report('OutOfRange', error.detail)
  }
}

/** Compare JSON values. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
