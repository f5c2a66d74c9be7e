/** Return whether a value is a time as documents write it: UTC, whole seconds, `Z` (`2019-04-09T19:02:11Z`). */
export function isDocumentTime(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value) || value.startsWith('0000'))
    return false
  const moment = new Date(value)
  // A day that does not exist is read as another one, or as none.
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(value.slice(0, -1))
}
