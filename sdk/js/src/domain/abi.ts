import { concat, fromHex, toHex, utf8 } from './bytes.js'
import { keccak256 } from './canonical.js'

/** A value as contracts take it. Numbers are `bigint` or safe integers; bytes and addresses are hexadecimal text. */
export type AbiValue = string | bigint | number | boolean | readonly AbiValue[]

const WORD = 32

/**
 * Return a number, flag, address or bytes32 as one word of 32 bytes.
 *
 * @throws TypeError if the value does not fit
 */
export function abiWord(value: bigint | number | boolean | string): Uint8Array {
  if (typeof value === 'string') return padStart(fromHex(value))
  const number = BigInt(value)
  if (number < 0n || number >= 1n << 256n)
    throw new TypeError('a number of a contract is an integer from 0 to 2^256 - 1')
  return padStart(fromHex(number.toString(16).padStart(64, '0')))
}

function padStart(bytes: Uint8Array): Uint8Array {
  if (bytes.length > WORD) throw new TypeError(`${bytes.length} bytes do not fit in a word`)
  return concat(new Uint8Array(WORD - bytes.length), bytes)
}

function padEnd(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array(-bytes.length & (WORD - 1)))
}

/** Return the first 4 bytes of the Keccak-256 of a function's signature: what chooses it in a call. */
export function selector(signature: string): Uint8Array {
  return keccak256(utf8(signature)).slice(0, 4)
}

/**
 * Return the data of a call.
 *
 * @param signature - the function's, such as `refund((bytes32,address))`
 * @param values - its arguments in order
 */
export function encodeCall(signature: string, values: readonly AbiValue[]): Uint8Array {
  const types = typesOf(signature.slice(signature.indexOf('(')))
  return concat(selector(signature), encodeAbi(types, values))
}

/** Return `abi.encode` of values. Throws `TypeError` if their number or one of them does not fit its type. */
export function encodeAbi(types: readonly string[], values: readonly AbiValue[]): Uint8Array {
  if (types.length !== values.length) throw new TypeError(`${types.length} values are needed, not ${values.length}`)
  const parts = types.map((type, at) => ({ dynamic: isDynamic(type), bytes: encodeOne(type, values[at] ?? '') }))
  let offset = parts.reduce((length, part) => length + (part.dynamic ? WORD : part.bytes.length), 0)
  const heads: Uint8Array[] = []
  const tails: Uint8Array[] = []
  for (const part of parts) {
    heads.push(part.dynamic ? abiWord(offset) : part.bytes)
    if (!part.dynamic) continue
    tails.push(part.bytes)
    offset += part.bytes.length
  }
  return concat(...heads, ...tails)
}

function encodeOne(type: string, value: AbiValue): Uint8Array {
  if (type.endsWith('[]')) {
    const items = listOf(type, value)
    const encoded = encodeAbi(Array<string>(items.length).fill(type.slice(0, -2)), items)
    return concat(abiWord(items.length), encoded)
  }
  if (type.startsWith('(')) return encodeAbi(typesOf(type), listOf(type, value))
  if (type === 'string' || type === 'bytes') {
    if (typeof value !== 'string') throw new TypeError(`${type} is text`)
    const bytes = type === 'string' ? utf8(value) : fromHex(value)
    return concat(abiWord(bytes.length), padEnd(bytes))
  }
  return encodeWord(type, value)
}

function encodeWord(type: string, value: AbiValue): Uint8Array {
  if (type === 'bool' && typeof value === 'boolean') return abiWord(value)
  if (type === 'address' && typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value)) return abiWord(value)
  if (type === 'bytes32' && typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value)) return abiWord(value)
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1])
  if (
    bits &&
    (typeof value === 'bigint' || Number.isSafeInteger(value)) &&
    BigInt(value as bigint) < 1n << BigInt(bits)
  ) {
    return abiWord(value as bigint)
  }
  throw new TypeError(`a value does not fit the type ${type}`)
}

function listOf(type: string, value: AbiValue): readonly AbiValue[] {
  if (!Array.isArray(value)) throw new TypeError(`${type} is a list`)
  return value
}

function isDynamic(type: string): boolean {
  if (type.endsWith('[]') || type === 'string' || type === 'bytes') return true
  return type.startsWith('(') && typesOf(type).some(isDynamic)
}

/** Return the types between the outer brackets of `(bytes32,(uint32,bool),address[])`. */
export function typesOf(tuple: string): string[] {
  const found = ['']
  let depth = 0
  for (const character of tuple.slice(1, tuple.lastIndexOf(')'))) {
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
    if (character === ',' && depth === 0) found.push('')
    else found[found.length - 1] += character
  }
  return found.filter(type => type !== '')
}

/** What {@link decodeAbi} gives: numbers as `bigint`, bytes and addresses as hexadecimal text. */
export type AbiResult = string | bigint | boolean | readonly AbiResult[]

/** Read the answer of a call. Throws `TypeError` if it is not one of these types. */
export function decodeAbi(types: readonly string[], data: Uint8Array): AbiResult[] {
  let head = 0
  return types.map(type => {
    const at = head
    head += isDynamic(type) ? WORD : staticLength(type)
    return isDynamic(type) ? decodeOne(type, data.subarray(lengthAt(data, at))) : decodeOne(type, data.subarray(at))
  })
}

function staticLength(type: string): number {
  return type.startsWith('(') ? typesOf(type).reduce((length, member) => length + staticLength(member), 0) : WORD
}

function decodeOne(type: string, data: Uint8Array): AbiResult {
  if (type.endsWith('[]')) {
    const length = lengthAt(data, 0)
    if (length > data.length / WORD) cutOff()
    return decodeAbi(Array<string>(length).fill(type.slice(0, -2)), data.subarray(WORD))
  }
  if (type.startsWith('(')) return decodeAbi(typesOf(type), data)
  if (type === 'string' || type === 'bytes') {
    const bytes = data.subarray(WORD, WORD + lengthAt(data, 0))
    if (bytes.length !== lengthAt(data, 0)) cutOff()
    return type === 'string' ? new TextDecoder().decode(bytes) : toHex(bytes)
  }
  const word = wordAt(data, 0)
  if (type === 'bool') return word.some(byte => byte !== 0)
  if (type === 'address') return toHex(word.subarray(12))
  return type.startsWith('bytes') ? toHex(word) : BigInt(toHex(word))
}

function wordAt(data: Uint8Array, at: number): Uint8Array {
  const word = data.subarray(at, at + WORD)
  if (word.length !== WORD) cutOff()
  return word
}

function lengthAt(data: Uint8Array, at: number): number {
  const length = BigInt(toHex(wordAt(data, at)))
  if (length > BigInt(data.length)) cutOff()
  return Number(length)
}

function cutOff(): never {
  throw new TypeError('the answer of the contract is cut off')
}
