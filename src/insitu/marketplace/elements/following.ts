/** The stream of all executions of an account, however often the connection breaks. */
import type { AccountClient, EventView } from 'insitu'
import { isInsituError } from 'insitu/domain'
import { pause } from './personal.js'

/** Milliseconds after which a provider that is away is asked again. */
const AGAIN = 3000

/** What somebody does who follows. */
export interface Follower {
  /** The stream is open: what is asked for now misses nothing. */
  began(): Promise<void>
  happened(event: EventView): Promise<void>
  /** The provider went away, and why, or came back. */
  away(isAway: boolean, error?: unknown): void
}

/** Follow until the signal says stop. Throws what another connection cannot help. */
export async function followAll(client: AccountClient, follower: Follower, signal: AbortSignal): Promise<void> {
  let after: string | undefined
  while (!signal.aborted) {
    try {
      for await (const happened of client.events({ signal, after })) {
        follower.away(false)
        if (happened.kind === 'begin' && after === undefined) await follower.began()
        if (happened.kind === 'event') await follower.happened(happened.event)
        after = happened.id ?? after
      }
    } catch (error) {
      if (signal.aborted || !isInsituError(error) || !error.retry) throw error
      follower.away(true, error)
      await pause(AGAIN, signal)
    }
  }
}
