import * as errors from '../api/errors.gen.js'
import { InsituError } from '../errors.js'
import { type Address, readAddress } from './ids.js'

/** The longest message that is read. */
const MAX_MESSAGE = 8192

/** What a browser wallet shows and signs to sign in (ERC-4361). Times are those of RFC 3339, as they are written. */
export interface SignInMessage {
  /** The page that asks; without a scheme it is https. The wallet compares it with the page. */
  readonly scheme?: string | undefined
  readonly domain: string
  readonly address: Address
  readonly statement?: string | undefined
  /** The token endpoint of the gateway. */
  readonly uri: string
  readonly chainId: number
  /** 8 to 128 letters and digits. */
  readonly nonce: string
  readonly issuedAt: string
  /** At most 10 minutes later. */
  readonly expirationTime: string
  readonly notBefore?: string | undefined
  readonly requestId?: string | undefined
  /** The audiences that the session is for. */
  readonly resources: readonly string[]
}

/** Return the text that the wallet signs. */
export function renderSignInMessage(message: SignInMessage): string {
  const scheme = message.scheme === undefined ? '' : `${message.scheme}://`
  return [
    `${scheme}${message.domain} wants you to sign in with your Ethereum account:`,
    message.address,
    '',
    ...(message.statement === undefined ? [] : [message.statement]),
    '',
    `URI: ${message.uri}`,
    'Version: 1',
    `Chain ID: ${message.chainId}`,
    `Nonce: ${message.nonce}`,
    `Issued At: ${message.issuedAt}`,
    `Expiration Time: ${message.expirationTime}`,
    ...(message.notBefore === undefined ? [] : [`Not Before: ${message.notBefore}`]),
    ...(message.requestId === undefined ? [] : [`Request ID: ${message.requestId}`]),
    'Resources:',
    ...message.resources.map(resource => `- ${resource}`),
  ].join('\n')
}

const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`

const TEXT = /* @__PURE__ */ (() =>
  new RegExp(
    String.raw`^(?:(?<scheme>https?)://)?(?<domain>[A-Za-z0-9.:[\]-]+) wants you to sign in with your Ethereum account:\n` +
      String.raw`(?<address>0x[0-9a-fA-F]{40})\n\n(?:(?<statement>[ -~]+)\n)?\n` +
      String.raw`URI: (?<uri>[!-~]+)\nVersion: 1\nChain ID: (?<chainId>\d{1,20})\nNonce: (?<nonce>[A-Za-z0-9]{8,128})\n` +
      String.raw`Issued At: (?<issuedAt>${TIME})\nExpiration Time: (?<expirationTime>${TIME})` +
      String.raw`(?:\nNot Before: (?<notBefore>${TIME}))?(?:\nRequest ID: (?<requestId>[!-~]*))?` +
      String.raw`\nResources:(?<resources>(?:\n- [!-~]+)+)$`,
  ))()

/** Read a message. Throws `InvalidToken` for any text that is not exactly what its own fields render to. */
export function readSignInMessage(text: string): SignInMessage {
  const fields = text.length <= MAX_MESSAGE ? TEXT.exec(text)?.groups : undefined
  if (fields === undefined) {
    throw new InsituError(errors.InvalidToken, 'the message is not one of ERC-4361 with both times and Resources')
  }
  const { scheme, domain = '', statement, uri = '', nonce = '', issuedAt = '', expirationTime = '' } = fields
  const { notBefore, requestId, resources = '', address = '', chainId } = fields
  for (const time of [issuedAt, expirationTime, notBefore]) requireTime(time)
  const message: SignInMessage = {
    ...{ scheme, domain, statement, uri, nonce, issuedAt, expirationTime, notBefore, requestId },
    address: readAddress(address),
    chainId: Number(chainId),
    resources: resources.split('\n- ').slice(1),
  }
  if (renderSignInMessage(message) === text) return message
  throw new InsituError(errors.InvalidToken, 'the message is not in its canonical form (EIP-55 address, plain numbers)')
}

function requireTime(time: string | undefined): void {
  if (time !== undefined && Number.isNaN(Date.parse(time)))
    throw new InsituError(errors.InvalidToken, `${time} is not a time`)
}
