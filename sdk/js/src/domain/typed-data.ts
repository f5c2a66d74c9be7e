import { abiWord } from './abi.js'
import { concat, utf8 } from './bytes.js'
import { keccak256 } from './canonical.js'
import type { Address } from './ids.js'

/** A member of a struct: its name and its type, as wallets want them. */
export interface TypedMember {
  readonly name: string
  readonly type: string
}

/** Structs by name, each with its members in order. */
export type TypedStructs = Readonly<Record<string, readonly TypedMember[]>>

/** The EIP-712 domain of a contract: a signature for it is worth nothing for another contract or chain. */
export interface SigningDomain {
  readonly name: string
  readonly version: string
  readonly chainId: number
  readonly verifyingContract: Address
}

/** What an account signs for one contract on one chain (EIP-712): what a wallet shows, and what is hashed. */
export interface TypedData {
  readonly domain: SigningDomain
  readonly types: TypedStructs
  readonly primaryType: string
  readonly message: Readonly<Record<string, unknown>>
}

const DOMAIN_TYPES: TypedStructs = {
  EIP712Domain: [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'verifyingContract', type: 'address' },
  ],
}

/** Return the members of a struct that is written as Solidity does: `bytes32 did,address consumer`. */
export function members(written: string): TypedMember[] {
  return written.split(',').map(member => {
    const [type = '', name = ''] = member.trim().split(' ')
    return { name, type }
  })
}

/** Return the signing domain of a contract of this system; all of them are of version 1. */
export function signingDomain(name: string, chainId: number, verifyingContract: Address): SigningDomain {
  return { name, version: '1', chainId, verifyingContract }
}

/**
 * Return a struct without others in it as typed data.
 *
 * @param written - its members as Solidity writes them
 * @throws TypeError if the message has other members than the struct
 */
export function statement(
  domain: SigningDomain,
  name: string,
  written: string,
  message: Readonly<Record<string, unknown>>,
): TypedData {
  const struct = members(written)
  const names = struct.map(member => member.name).sort()
  if (names.join() !== Object.keys(message).sort().join()) throw new TypeError(`${name} has the members ${written}`)
  return { domain, types: { [name]: struct }, primaryType: name, message }
}

/** Return the 32 bytes that the account signs. */
export function typedDataDigest(data: TypedData): Uint8Array {
  const struct = hashStruct(data.types, data.primaryType, data.message)
  return keccak256(concat(Uint8Array.of(0x19, 0x01), domainSeparator(data.domain), struct))
}

/** Return the 32 bytes of a domain's separator, as its contract states it. */
export function domainSeparator(domain: SigningDomain): Uint8Array {
  return hashStruct(DOMAIN_TYPES, 'EIP712Domain', { ...domain })
}

/** Return the text of `eth_signTypedData_v4`: wallets want the type of the domain too, and numbers as text. */
export function typedDataText(data: TypedData): string {
  const types = { ...DOMAIN_TYPES, ...data.types }
  return JSON.stringify({ ...data, types }, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  )
}

/** Return the type of a struct with those that it uses, as it is hashed: `Terms(bytes32 seed,…)`. */
export function encodeType(types: TypedStructs, name: string): string {
  const used = new Set<string>()
  collect(types, name, used)
  used.delete(name)
  return [name, ...[...used].sort()].map(struct => `${struct}(${writeStruct(types[struct] ?? [])})`).join('')
}

function writeStruct(struct: readonly TypedMember[]): string {
  return struct.map(member => `${member.type} ${member.name}`).join(',')
}

function collect(types: TypedStructs, name: string, used: Set<string>): void {
  if (used.has(name) || !types[name]) return
  used.add(name)
  for (const member of types[name]) collect(types, member.type.replace('[]', ''), used)
}

function hashStruct(types: TypedStructs, name: string, message: Readonly<Record<string, unknown>>): Uint8Array {
  const words = (types[name] ?? []).map(member => encodeMember(types, member.type, message[member.name]))
  return keccak256(concat(keccak256(utf8(encodeType(types, name))), ...words))
}

function encodeMember(types: TypedStructs, type: string, value: unknown): Uint8Array {
  if (type.endsWith('[]')) {
    const items = value as readonly unknown[]
    return keccak256(concat(...items.map(item => encodeMember(types, type.slice(0, -2), item))))
  }
  if (types[type]) return hashStruct(types, type, value as Record<string, unknown>)
  if (type === 'string') return keccak256(utf8(value as string))
  if (value === undefined) throw new TypeError(`a member of the type ${type} is missing`)
  return abiWord(value as string | bigint | number | boolean)
}
