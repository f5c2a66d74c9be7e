import * as abi from '../api/abi.gen.js'
import * as errors from '../api/errors.gen.js'
import { KNOWN_CONTRACTS, type KnownContracts } from '../api/known-contracts.gen.js'
import { fromHex, toHex } from '../domain/bytes.js'
import { keccak256 } from '../domain/canonical.js'
import { type Address, sameAddress } from '../domain/ids.js'
import { InsituError } from '../errors.js'
import { abortable } from './account.js'
import type { AgreementChain, AgreementContracts, TokenFacts } from './agreement-chain.js'

/** What a person is asked once for each chain: whether these are the contracts that they mean. */
export interface ContractsToConfirm extends AgreementContracts {
  readonly tokenFacts: TokenFacts
}

/** Answers whether contracts are trusted. Show the addresses to a person, and remember the answer. */
export type ConfirmContracts = (contracts: ContractsToConfirm) => boolean | Promise<boolean>

const WORD = 32

/** Return the contracts of this release's own list that these are, all of them, or undefined. */
export function knownContracts(contracts: AgreementContracts): KnownContracts | undefined {
  return KNOWN_CONTRACTS.find(known => {
    return (
      known.chainId === contracts.chainId &&
      sameAddress(known.registry, contracts.registry) &&
      sameAddress(known.template, contracts.template) &&
      sameAddress(known.token, contracts.token)
    )
  })
}

/**
 * Refuse contracts that are not ours, are not wired to each other, or that nobody named or confirmed. Nothing is signed
 * before.
 *
 * @param known - the caller named registry and template, or the SDK's own list has them
 * @throws InsituError `ContractMismatch`, `TemplateNotApproved`, `ChainUnavailable`
 */
export async function requireTrusted(
  chain: AgreementChain,
  known: boolean,
  confirm: ConfirmContracts | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const { registry, template, token } = chain.contracts
  await requireCode(chain, registry, abi.codeDIDRegistry, signal)
  await requireCode(chain, template, abi.codeServiceExecutionTemplate, signal)
  await requireWire(chain, abi.didRegistry, registry, signal)
  await requireWire(chain, abi.token, token, signal)
  const store = await wired(chain, abi.templateStore, signal)
  const [approved] = await chain.view(store, abi.isTemplateApproved, [template], signal)
  if (approved !== true) throw new InsituError(errors.TemplateNotApproved, `${template} is not approved by ${store}`)
  if (known) return
  const shown = { ...chain.contracts, tokenFacts: await chain.token(signal) }
  if (confirm && (await abortable(confirm(shown), signal)) === true) return
  const detail = `nobody has named or confirmed the contracts ${registry} and ${template} of chain ${chain.contracts.chainId}`
  throw new InsituError(errors.ContractMismatch, detail, {
    nextStep: 'Compare the addresses with those that you trust, and give them as contracts, or confirm them.',
  })
}

/** Compare the code at an address with the code of this release. */
async function requireCode(
  chain: AgreementChain,
  address: Address,
  expected: abi.ContractCode,
  signal?: AbortSignal,
): Promise<void> {
  const code = fromHex(await chain.code(address, signal))
  for (const start of expected.words) code.fill(0, start, start + WORD)
  const found = toHex(keccak256(code))
  if (found === expected.hash) return
  const detail = `the code of ${expected.contract} at ${address} hashes to ${found}, not ${expected.hash}`
  throw new InsituError(errors.ContractMismatch, detail)
}

async function requireWire(
  chain: AgreementChain,
  view: abi.AbiFunction,
  expected: Address,
  signal?: AbortSignal,
): Promise<void> {
  const found = await wired(chain, view, signal)
  if (sameAddress(found, expected)) return
  throw new InsituError(
    errors.ContractMismatch,
    `the template's ${view.signature.slice(0, -2)} is ${found}, not ${expected}`,
  )
}

async function wired(chain: AgreementChain, view: abi.AbiFunction, signal?: AbortSignal): Promise<Address> {
  const [found] = await chain.view(chain.contracts.template, view, [], signal)
  return String(found) as Address
}
