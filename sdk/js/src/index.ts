export { InsituError, isInsituError } from './errors.js'
