/**
 * What a check of a receipt means, and how it is made, for people. The keys are the words of `insitu/verify`; a check that a
 * later version adds is shown in its own words.
 */
const CHECKS: Readonly<Record<string, readonly [statement: string, how: string]>> = {
  'the signature is valid': ['A key signed it', 'The signature in the file is valid for exactly these bytes.'],
  'the payload is canonical': ['Nothing was reworded', 'The text is written in the one canonical way that there is.'],
  'the provider of the agreement signed it': ['The right provider', 'The signer is the provider that the terms name.'],
  'the agreement id is the digest of its terms': [
    'Your terms',
    'The agreement’s id is the digest of the terms in this receipt. The consumer signed that id.',
  ],
  'the execution id belongs to the agreement and the number': [
    'This run',
    'The execution’s id belongs to the agreement and to its number.',
  ],
  'the subject is the output': ['This output', 'The digest over all files is the subject of the signature.'],
  'the workflow is that of the terms': [
    'The workflow that was bought',
    'The workflow that ran is the one in the terms.',
  ],
  'the version of the workflow is that of the terms, or stated as a revision of it': [
    'Its version',
    'The version that ran is that of the terms, or is stated as a revision of it.',
  ],
  'the versions of the data sets are those of the terms': [
    'The versions that were bought',
    'The digest over the versions of all data sets is the one in the terms.',
  ],
  'it read the data sets of the terms': ['The data that was bought', 'The stages read these data sets, and no others.'],
  'parameters were given to stages that it has': ['Its parameters', 'They were given to stages that the run has.'],
  'an output was published if and only if it succeeded': [
    'Only a success publishes',
    'There is an output exactly if the run succeeded.',
  ],
  'what was delivered is the output, and log text only as the rules allow': [
    'What was delivered',
    'It is the output, and no more log text than the rules allow.',
  ],
  'the charge follows from the outcome and what was delivered': [
    'The right charge',
    'It follows from the outcome and from what was delivered.',
  ],
  'the amount is the price of the terms, or nothing': [
    'The right price',
    'The amount is the price in the terms, or nothing.',
  ],
  'what the rules hide is left out, and committed to': [
    'What is kept',
    'What the owners’ rules hide is left out, and one hash stands for it.',
  ],
  'it lists the limits that were not enforced': ['Limits', 'It lists those that nothing enforced.'],
  'it ended in the phase that it states last': ['Its end', 'The last phase is the outcome.'],
  'the workflow and its version are those of the terms': [
    'The workflow that was bought',
    'Workflow and version are those of the terms.',
  ],
  'the first data set is that of the terms': ['The data that was bought', 'The first data set is that of the terms.'],
  'the charge follows from the outcome': ['The right charge', 'It follows from the outcome.'],
  'the hash stated beside it is its own': ['Its hash', 'The hash beside the receipt is that of the signed bytes.'],
  'the files are those of the result': ['These files', 'The digest over the files’ hashes is the one that was signed.'],
  'the chain knows the agreement, and its provider granted it': [
    'The agreement exists',
    'The chain knows it, and its provider granted it.',
  ],
  'the result is registered': ['The result is registered', 'The registry on chain has its DID.'],
  'its hash is the one on chain': [
    'The same hash on chain',
    'The contract has committed to this very receipt for this run.',
  ],
  'the chain charged no more than the receipt states': [
    'No other charge',
    'The chain charged no more than the receipt states.',
  ],
}

/** Return a check as a statement and how it was proved. */
export function inWords(check: string): readonly [statement: string, how: string] {
  return CHECKS[check] ?? [`${check.charAt(0).toUpperCase()}${check.slice(1)}`, 'Compared in this page.']
}
