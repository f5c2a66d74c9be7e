// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Condition, ConditionState, Terms} from "./Agreement.sol";
import {DeadlinePassed, DocumentMismatch, GranteeMismatch} from "./AgreementErrors.sol";
import {AgreementState} from "./AgreementState.sol";
import {ConditionStoreManager} from "./ConditionStoreManager.sol";

/// @title Condition: the execution is granted
/// @notice The provider accepts a locked agreement, and the consumer may execute its workflow until the timeout; or the
/// provider refuses, and the consumer gets the money back in the same transaction.
abstract contract ComputeExecutionCondition is ConditionStoreManager, ReentrancyGuardTransient {
    /// @notice The execution is granted.
    /// @param agreementId the agreement
    /// @param did the asset
    /// @param consumer the account that may execute
    /// @param conditionId id of this condition
    /// @param workflowId the workflow that it may execute
    /// @param expiresAt Unix time from which it may no longer execute it
    event Fulfilled(
        bytes32 indexed agreementId,
        bytes32 indexed did,
        address indexed consumer,
        bytes32 conditionId,
        bytes32 workflowId,
        uint256 expiresAt
    );

    /// @notice The provider refused the agreement.
    /// @param agreementId the agreement
    /// @param did the asset
    /// @param consumer the account that got the price back
    event Refused(bytes32 indexed agreementId, bytes32 indexed did, address indexed consumer);

    /// @notice The agreement was refunded because nobody granted it.
    /// @param agreementId the agreement
    /// @param did the asset
    /// @param consumer the account that got the price back
    event TimedOut(bytes32 indexed agreementId, bytes32 indexed did, address indexed consumer);

    /// @notice Grants the execution. The provider calls it, and thereby accepts the terms.
    /// @param terms terms of a locked agreement
    /// @param documentId the asset: a parameter of the specification, compared with the terms
    /// @param grantee the consumer: a parameter of the specification, compared with the terms
    function fulfill(Terms calldata terms, bytes32 documentId, address grantee) external {
        // Checks
        (bytes32 id, AgreementState word) = _find(terms);
        _requireCaller(terms.provider);
        if (documentId != terms.did) revert DocumentMismatch(documentId, terms.did);
        if (grantee != terms.consumer) revert GranteeMismatch(grantee, terms.consumer);

        // Effects
        _states[id] = _grant(terms, id, word);
    }

    /// @notice Refuses a locked agreement. The provider calls it; the consumer gets the price back at once.
    /// @param terms terms of a locked agreement
    function refuse(Terms calldata terms) external nonReentrant {
        // Checks
        (bytes32 id, AgreementState word) = _find(terms);
        _requireCaller(terms.provider);
        _require(id, word, Condition.LockReward, ConditionState.Fulfilled);
        _require(id, word, Condition.ComputeExecution, ConditionState.Unfulfilled);

        // Effects and interactions
        emit Refused(id, terms.did, terms.consumer);
        _abort(terms, id, word.with(Condition.ComputeExecution, ConditionState.Aborted));
    }

    /// @notice True if the consumer may start an execution of the workflow now: locked, granted in time, not closed, not
    /// refunded, and before the timeout. Call it at the pending block, which has the present time.
    /// @param terms terms of the agreement
    /// @param consumer the account that wants to execute
    /// @param workflowId the workflow to execute
    /// @return whether the contract permits it
    function checkPermissions(Terms calldata terms, address consumer, bytes32 workflowId)
        external
        view
        returns (bool)
    {
        if (consumer != terms.consumer || workflowId != terms.workflowId) return false;

        AgreementState word = _states[agreementId(terms)];
        if (word.state(Condition.ComputeExecution) != ConditionState.Fulfilled) return false;
        if (word.state(Condition.EscrowReward) == ConditionState.Aborted || word.closed()) return false;
        return block.timestamp < _expiry(terms, word);
    }

    /// @dev The agreement's word after the grant. The caller stores it.
    function _grant(Terms calldata terms, bytes32 id, AgreementState word) internal returns (AgreementState) {
        _require(id, word, Condition.LockReward, ConditionState.Fulfilled);
        _require(id, word, Condition.ComputeExecution, ConditionState.Unfulfilled);
        uint256 deadline = _grantDeadline(terms, word);
        if (block.timestamp >= deadline) revert DeadlinePassed(block.timestamp, deadline);

        emit Fulfilled(
            id,
            terms.did,
            terms.consumer,
            conditionId(id, Condition.ComputeExecution),
            terms.workflowId,
            _expiry(terms, word)
        );
        return word.with(Condition.ComputeExecution, ConditionState.Fulfilled);
    }
}
