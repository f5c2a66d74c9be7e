import type { ExecutionView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { a, awayNote, b, button, div, p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import { address } from '../../elements/words.js'
import { executionsTable } from '../agreement/view.js'

/** All that the list of executions shows. */
export interface ExecutionsState {
  readonly address: string
  /** Undefined until the first answer. */
  readonly executions: readonly ExecutionView[] | undefined
  readonly hasMore: boolean
  readonly isAway?: boolean
  readonly error?: unknown
}

/** Return what an account ran, newest first. */
export function executionsView({
  address: account,
  executions,
  hasMore,
  isAway,
  error,
}: ExecutionsState): readonly Child[] {
  return [
    h('h1', {}, 'Executions'),
    p('text', 'What you ran, newest first. The list follows what happens, without a reload. ', address(account)),
    error !== undefined && problemNote(error),
    isAway && awayNote(),
    executions === undefined &&
      error === undefined &&
      h('p', { class: 'text soft', role: 'status' }, 'Asking the provider…'),
    executions?.length === 0 &&
      div(
        'note',
        p('', b('This account has not run anything yet.')),
        p('', a('/search', 'Find data'), ', or run what you ', a('/agreements', 'bought'), '.'),
      ),
    executions !== undefined && executions.length > 0 && executionsTable(executions, true),
    hasMore && p('', button('btn', 'more', 'Show older runs')),
  ]
}
