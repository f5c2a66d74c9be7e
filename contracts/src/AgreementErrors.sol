// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState} from "./Agreement.sol";

/// @notice The agreement already exists.
/// @param agreementId the agreement
error AgreementExists(bytes32 agreementId);

/// @notice No agreement has exactly these terms.
/// @param agreementId the id that the terms hash to
error AgreementUnknown(bytes32 agreementId);

/// @notice The call does not fit the state of the agreement.
/// @param agreementId the agreement
/// @param condition the condition that is in the wrong state
/// @param actual its state
/// @param expected the state that the call needs
error ConditionNotInState(bytes32 agreementId, Condition condition, ConditionState actual, ConditionState expected);

/// @notice Neither the call nor the signature comes from the signer.
/// @param expectedSigner the account whose signature is needed
error InvalidSignature(address expectedSigner);

/// @notice The caller may not call this.
/// @param actual the caller
/// @param expected the only account that may call
error CallerMismatch(address actual, address expected);

/// @notice The grantee is not the consumer of the agreement.
/// @param actual the stated grantee
/// @param expected the consumer
error GranteeMismatch(address actual, address expected);

/// @notice The amount is not the price of the agreement.
/// @param actual the stated amount
/// @param expected the price
error AmountMismatch(uint256 actual, uint256 expected);

/// @notice The reward address is not the escrow.
/// @param actual the stated address
/// @param expected the escrow's address
error RewardAddressMismatch(address actual, address expected);

/// @notice The document is not the asset of the agreement.
/// @param actual the stated document
/// @param expected the asset
error DocumentMismatch(bytes32 actual, bytes32 expected);

/// @notice The provider is neither owner nor provider of the asset.
/// @param did the asset
/// @param provider the address
error NotDIDProvider(bytes32 did, address provider);

/// @notice The template is not approved, so it accepts no new agreements.
/// @param template the template
error TemplateNotApproved(address template);

/// @notice The deadline has passed.
/// @param time the time of the block
/// @param deadline the deadline
error DeadlinePassed(uint256 time, uint256 deadline);

/// @notice It is too early for a refund.
/// @param time the time of the block
/// @param deadline when the refund becomes possible
error NotTimedOut(uint256 time, uint256 deadline);

/// @notice A time span is out of range.
/// @param actual the stated seconds
/// @param minimum the fewest seconds allowed
/// @param maximum the most seconds allowed
error TimeoutOutOfRange(uint256 actual, uint256 minimum, uint256 maximum);

/// @notice The split needs exactly one amount per receiver.
/// @param amounts number of amounts
/// @param receivers number of receivers
error LengthMismatch(uint256 amounts, uint256 receivers);

/// @notice The split has too many receivers.
/// @param actual number of receivers
/// @param maximum the most receivers allowed
error TooMany(uint256 actual, uint256 maximum);

/// @notice The receiver cannot be paid.
/// @param position position in the split
/// @param receiver the address
error InvalidReceiver(uint256 position, address receiver);

/// @notice The amount of a receiver is zero.
/// @param position position in the split
error ZeroAmount(uint256 position);

/// @notice The price is too large to be stored.
/// @param actual base units of the token
/// @param maximum the most base units allowed
error TotalTooLarge(uint256 actual, uint256 maximum);

/// @notice The charge for the execution exceeds what is left of the price.
/// @param charge base units of the token
/// @param left base units that are left
error ChargeExceedsRemainder(uint256 charge, uint256 left);

/// @notice Money is released only against the hash of a receipt.
/// @param agreementId the agreement
/// @param index number of the execution
error ReceiptRequired(bytes32 agreementId, uint32 index);

/// @notice The execution is already settled.
/// @param agreementId the agreement
/// @param index number of the execution
error ExecutionAlreadySettled(bytes32 agreementId, uint32 index);

/// @notice The token delivered less than was due.
/// @param received base units that arrived
/// @param expected base units that were due
error TokenShortfall(uint256 received, uint256 expected);

/// @notice The address has no credit to withdraw.
/// @param who the address
error NothingToWithdraw(address who);
