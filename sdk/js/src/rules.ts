/**
 * The rules of documents, for whoever writes one: `insitu/rules`.
 *
 * @packageDocumentation
 */
export { isHttpUrl, type ValidateOptions, validateDdo } from './domain/document-rules.js'
export { isDocumentTime } from './domain/timestamps.js'
export { type Change, changesBetween } from './domain/version-changes.js'
export { validateWorkflow } from './domain/workflow-rules.js'
