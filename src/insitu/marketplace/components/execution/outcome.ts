import type { ExecutionView } from 'insitu'
import { mark } from '../../elements/figures.js'

/** Return what is going on, in a few words. */
export function goingOn({ phase, position, history, stages, reason }: ExecutionView): string {
  if (phase === 'Registered') return position > 0 ? `In the queue, number ${position}` : 'About to start'
  if (phase === 'Publishing' && reason) return 'Publishing takes another attempt'
  const stage = history.at(-1)?.stage
  if (stage === undefined || stage === null || stages.length < 2) return phase
  return `${phase} stage ${stage}${stage === stages.length - 1 ? ', the last' : ''}`
}

/** Return the outcome of an ended execution. */
export function outcomeMark(execution: ExecutionView): HTMLElement {
  const { phase, history } = execution
  if (phase === 'Succeeded') return mark('ok', 'Succeeded')
  if (phase === 'Stopped') return mark('off', isOwnStop(execution) ? 'Stopped by you' : 'Stopped')
  const where = history.filter(entry => entry.phase !== 'Failed').at(-1)?.phase
  return mark('no', where && where !== 'Registered' ? `Failed in ${where}` : 'Failed')
}

function isOwnStop({ role, reason }: ExecutionView): boolean {
  return role === 'consumer' && reason?.code === 'StoppedByConsumer'
}
