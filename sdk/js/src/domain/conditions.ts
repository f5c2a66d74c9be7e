import { abiWord, selector } from './abi.js'
import { TERMS_MEMBERS } from './agreement.js'
import { concat, type Hex, toHex } from './bytes.js'
import { keccak256 } from './canonical.js'
import type { Address } from './ids.js'

/** The contract of every agreement. */
export const TEMPLATE = 'ServiceExecutionTemplate'

/** The handler of the template's own event: module and function. */
export const TEMPLATE_HANDLER = ['serviceExecutionTemplate', 'fulfillLockRewardCondition'] as const

/** The version of every handler. */
export const HANDLER_VERSION = '0.1'

const TERMS_TUPLE = /* @__PURE__ */ (() => `(${TERMS_MEMBERS.map(member => member.type).join(',')})`)()

/** The fixed part of a condition. */
export interface ConditionKind {
  readonly name: 'lockReward' | 'execCompute' | 'escrowReward'
  readonly contractName: string
  /** The ABI signature of its function `fulfill`. */
  readonly signature: string
  readonly parameters: readonly { readonly name: string; readonly type: string }[]
  /** Name of each event and who acts on it. */
  readonly events: readonly (readonly [name: string, actorType: string])[]
  readonly handler: readonly [moduleName: string, functionName: string]
}

/** The three conditions, in the order in which they are fulfilled and documents list them. */
export const CONDITIONS: readonly ConditionKind[] = /* @__PURE__ */ (() => [
  {
    name: 'lockReward',
    contractName: 'LockRewardCondition',
    signature: `fulfill(${TERMS_TUPLE},address,uint256)`,
    parameters: [
      { name: '_rewardAddress', type: 'address' },
      { name: '_amount', type: 'uint256' },
    ],
    events: [['Fulfilled', 'publisher']],
    handler: ['lockRewardCondition', 'fulfillServiceExecutionCondition'],
  },
  {
    name: 'execCompute',
    contractName: 'ComputeExecutionCondition',
    signature: `fulfill(${TERMS_TUPLE},bytes32,address)`,
    parameters: [
      { name: '_documentId', type: 'bytes32' },
      { name: '_grantee', type: 'address' },
    ],
    events: [
      ['Fulfilled', 'publisher'],
      ['TimedOut', 'consumer'],
    ],
    handler: ['execCompute', 'fulfillServiceExecutionCondition'],
  },
  {
    name: 'escrowReward',
    contractName: 'EscrowReward',
    signature: `fulfill(${TERMS_TUPLE},(uint32,uint128,bytes32,bool),bytes)`,
    parameters: [
      { name: '_amounts', type: 'uint256[]' },
      { name: '_receivers', type: 'address[]' },
      { name: '_sender', type: 'address' },
      { name: '_lockCondition', type: 'bytes32' },
      { name: '_releaseCondition', type: 'bytes32' },
    ],
    events: [['Fulfilled', 'publisher']],
    handler: ['escrowRewardCondition', 'verifyRewardTokens'],
  },
])()

/** Return the condition that a name means; the specification itself has two names for two of them. */
export function conditionName(name: string): string {
  if (name === 'serviceExecution') return 'execCompute'
  return name === 'releaseReward' ? 'escrowReward' : name
}

/** Return the key of a condition: `keccak256(abi.encode(templateId, controller, selector))`. */
export function conditionKey(template: Address, controller: Address, kind: Pick<ConditionKind, 'signature'>): Hex {
  const chosen = concat(selector(kind.signature), new Uint8Array(28))
  return toHex(keccak256(concat(abiWord(template), abiWord(controller), chosen)))
}

/**
 * Return the `serviceAgreementTemplate` that a publisher writes into a compute service.
 *
 * @param contract - the ServiceExecutionTemplate; also the controller of each condition
 * @param price - of the service, in base units
 */
export function agreementTemplate(contract: Address, chainId: number, price: bigint) {
  const values: Readonly<Record<string, string | readonly string[]>> = {
    _rewardAddress: contract,
    _amount: price.toString(),
    _amounts: [],
    _receivers: [],
  }
  return {
    contractName: TEMPLATE,
    contractAddress: contract,
    chainId,
    events: [event('AgreementCreated', 'consumer', TEMPLATE_HANDLER)],
    fulfillmentOrder: CONDITIONS.map(kind => `${kind.name}.fulfill`),
    fulfillmentOperator: 0,
    conditionDependency: { lockReward: [], execCompute: [], escrowReward: ['lockReward', 'execCompute'] },
    conditions: CONDITIONS.map(kind => ({
      name: kind.name,
      timelock: 0,
      timeout: 0,
      contractName: kind.contractName,
      functionName: 'fulfill',
      conditionKey: conditionKey(contract, contract, kind),
      parameters: kind.parameters.map(({ name, type }) => ({ name, type, value: values[name] ?? '' })),
      events: kind.events.map(([name, actorType]) => event(name, actorType, kind.handler)),
    })),
  }
}

function event(name: string, actorType: string, [moduleName, functionName]: readonly [string, string]) {
  return { name, actorType, handler: { moduleName, functionName, version: HANDLER_VERSION } }
}
