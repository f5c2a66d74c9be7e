import { sha256 } from '@noble/hashes/sha2.js'
import * as errors from '../api/errors.gen.js'
import type { components } from '../api/gateway.gen.js'
import { digitsOf } from '../domain/bytes.js'
import { firstCollision, pathProblem } from '../domain/file-names.js'
import type { AgreementId, ExecutionId } from '../domain/ids.js'
import type { FileDigest } from '../domain/merkle.js'
import { type Opening, readOpening } from '../domain/receipt-opening.js'
import { sha256Of } from '../domain/service.js'
import { anything, integer, list, object, type Read, text } from '../domain/shape.js'
import { InsituError } from '../errors.js'
import type { CallControl } from './account.js'
import type { GatewayClient } from './gateway.js'
import { type EventView, type ExecutionView, executionView, readEvent, serverEvents } from './lists.js'

type Schemas = components['schemas']

/** A piece of what a stage printed. */
export type LogView = Schemas['LogView']

/** The signed receipt as the gateway sends it: verify it before you rely on what it says. */
export type ReceiptView = Schemas['ReceiptView']

/** What one stream brings. Give `id` as `after` to go on behind it, in another page or process. */
export type Happened =
  | { readonly kind: 'event'; readonly id: string | undefined; readonly event: EventView }
  | { readonly kind: 'log'; readonly id: string | undefined; readonly log: LogView }

/** How a stream is read. */
export interface StreamOptions extends CallControl {
  /** Resume behind this id of an earlier stream. */
  readonly after?: string | undefined
}

const RESULT = /* @__PURE__ */ (() => {
  const file = object({ index: integer(), name: text, contentType: text, contentLength: integer(), checksum: text })
  return object({ did: text, files: list(file), expiresAt: text })
})()

/** The result of an execution: an asset, and files that are kept for a time. */
export interface ExecutionResult {
  readonly did: string
  readonly files: readonly ResultFile[]
  /** When the files are deleted, as the gateway writes times. */
  readonly expiresAt: string
}

/** Which files are downloaded. */
export interface DownloadOptions extends CallControl {
  /** Their indices; all files if it is left out. */
  readonly only?: readonly number[] | undefined
}

/** A file of a result. Its name is a safe relative path. */
export interface ResultFile extends FileDigest {
  readonly index: number
  readonly contentType: string
}

/** A file as it arrives. Reading `content` to its end proves it: it breaks with `ChecksumMismatch` otherwise. */
export interface IncomingFile extends ResultFile {
  readonly content: ReadableStream<Uint8Array>
}

/** An execution at a gateway. The two ids are all of it, so it can be made again at any time, from anywhere. */
export class Execution {
  readonly agreementId: AgreementId
  readonly executionId: ExecutionId
  readonly #gateway: GatewayClient

  constructor(gateway: GatewayClient, agreementId: AgreementId, executionId: ExecutionId) {
    this.#gateway = gateway
    this.agreementId = agreementId
    this.executionId = executionId
  }

  /** Return where it stands, and why. Throws `ExecutionUnknown`, `NotConsumer`, `RejectedByUser` from the sign-in. */
  async status(control: CallControl = {}): Promise<ExecutionView> {
    return this.#gateway.call(executionView, 'GET', this.#path('status'), control)
  }

  /** Stop it. An ended execution stays as it is. Throws like `status`. */
  async stop(control: CallControl = {}): Promise<ExecutionView> {
    const path = `/compute/${this.agreementId}/${this.executionId}`
    return this.#gateway.call(executionView, 'DELETE', path, control)
  }

