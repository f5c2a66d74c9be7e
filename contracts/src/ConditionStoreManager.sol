// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgreementStoreManager} from "./AgreementStoreManager.sol";
import {Condition, ConditionState, Terms} from "./Agreement.sol";
import {CallerMismatch, ConditionNotInState} from "./AgreementErrors.sol";
import {AgreementState} from "./AgreementState.sol";

/// @title Store of conditions
/// @notice The three conditions of an agreement: their ids, states and deadlines.
///
/// | state | lock compute escrow | next |
/// |---|---|---|
/// | none | 0 0 0 | create → created (now ≤ deadline) |
/// | created | 1 1 1 | lock → locked (now ≤ deadline); cancel → cancelled |
/// | locked | 2 1 1 | grant → open (now < start + grantTimeout); refuse → refunded; refund → refunded (from that time on) |
/// | open | 2 2 1 | settle → open, paid or closed (now < start + timeout + settleTimeout); refund → refunded (from then on) |
/// | paid | 2 2 2 | settle with charge 0 → paid or closed (now < start + timeout + settleTimeout) |
/// | closed | 2 2 2 and closed | – |
/// | refunded | 2 3 3 or 2 2 3 | – |
/// | cancelled | 3 3 3 | – |
///
/// Times are seconds of `block.timestamp`. Deadlines are half-open (in time before d, timed out from d on), except that
/// `deadline` itself is still in time, as in ERC-2612.
abstract contract ConditionStoreManager is AgreementStoreManager {
    /// @notice The id of a condition. It is always derived, never an argument, so nobody can pass another agreement's.
    /// @param id the agreement
    /// @param condition one of its conditions
    /// @return keccak256(abi.encode(agreementId, this contract, condition))
    function conditionId(bytes32 id, Condition condition) public view returns (bytes32) {
        return keccak256(abi.encode(id, address(this), condition));
    }

    /// @notice The current state of a condition: an unfulfilled one whose deadline has passed counts as aborted.
    /// @param terms terms of the agreement
    /// @param condition one of its conditions
    /// @return the state; Uninitialized if no agreement has these terms
    function getConditionState(Terms calldata terms, Condition condition) external view returns (ConditionState) {
        AgreementState word = _states[agreementId(terms)];
        ConditionState stored = word.state(condition);
        if (stored != ConditionState.Unfulfilled) return stored;

        bool timedOut;
        if (word.state(Condition.LockReward) == ConditionState.Unfulfilled) {
            timedOut = block.timestamp > terms.deadline;
        } else if (word.state(Condition.ComputeExecution) == ConditionState.Unfulfilled) {
            timedOut = block.timestamp >= _grantDeadline(terms, word);
        } else {
            timedOut = block.timestamp >= _settleDeadline(terms, word);
        }
        return timedOut ? ConditionState.Aborted : stored;
    }

    /// @dev Ends the agreement without fulfilling its escrow and returns what is left to the consumer.
    /// @param word the agreement's word with the final state of its other conditions
    function _abort(Terms calldata terms, bytes32 id, AgreementState word) internal virtual;

    /// @dev Reverts unless the condition is in the state that the call needs.
    function _require(bytes32 id, AgreementState word, Condition condition, ConditionState expected) internal pure {
        ConditionState actual = word.state(condition);
        if (actual != expected) revert ConditionNotInState(id, condition, actual, expected);
    }

    /// @dev Reverts unless the caller is the expected one.
    function _requireCaller(address expected) internal view {
        if (msg.sender != expected) revert CallerMismatch(msg.sender, expected);
    }

    /// @dev From this time on the provider can no longer grant, and anybody can have the consumer refunded.
    function _grantDeadline(Terms calldata terms, AgreementState word) internal pure returns (uint256) {
        return word.start() + terms.grantTimeout;
    }

    /// @dev From this time on the consumer can no longer execute.
    function _expiry(Terms calldata terms, AgreementState word) internal pure returns (uint256) {
        return word.start() + terms.timeout;
    }

    /// @dev From this time on the provider can no longer settle, and anybody can have the consumer refunded.
    function _settleDeadline(Terms calldata terms, AgreementState word) internal pure returns (uint256) {
        return _expiry(terms, word) + terms.settleTimeout;
    }
}
