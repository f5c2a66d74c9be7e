import { isInsituError } from '../errors.js'

/** Wait for a call, and return undefined if it says that there is no such asset. */
export async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (isInsituError(error) && error.code === 'AssetNotFound') return undefined
    throw error
  })
}
