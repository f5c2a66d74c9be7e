"""Errors of agreements, money, and the chain; a contract's error has the code of the same name, but for signatures."""

from insitu.domain.error_table.shape import read_rows

AGREEMENTS = read_rows("""
AgreementClosing 409
    The agreement is being closed, or was closed.
    Buy the service again if you want to run the workflow again.
AgreementExists 409
    An agreement with these terms already exists.
    Use it, or choose a new seed.
AgreementExpired 409
    The time in which executions may start is over.
    Buy the service again.
AgreementLost 409
    The chain no longer knows the payment of this agreement.
    Check the agreement on chain and buy again.
AgreementNotGranted 409 retry
    The provider has not granted this agreement yet.
    Wait for the grant; after the grant timeout anyone can trigger the refund.
AgreementRefused 409
    The provider refused the agreement, and the payment was returned.
    Read the reason, correct the terms, and buy again.
AgreementUnknown 404
    No agreement has this id.
    Check the id, the chain and the contract addresses.
AllowanceTooLow 409
    The escrow is not allowed to take the price from the consumer's tokens.
    Sign a permit for the whole price, or approve it.
AmountMismatch 409
    The amount differs from the agreed one.
    Ask again for the quote, or for what closing costs.
CallerMismatch 403
    This call is reserved for another account.
    Send it with the expected account's key.
ChainUnavailable 503 retry
    The chain does not answer.
    Check chain.rpc_url and that the node is running; the embedded chain runs while insitu up does.
ChangesMismatch 409
    The asset's owner or providers changed after the request was signed.
    Read the asset's record again and sign a new request.
ChargeExceedsRemainder 409
    The charge is larger than what is left in escrow.
    Settle at most the remainder.
ConditionNotInState 409
    The agreement is not in the state that this call needs.
    Look at the agreement's state; it may be settled, refunded or not locked yet.
ContractMismatch 500
    The code at a contract's address is not ours.
    Check the deployments file against the chain, or deploy again.
ContractRejected 409
    The contract refused the call.
    The detail has the contract's reason.
DIDExists 409
    The DID is already registered.
    Publish a new version of it with insitu update, or publish other metadata.
DeadlinePassed 409
    The deadline for this call has passed.
    Sign again with a later deadline. After an agreement's deadlines only a refund is possible.
DeploymentsMissing 404
    No deployments file says where the contracts are.
    Put the provider's file there, or name it with chain.deployments; as the provider, run insitu chain deploy.
DispenserExhausted 409
    The development-token faucet is empty.
    Ask the owner of the Dispenser to raise its limit.
DocumentMismatch 409
    The call names a different DID than the agreement.
    Use the DID in the terms.
ExecutionAlreadySettled 409
    This execution is already settled.
    There is nothing to do.
FreeComputeExhausted 429 retry
    Today's compute that pays the provider nothing is used up.
    Wait until the time in the detail. It does not limit agreements that owe a price to the provider.
FreeGasExhausted 429 retry
    The gateway has no gas left for executions that cost nothing.
    Try again later: the budget covers 24 hours. It does not apply to a new agreement that has a price.
GranteeMismatch 409
    The call names a different grantee than the agreement.
    Use the consumer in the terms.
InsufficientFunds 402 retry after_repair
    The account does not hold enough tokens or gas.
    Fund the account and try again.
InvalidAccount 409
    This DID does not accept the account.
    Use an account other than the zero address.
InvalidReceiver 409
    A receiver of the payment is not allowed.
    Use accounts that are neither the zero address nor the escrow itself.
LengthMismatch 409
    The numbers of amounts and receivers differ.
    Give one amount for each receiver.
NotDIDAgent 403
    The caller is neither owner, provider nor delegate of the DID.
    Let the owner of the DID add the caller as a provider or delegate.
NotDIDOwner 403
    The caller does not own this DID.
    Send the call with the owner's key.
NotDIDProvider 409
    The account is neither owner nor provider of the DID.
    Ask the owner to let it provide the asset, for instance with insitu resume.
NotTimedOut 409 retry
    The deadline after which this is possible has not passed yet.
    Wait until the deadline in the detail.
NothingToWithdraw 409
    Nothing is credited to this account.
    There is nothing to do.
OfferRefused 409
    The provider makes no offer for these terms.
    Buy without an offer: the provider examines the agreement once it is locked.
PermitExpired 409
    The deadline of the token's permit has passed.
    Sign a permit that is valid as long as the terms are.
PermitInvalid 409
    The token does not accept the permit.
    Sign it with the consumer's key, for this token and chain, with the account's current nonce.
PriceTooHigh 409
    The price is higher than the maximum you allow.
    Allow a higher price, or choose a smaller server or another data set.
PriceTooLow 409
    The terms pay less than the services cost.
    Ask for a quote and buy at its price.
ProviderIsContract 409
    The provider's account is a contract, so its offers and receipts cannot be verified without the chain.
    Use a provider whose account has a key, or ask this one to change its account.
ReceiptElsewhere 409
    The receipt belongs to a different chain, or to other contracts, than the settings name.
    Use a node and the deployments file of the receipt's chain.
ReceiptNotCommitted 409 retry
    The receipt is valid, but the chain has not committed to it: the execution is not settled yet.
    Wait for the settlement, or send it yourself: insitu release.
ReceiptRequired 409
    A payment needs the hash of a receipt.
    Give the receipt's hash.
RelayExhausted 503 retry
    The gateway has used up its budget for sending what others signed.
    Try again later, or send it yourself with an account that can pay for gas.
RelayLimitReached 429 retry
    The gateway has sent as much for this account or asset as it allows in 24 hours.
    Try again later, or send it yourself with an account that can pay for gas.
RelayOff 403
    This gateway does not send what others signed.
    Send it yourself, with an account that can pay for gas.
RequestFrequencyExceeded 429 retry
    This was asked for again too soon, or by too many at once.
    Wait until the time in the detail, or as long as Retry-After says.
RequestLimitExceeded 409
    The development-token faucet gives less than that at once.
    Ask for at most the maximum in the detail.
RequestNotRelayed 403
    This gateway does not send this signed request to the registry.
    Send it yourself, with any account that can pay for gas, or sign one that the gateway sends.
RewardAddressMismatch 409
    The payment names a different escrow than the agreement.
    Use the address of EscrowReward.
TemplateNotApproved 409
    The agreement template is not approved on chain.
    Use the template of the deployments file.
TemplateNotInState 409
    The agreement template is not in the state that this call needs.
    Look at the template's state; a revoked one stays revoked.
TermsMismatch 409
    The terms do not match the published service.
    Ask for a quote again and sign its terms.
TimeoutOutOfRange 409
    A timeout of the terms is out of range.
    Use 1 <= grantTimeout <= timeout <= 366 days, settleTimeout <= 366 days.
TokenShortfall 409
    The token delivered less than the amount.
    Use a token that transfers exact amounts.
TooMany 409
    There are more entries than the contract accepts.
    Send fewer.
TotalTooLarge 409
    The total of the amounts is 2^128 base units or more.
    Agree on a smaller total.
TransactionFailed 502
    The transaction was mined and failed.
    The detail has the reason.
TransactionUnconfirmed 504 retry after_repair
    The transaction was not confirmed in time.
    Look up the hash in the detail before you send it again; if there is none, nothing was paid.
ValueTooLong 409
    The DID's URL is too long for the registry.
    Use a shorter URL.
VersionMismatch 409
    The update is not the next version of the document.
    Read the asset's current version and sign an update to the next one.
ZeroAmount 409
    A receiver would be paid nothing.
    Remove receivers whose amount is zero.
""")
