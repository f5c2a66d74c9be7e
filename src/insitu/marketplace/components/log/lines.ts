import type { LogView } from 'insitu'

/** A line that a stage printed, or what the provider says about the log. */
export interface Line {
  readonly stage: number
  readonly text: string
  readonly notice?: boolean
}

/** Characters after which a line without an end is shown as a line. */
const LONGEST = 65_536
/** Lines that a page holds; a log of line ends alone would have millions. */
const MOST = 500_000
const NO_MORE = 'this page shows no more lines; “insitu logs” shows all of them'

/** Joins pieces of a log to lines. A piece that came before is ignored, so a stream may be read again from anywhere. */
export class LogLines {
  readonly lines: Line[] = []
  #open = ''
  #stage = -1
  #attempt = -1
  #offset = -1

  /** Add a piece, and return how many lines it completed. */
  add({ stage, attempt, offset, text, notice }: LogView): number {
    const before = this.lines.length
    if (notice) {
      this.finish()
      this.#push({ stage, text: text.trim(), notice })
      return this.lines.length - before
    }
    if (stage < this.#stage || (stage === this.#stage && attempt < this.#attempt)) return 0
    if (stage !== this.#stage || attempt !== this.#attempt) this.#begin(stage, attempt)
    else if (offset <= this.#offset) return 0
    this.#offset = offset
    const [first = '', ...rest] = text.split('\n')
    this.#open += first
    for (const next of rest) {
      this.#close()
      this.#open = next
    }
    while (this.#open.length > LONGEST) {
      this.#push({ stage, text: this.#open.slice(0, LONGEST) })
      this.#open = this.#open.slice(LONGEST)
    }
    return this.lines.length - before
  }

  /** Show an unfinished line as a line: nothing more will come. */
  finish(): void {
    if (this.#open !== '') this.#close()
  }

  #begin(stage: number, attempt: number): void {
    this.finish()
    const again = stage === this.#stage
    if (again) this.#push({ stage, text: `stage ${stage} began again, attempt ${attempt}`, notice: true })
    this.#stage = stage
    this.#attempt = attempt
    this.#offset = -1
  }

  /** A carriage return goes back to the start of a line: what stands there at last counts. */
  #close(): void {
    const text = this.#open.replace(/\r+$/, '')
    this.#push({ stage: this.#stage, text: text.slice(text.lastIndexOf('\r') + 1) })
    this.#open = ''
  }

  #push(line: Line): void {
    if (this.lines.length < MOST) this.lines.push(line)
    else if (this.lines.length === MOST) this.lines.push({ stage: line.stage, text: NO_MORE, notice: true })
  }
}

/** Return the positions of lines of a stage, or of all, that contain a text, whatever its case. */
export function matching(lines: readonly Line[], query: string, from = 0, stage?: number): number[] {
  const wanted = query.toLowerCase()
  const found: number[] = []
  for (let at = from; at < lines.length; at += 1) {
    const line = lines[at]
    if (line === undefined || (stage !== undefined && line.stage !== stage)) continue
    if (wanted === '' || line.text.toLowerCase().includes(wanted)) found.push(at)
  }
  return found
}
