import * as errors from '../api/errors.gen.js'
import { InsituError, isInsituError } from '../errors.js'
import { escapePointer, isObject, type Json, type JsonObject } from './canonical.js'
import { type Address, readAddress } from './ids.js'
import { parseAmount } from './money.js'

/** Where a value is, and what happens if it cannot be read. */
export interface Place {
  /** A JSON pointer. */
  readonly pointer: string
  /** Judges an object before its members are read. */
  readonly judge?: (given: JsonObject, members: Members, place: Place) => void
  /** Reads a member or an item, and may keep what it throws, so that the others are read too. */
  readonly attempt?: <T>(read: () => T) => T
}

/** Reads a value, or throws `InvalidDocument` with its pointer. An absent member is undefined. */
export type Reader<T> = (value: Json | undefined, place: Place) => T

/** What a reader gives. */
export type Read<R> = R extends Reader<infer T> ? T : never

type Members = Readonly<Record<string, Reader<unknown>>>

/** An object's members as their readers give them. */
export type ReadMembers<M extends Members> = { readonly [name in keyof M]: Read<M[name]> }

/** Read a whole value. Throws `InvalidDocument` with a JSON pointer. */
export function readAs<T>(reader: Reader<T>, value: Json, pointer = ''): T {
  return reader(value, { pointer })
}

/** Read a whole value in which no member is unknown. Throws `InvalidDocument` with a JSON pointer. */
export function readStrictly<T>(reader: Reader<T>, value: Json): T {
  return reader(value, { pointer: '', judge: refuseUnknown })
}

function refuseUnknown(given: JsonObject, members: Members, { pointer }: Place): void {
  for (const name of Object.keys(given)) {
    const at = { pointer: `${pointer}/${escapePointer(name)}` }
    if (!Object.hasOwn(members, name)) refuse('nobody knows this member', at)
  }
}

/** Throw what a reader throws. */
export function refuse(message: string, { pointer }: Place, code = 'WrongType'): never {
  throw new InsituError(errors.InvalidDocument, message, { pointer, problems: [{ pointer, code, message }] })
}

/** Reads text. */
export const text: Reader<string> = (value, place) => {
  return typeof value === 'string' ? value : refuse('text is needed', place)
}

/** Reads text that must be there. */
export const neededText: Reader<string> = (value, place) => {
  return value === undefined ? refuse('it is needed', place, 'Required') : text(value, place)
}

/** Reads text that a pattern describes. */
export function matching<T extends string = string>(pattern: RegExp, what: string): Reader<T> {
  return (value, place) => {
    return typeof value === 'string' && pattern.test(value) ? (value as T) : refuse(`${what} is needed`, place)
  }
}

/** Reads one of a few texts. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value, place) => {
    return allowed.find(text => text === value) ?? refuse(`one of ${allowed.join(', ')} is needed`, place)
  }
}

/** Reads a whole number within bounds; both belong to it. */
export function integer(least = 0, most = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, place) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
    return refuse(`a whole number from ${least} to ${most} is needed`, place)
  }
}

/** Reads any number. */
export const decimal: Reader<number> = (value, place) => {
  return typeof value === 'number' ? value : refuse('a number is needed', place)
}

/** Reads an amount of a document in base units: text of digits, or a whole number. */
export const documentAmount: Reader<bigint> = (value, place) => {
  try {
    return parseAmount(value)
  } catch (error) {
    return refuse(isInsituError(error) ? error.detail : 'an amount is needed', place, 'WrongFormat')
  }
}

/** Reads an amount up to 2^256 - 1, in base units: text of digits. */
export const wireAmount: Reader<bigint> = (value, place) => {
  const amount = typeof value === 'string' && /^[0-9]{1,78}$/.test(value) ? BigInt(value) : -1n
  return amount >= 0n && amount < 1n << 256n ? amount : refuse('text of digits is needed, in base units', place)
}

/** Reads an address in any case; it becomes EIP-55. */
export const address: Reader<Address> = (value, place) => {
  const digits = text(value, place)
  return /^0x[0-9a-fA-F]{40}$/.test(digits) ? readAddress(digits) : refuse('an address is needed', place, 'WrongFormat')
}

/** Reads true or false. */
export const flag: Reader<boolean> = (value, place) => {
  return typeof value === 'boolean' ? value : refuse('true or false is needed', place)
}

/** Reads text, a number, or true or false. */
export const scalar: Reader<string | number | boolean> = (value, place) => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return refuse('text, a number, or true or false is needed', place)
}

/** Reads any JSON object, as it is. */
export const anyObject: Reader<JsonObject> = (value, place) => {
  return isObject(value) ? value : refuse('an object is needed', place)
}

/** Reads anything, as it is. */
export const anything: Reader<Json | undefined> = value => value

/** Reads nothing but null, for members that are reserved. */
export const nothing: Reader<undefined> = (value, place) => {
  return value === undefined || value === null ? undefined : refuse('nothing is allowed here yet', place)
}

/** Reads a value that may be absent or null. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, place) => (value === undefined || value === null ? undefined : reader(value, place))
}

/** Reads a value that may be absent: then the other one counts. Null is not absent. */
export function withDefault<T>(reader: Reader<T>, instead: NoInfer<T>): Reader<T> {
  return (value, place) => (value === undefined ? instead : reader(value, place))
}

/** Reads a list. */
export function list<T>(reader: Reader<T>, least = 0, most = Number.MAX_SAFE_INTEGER): Reader<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return refuse('a list is needed', place)
    if (value.length < least || value.length > most) return refuse(`from ${least} to ${most} entries are needed`, place)
    return value.map((item: Json, at) => below(reader, item, place, at))
  }
}

/** Reads an object whose members are all alike. */
export function record<T>(reader: Reader<T>): Reader<Readonly<Record<string, T>>> {
  return (value, place) => {
    const members = Object.entries(anyObject(value, place))
    return Object.fromEntries(members.map(([name, member]) => [name, below(reader, member, place, name)]))
  }
}

/**
 * Reads an object with these members.
 *
 * @param aliases - other names of members, as older documents have them
 */
export function object<M extends Members>(
  members: M,
  aliases: Readonly<Record<string, string>> = {},
): Reader<ReadMembers<M>> {
  return (value, place) => {
    const given = anyObject(value, place)
    place.judge?.(given, members, place)
    const read = Object.entries(members).map(([name, reader]) => {
      const named = Object.hasOwn(given, name) ? name : (aliases[name] ?? name)
      return [name, below(reader, Object.hasOwn(given, named) ? given[named] : undefined, place, named)]
    })
    return Object.fromEntries(read) as ReadMembers<M>
  }
}

function below<T>(reader: Reader<T>, value: Json | undefined, place: Place, segment: string | number): T {
  const at = { ...place, pointer: `${place.pointer}/${escapePointer(String(segment))}` }
  return place.attempt ? place.attempt(() => reader(value, at)) : reader(value, at)
}