  /**
   * Yield its events and what its stages print as it happens, in one stream, until it ends. It resumes by itself after a
   * broken connection; leaving the loop closes it. There is no log in it if an owner's policy does not show logs.
   *
   * @throws InsituError `PeerUnavailable` if the gateway stays away, what it refuses with; the reason of the signal
   */
  async *stream(options: StreamOptions = {}): AsyncGenerator<Happened, void, undefined> {
    for await (const { event, data, id } of serverEvents(this.#gateway, this.#path('stream'), options)) {
      if (event === 'end') return
      const value = readEvent(data)
      if (event === 'log') yield { kind: 'log', id, log: value as unknown as LogView }
      else yield { kind: 'event', id, event: value as unknown as EventView }
    }
  }

  /** Yield its events until it ends. Throws like `stream`. */
  async *events(options: StreamOptions = {}): AsyncGenerator<EventView, void, undefined> {
    for await (const happened of this.stream(options)) if (happened.kind === 'event') yield happened.event
  }

  /** Yield what its stages print until it ends. Throws like `stream`. */
  async *logs(options: StreamOptions = {}): AsyncGenerator<LogView, void, undefined> {
    for await (const happened of this.stream(options)) if (happened.kind === 'log') yield happened.log
  }

  /** Return its status once it has ended and everything after that is done. Throws like `stream`. */
  async wait(options: CallControl = {}): Promise<ExecutionView> {
    for await (const _ of this.stream(options));
    return this.status(options)
  }

  /** Return its result, and until when the files are kept. Throws what `files` throws. */
  async result(control: CallControl = {}): Promise<ExecutionResult> {
    const { did, files, expiresAt } = await this.#gateway.call(RESULT, 'GET', this.#path('result'), control)
    return { did, files: readFiles(files), expiresAt }
  }

  /**
   * List the files of its result.
   *
   * @throws InsituError `ExecutionNotEnded`, `NoResult`, `ResultExpired`, and `InvalidDocument` for a name that is unsafe or
   * the same as another one on some system
   */
  async files(control: CallControl = {}): Promise<readonly ResultFile[]> {
    return (await this.result(control)).files
  }

  /**
   * Yield the files of its result, each as a stream that is hashed while it flows. Read each to its end, or leave the loop.
   *
   * @throws InsituError what `files` throws, `DownloadNotAllowed`
   */
  async *download({ only, ...control }: DownloadOptions = {}): AsyncGenerator<IncomingFile, void, undefined> {
    const { did, files } = await this.result(control)
    for (const file of files.filter(({ index }) => only === undefined || only.includes(index))) {
      const { body } = await this.#gateway.file(`/download/${did}/${file.index}`, control)
      const content = hashed(body ?? new Blob([]).stream(), file)
      try {
        yield { ...file, content }
      } finally {
        if (!content.locked) await content.cancel().catch(() => undefined)
      }
    }
  }

  /**
   * Return the signed receipt and what releases the payment. Verify it with `client.verify`.
   *
   * @throws InsituError `ExecutionNotEnded`, what `status` throws
   */
  async receipt(control: CallControl = {}): Promise<ReceiptView> {
    return this.#gateway.view('GET', this.#path('receipt'), control)
  }

  /**
   * Return what the receipt's salted hashes stand for, for an owner of an input or the provider.
   *
   * @throws InsituError `NotConsumer` for anyone else, `ExecutionNotEnded`, `InvalidDocument`
   */
  async opening(control: CallControl = {}): Promise<Opening> {
    return readOpening(await this.#gateway.call(anything, 'GET', this.#path('opening'), control))
  }

  #path(what: string): string {
    return `/compute/${what}/${this.agreementId}/${this.executionId}`
  }
}

function readFiles(files: Read<typeof RESULT>['files']): readonly ResultFile[] {
  const unsafe = (detail: string) => new InsituError(errors.InvalidDocument, detail)
  for (const { name } of files) {
    const problem = pathProblem(name)
    if (problem !== undefined) throw unsafe(`the name ${JSON.stringify(name.slice(0, 80))} ${problem}`)
  }
  const same = firstCollision(files.map(file => file.name))
  if (same !== undefined) throw unsafe(`${same[0]} and ${same[1]} are the same file on some system`)
  return files.map(({ index, name, contentType, contentLength: size, checksum }) => {
    const digits = sha256Of(checksum)
    if (digits === undefined) throw unsafe(`the checksum of ${name} is not a SHA-256`)
    return { index, name, contentType, size, sha256: digits }
  })
}

/** Pass on bytes, and break at their end if they are not those that were promised, or as soon as there are too many. */
function hashed(content: ReadableStream<Uint8Array>, { name, size, sha256: wanted }: ResultFile) {
  const digest = sha256.create()
  let length = 0
  const differs = () => new InsituError(errors.ChecksumMismatch, `${name} differs from the published file`)
  return content.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        length += piece.length
        if (length > size) throw differs()
        digest.update(piece)
        controller.enqueue(piece)
      },
      flush() {
        if (length !== size || digitsOf(digest.digest()) !== wanted) throw differs()
      },
    }),
  )
}
