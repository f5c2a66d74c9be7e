import type { Execution, ResultFile } from 'insitu'

/** Bytes of a file that are held before the browser takes them over, which may put them on disk. */
const HELD = 4 * 1024 * 1024

/** Fetches files of a result. Each is hashed while it flows, and one that differs is not handed out. */
export class Downloads {
  readonly #execution: Execution
  readonly #whole = new Map<number, Blob>()

  constructor(execution: Execution) {
    this.#execution = execution
  }

  /**
   * Fetch a file; one that came whole before is not fetched again.
   *
   * @throws InsituError `ChecksumMismatch`, what `Execution.download` throws
   */
  async fetch(file: ResultFile, onReceived: (bytes: number) => void, signal: AbortSignal): Promise<Blob> {
    const known = this.#whole.get(file.index)
    if (known !== undefined) return known
    for await (const incoming of this.#execution.download({ only: [file.index], signal })) {
      const content = await collected(incoming.content, onReceived)
      this.#whole.set(file.index, content)
      return content
    }
    throw new TypeError(`the result has no file ${file.index}`)
  }
}

async function collected(content: ReadableStream<Uint8Array>, onReceived: (bytes: number) => void): Promise<Blob> {
  const parts: BlobPart[] = []
  let [held, length, received]: [BlobPart[], number, number] = [[], 0, 0]
  const reader = content.getReader()
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    held.push(piece.value as Uint8Array<ArrayBuffer>)
    length += piece.value.length
    received += piece.value.length
    if (length < HELD) continue
    parts.push(new Blob(held))
    held = []
    length = 0
    onReceived(received)
  }
  return new Blob([...parts, ...held])
}
