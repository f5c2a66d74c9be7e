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

const SENTENCES: Readonly<Record<string, string>> = {
  OutputRejected: 'The output breaks the owner’s rules, so nothing left.',
  AlgorithmFailed: 'The algorithm ended with an error.',
  TimeLimitExceeded: 'The time was over before the algorithm was done.',
  MemoryLimitExceeded: 'The algorithm needed more memory than the server has for it.',
  DiskLimitExceeded: 'The algorithm wrote more than the server has room for.',
  StoppedByConsumer: 'Its consumer stopped this run, so nothing left.',
  StoppedByOwner: 'An owner of the data stopped this run, so nothing left.',
  QueueTimeout: 'It waited too long in the queue, and never began.',
}

/** Return in a sentence why a run that has not succeeded let nothing out. */
export function whyNothingLeft({ phase, reason }: Pick<ExecutionView, 'phase' | 'reason'>): string {
  const otherwise = phase === 'Stopped' ? 'This run was stopped, so nothing left.' : 'This run failed, so nothing left.'
  return SENTENCES[reason?.code ?? ''] ?? otherwise
}
