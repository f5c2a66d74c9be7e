import type { AccountClient, CallControl } from 'insitu'

/** Publish a corrected script as the next version of an agreement's workflow, and return the checksum to run. */
export async function revised(
  _client: AccountClient,
  _agreement: string,
  _script: File,
  _control: CallControl,
): Promise<string> {
  throw new Error('not yet')
}
