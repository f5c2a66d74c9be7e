/** Which contracts a person has confirmed, for each chain. */
import type { ContractsToConfirm } from 'insitu'
import { ask } from '../../elements/dialog.js'
import { type Addresses, contractsView } from './view.js'

const REMEMBERED = 'insitu.contracts.'
const NAMES = ['registry', 'template', 'token'] as const

/** Return whether the person means these contracts: as remembered, or as answered now. A yes is remembered. */
export async function confirmContracts(
  contracts: ContractsToConfirm,
  gateway: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const before = remembered(contracts.chainId)
  if (before !== undefined && NAMES.every(name => before[name] === contracts[name])) return true
  const isConfirmed = await ask<boolean>(
    'Confirm the contracts',
    question => {
      const actions = { yes: () => question.answer(true), no: () => question.answer(false) }
      question.show(...contractsView({ contracts, gateway, before }, actions))
      return undefined
    },
    signal,
  )
  const { registry, template, token } = contracts
  if (isConfirmed) localStorage.setItem(REMEMBERED + contracts.chainId, JSON.stringify({ registry, template, token }))
  return isConfirmed
}

function remembered(chainId: number): Addresses | undefined {
  try {
    const read = JSON.parse(localStorage.getItem(REMEMBERED + chainId) ?? 'null')
    return NAMES.every(name => typeof read?.[name] === 'string') ? read : undefined
  } catch {
    return undefined
  }
}
