import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { checkMetadata, checkTime, filesOf, TIME_NEEDED } from './asset-rules.js'
import { canonicalJson, type Json } from './canonical.js'
import { Checker } from './checker.js'
import { checkAddress, checkComputeService, checkNewComputeService } from './compute-rules.js'
import { assetTypeOf, type Ddo, mainOf } from './ddo.js'
import { isDid } from './did.js'
import { type Service, sha256Of } from './service.js'
import { isDocumentTime } from './timestamps.js'
import { checkIndex } from './workflow-rules.js'

const MOST_SERVICES = 100
const MOST_KEYS = 20
const LONGEST_URL = 2048
/** Enough for 10,000 files with their sealed list. */
const MOST_BYTES = 8 * 1024 * 1024

/** How a document is judged. */
export interface ValidateOptions {
  /** The publisher wants a data set that nobody can compute on. */
  readonly withoutCompute?: boolean | undefined
  /** The document is being published now, so it must not use what only older documents may. */
  readonly isNew?: boolean | undefined
}

/**
 * Refuse a document that breaks a rule of the specification. Only form and meaning are judged here; `creatorOf`,
 * `verifyChecksum` and `signedProof` judge who made it.
 *
 * @throws InsituError `InvalidDocument` with a pointer and a code for each problem; if all break one rule that is in the
 * error table (`StageOrder`, `NoComputeService`, …), the error has that code instead
 */
export function validateDdo(ddo: Ddo, options: ValidateOptions = {}): void {
  const checker = new Checker()
  checkDdo(ddo, checker, options.withoutCompute ?? false)
  checker.throwIfAny()
  if (options.isNew) {
    const isHashed = filesOf(mainOf(ddo)).every(file => sha256Of(file.checksum) !== undefined)
    ddo.service.forEach((entry, position) => {
      if (entry.type === 'compute') checkNewComputeService(entry, isHashed, checker.at('service', position))
    })
    checker.throwIfAny()
  }
  // Last, because it is expensive: a document with thousands of stages is refused for their number.
  const size = canonicalJson(ddo.json).length
  if (size > MOST_BYTES) {
    const detail = `${size} bytes, but at most ${MOST_BYTES} are read`
    throw new InsituError(errors.InvalidDocument, detail, { pointer: '' })
  }
}

function checkDdo(ddo: Ddo, checker: Checker, withoutCompute: boolean): void {
  const context = '@context' in ddo.json ? ddo.json['@context'] : ddo.json['context']
  checker.at('@context').require(!isEmpty(context), 'Required', 'the JSON-LD context is needed')
  checker.at('id').require(isDid(ddo.id), 'InvalidDid', expectedDid(ddo.id ?? ''))
  checker.at('created').require(isDocumentTime(ddo.created), 'WrongFormat', TIME_NEEDED)
  checkTime(ddo.updated, checker.at('updated'))
  checkKeys(ddo, checker.at('publicKey'))
  checkProof(ddo, checker.at('proof'))
  const services = checker.at('service')
  const areFew = ddo.service.length <= MOST_SERVICES
  if (!services.require(areFew, 'TooMany', `at most ${MOST_SERVICES} services`)) return
  const ofType = (type: string) => ddo.service.filter(entry => entry.type === type).length
  services.require(ofType('metadata') === 1, 'Required', 'exactly one metadata service')
  ddo.service.forEach((entry, position) => {
    checkService(entry, ddo.service.slice(0, position), ddo, services.at(position))
  })
  const needsCompute = assetTypeOf(ddo) === 'dataset' && !withoutCompute
  const message = 'the data set offers no compute service'
  services.require(!needsCompute || ofType('compute') > 0, 'NoComputeService', message)
}

function expectedDid(text: string): string {
  const wanted = 'did:nv: and 64 lower-case hex digits'
  if (!text.startsWith('did:op:')) return wanted
  return `${wanted}; did:op: is the older method, of Ocean Protocol: publish it again to get a current DID`
}

function checkKeys({ publicKey }: Ddo, checker: Checker): void {
  const hasSome = publicKey.length > 0 && publicKey.length <= MOST_KEYS
  checker.require(hasSome, 'Required', `the publisher's public key is needed; at most ${MOST_KEYS}`)
  publicKey.slice(0, MOST_KEYS).forEach((key, position) => {
    checkAddress(key.owner ?? '', checker.at(position, 'owner'))
    checker.at(position, 'type').require(!!key.type, 'Required', 'the type of the key is needed')
  })
}

function checkProof({ proof, service }: Ddo, checker: Checker): void {
  if (proof === undefined) {
    checker.report('Required', "the publisher's proof is needed")
    return
  }
  checker.at('type').require(!!proof.type, 'Required', 'the type of the proof is needed')
  checker.at('created').require(isDocumentTime(proof.created), 'WrongFormat', TIME_NEEDED)
  checkAddress(proof.creator ?? '', checker.at('creator'))
  const stated = Object.keys(proof.checksum ?? {})
  const expected = new Set(service.flatMap(entry => (entry.index === undefined ? [] : String(entry.index))))
  const isComplete = stated.length === expected.size && stated.every(index => expected.has(index))
  checker.at('checksum').require(isComplete, 'Required', 'one checksum per service index, and no other')
}

function checkService(entry: Service, earlier: readonly Service[], ddo: Ddo, checker: Checker): void {
  if (isEmpty(entry.json)) {
    checker.report('EmptyService', 'a service without any member')
    return
  }
  const indices = earlier.map(other => other.index)
  checkIndex(entry.index, indices, checker.at('index'))
  checker.at('type').require(!!entry.type, 'Required', 'a service needs a type')
  const isUrl = isHttpUrl(entry.serviceEndpoint ?? '')
  checker.at('serviceEndpoint').require(isUrl, 'WrongFormat', 'an absolute http or https URL is needed')
  const main = checker.at('attributes', 'main')
  main.require(!isEmpty(entry.main), 'Required', 'a service needs attributes.main')
  const hasDid = isDid(ddo.id) && JSON.stringify(entry.main).includes(ddo.id)
  main.require(!hasDid, 'DidInMain', 'main cannot contain the DID, which is derived from it')
  if (entry.type === 'metadata') checkMetadata(entry, checker)
  if (entry.type === 'compute') checkComputeService(entry, checker)
}

/** Return whether a text is an absolute URL of ASCII with http or https and a host, without user, password or blanks. */
export function isHttpUrl(text: string): boolean {
  const match = /^https?:\/\/(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?(?:[/?#][!-~]*)?$/i.exec(text)
  const port = Number(match?.[1] ?? 80)
  return match !== null && text.length <= LONGEST_URL && port > 0 && port < 2 ** 16
}

/** Return whether a value says nothing: null, false, 0, or something without members, items or characters. */
function isEmpty(value: Json | undefined): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : !value
}
