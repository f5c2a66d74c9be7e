/**
 * The rules of the system as pure functions over plain values: no network, no clock, no key.
 *
 * @packageDocumentation
 */
export { ERRORS, type ErrorDefinition } from '../api/error-table.gen.js'
export { InsituError, isInsituError } from '../errors.js'
export { type AbiResult, type AbiValue, abiWord, decodeAbi, encodeAbi, encodeCall, selector, typesOf } from './abi.js'
export {
  agreementDomain,
  agreementId,
  type Settlement,
  settlementTypedData,
  type Terms,
  type TermsV1,
  termsTypedData,
  totalOf,
} from './agreement.js'
export { type AgreementTimes, agreementTimes, type ConditionTimes, jointTimes, MAX_TIMEOUT } from './agreement-times.js'
export { argumentVector, configurationProblem, type Scalar, scalarText, splitEntrypoint } from './algorithm.js'
export { APPROVAL_TYPES, approvalTypedData } from './approvals.js'
export { type Assertion, assertionText, readAssertion, signedAssertion } from './assertion.js'
export {
  concat,
  digitsOf,
  fromBase64,
  fromBase64url,
  fromHex,
  type Hex,
  plainDigits,
  toBase64,
  toBase64url,
  toHex,
  utf8,
  withoutPrefix,
} from './bytes.js'
export * as calls from './calls.js'
export { type Call, callData } from './calls.js'
export {
  canonicalJson,
  checksum,
  escapePointer,
  isObject,
  type Json,
  type JsonObject,
  keccak256,
  MAX_DEPTH,
  plainJson,
  sha3,
  sha256,
} from './canonical.js'
export { CATALOGUE_TYPES, catalogueTypedData, isListedByDefault } from './catalogue-requests.js'
export { type Charge, chargeOf, NOTHING_DELIVERED } from './charge.js'
export {
  type ComputeService,
  type Container,
  digestOf,
  readComputeMain,
  readComputeService,
  type Server,
  serversOf,
  type Template,
  timesOf,
} from './compute-service.js'
export {
  agreementTemplate,
  CONDITIONS,
  type ConditionKind,
  conditionKey,
  conditionName,
  TEMPLATE,
} from './conditions.js'
export { assetTypeOf, computeServiceOf, type Ddo, mainOf, metadataOf, type Proof, readDdo } from './ddo.js'
export { completeServices, type Description, readDescription, type Surroundings } from './description.js'
export {
  type ChecksumMap,
  type Did,
  deriveDid,
  didHex,
  didOfHex,
  didSeed,
  hashDid,
  isDid,
  readDid,
  readOlderDid,
} from './did.js'
export { type Envelope, envelopeDigest, envelopeSigner, PAYLOAD_TYPE, payloadOf, readEnvelope } from './dsse.js'
export {
  type EffectivePolicy,
  effectivePolicy,
  type InputPolicy,
  policyRefusals,
  type Refusal,
} from './effective-policy.js'
export { EventParser, type ServerEvent } from './event-stream.js'
export { deliveredBytes, deliveryProblem, firstCollision, isLeftOut, pathProblem } from './file-names.js'
export { commonTypes, mayLeave, typeProblem } from './file-types.js'
export {
  type Address,
  type AgreementId,
  conditionId,
  type ExecutionId,
  readAddress,
  readAgreementId,
  readExecutionId,
  sameAddress,
  workflowExecutionId,
} from './ids.js'
export { type InputVersion, inputsHash } from './inputs-hash.js'
export {
  boundPart,
  creatorOf,
  onchainChecksum,
  originOf,
  proofMessage,
  requestOf,
  type SignedProof,
  serviceChecksums,
  signedProof,
  verifyChecksum,
} from './integrity.js'
export { readJson } from './json-text.js'
export { mediaType, UNKNOWN_MEDIA_TYPE } from './media-types.js'
export { type FileDigest, filesRoot, outputRoot } from './merkle.js'
export { amountOfDisplay, displayAmount, MAX_AMOUNT, parseAmount, splitCharge } from './money.js'
export {
  type Algorithm,
  admits,
  allowsAlgorithm,
  allowsAny,
  DEFAULT_MAX_EXECUTIONS,
  effectiveLogBytes,
  effectiveLogs,
  FREE_FAILURE_LOG_BYTES,
  failuresAreFree,
  POLICY_VERSION,
  type Policy,
  policy,
  trusts,
} from './policy.js'
export { type PublicationPlace, publicationKey } from './publication-key.js'
export { didRules, mainRules, type PublishedRule } from './published-rules.js'
export {
  NO_PERMIT,
  type PermitTuple,
  permitTuple,
  permitTypedData,
  purchaseJson,
  purchaseSignature,
  type SignedPermit,
  type SignedPurchase,
} from './purchase.js'
export { chooseServer, type ExpectedCost, expectedCost, type OfferedInput } from './quote.js'
export { type Quote, readQuote, termsOf, verifyQuote, type WantedPurchase } from './quote-verification.js'
export { type Check, readStatement, receiptHash, type VerifiedReceipt, verifyReceipt } from './receipt.js'
export {
  PREDICATE_V1,
  PREDICATE_V2,
  type Predicate,
  type PredicateV1,
  type PredicateV2,
  type Reason,
  type Statement,
  type Usage,
} from './receipt-form.js'
export { type Opening, openingChecks, readOpening, type SignedSettlement, settlementChecks } from './receipt-opening.js'
export {
  type RegistrationItem,
  type RegistryRequest,
  requestDids,
  requestDigest,
  requestTypedData,
  requestVersions,
  type SignedRequest,
  type UpdateItem,
} from './registry-requests.js'
export { type Parameters, requireParameters, requireSamePurchase } from './revisions.js'
export { type ListedVersion, mayCarry, readSealedList, type SealedList } from './sealed-list.js'
export { DEFAULT_INDICES, type Service, sha256Of, templateOf } from './service.js'
export { readSignInMessage, renderSignInMessage, type SignInMessage } from './sign-in-message.js'
export {
  accountSignature,
  addressOfKey,
  callSignature,
  completeHalves,
  es256kDigest,
  keySignature,
  MAX_SIGNATURE,
  personalDigest,
  recoverAddress,
  signerOf,
} from './signatures.js'
export { readSignedRequest } from './signed-request.js'
export { signedTransaction, type Transaction, transactionDigest } from './transaction.js'
export {
  domainSeparator,
  encodeType,
  members,
  type SigningDomain,
  signingDomain,
  type TypedData,
  type TypedMember,
  type TypedStructs,
  typedDataDigest,
  typedDataText,
} from './typed-data.js'
export { MAX_BYTES, parseBytes, parseCores, parseCount } from './units.js'
export { requireAllowedChange, requireNumber } from './versions.js'
export {
  inputDids,
  type Need,
  needOf,
  readWorkflow,
  type Stage,
  type StageInput,
  transformationsOf,
  type Workflow,
  workflowOf,
} from './workflow.js'
