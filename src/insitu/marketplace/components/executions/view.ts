import type { ExecutionView } from 'insitu'
import { type Child, h } from '../../elements/dom.js'
import { type Listed, missingNotes } from '../../elements/lists.js'
import { a, b, button, div, p } from '../../elements/parts.js'
import { problemNote } from '../../elements/problem.js'
import { address } from '../../elements/words.js'
import { executionsTable } from '../agreement/view.js'

/** All that the list of executions shows. */
export interface ExecutionsState extends Listed<ExecutionView> {
  readonly address: string
  readonly error?: unknown
}

/** Return what an account ran, newest first. */
export function executionsView(state: ExecutionsState): readonly Child[] {
  const { address: account, items: executions, hasMore, error } = state
  return [
    h('h1', {}, 'Executions'),
    p('text', 'What you ran, newest first. The list follows what happens, without a reload. ', address(account)),
    error !== undefined && problemNote(error),
    missingNotes(state),
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
