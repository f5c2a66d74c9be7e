// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState} from "./Agreement.sol";

/// @notice The one storage word of an agreement.
///
/// | bits | meaning |
/// |---|---|
/// | 0–127 | charged so far, in base units of the token |
/// | 128–167 | Unix time of the creation until the lock, of the lock afterwards |
/// | 168–173 | state of lock, compute, escrow, two bits each |
/// | 174 | closed by a last settlement |
/// | 176–239 | executions 0–63 that are settled |
type AgreementState is uint256;

using AgreementStates for AgreementState global;

/// @notice Reads and changes the word of an agreement in memory. The caller writes a changed word back once.
library AgreementStates {
    /// @notice Executions below this number are kept in the word itself.
    uint256 internal constant EXECUTIONS_IN_WORD = 64;

    /// @dev First bit of the start.
    uint256 private constant START = 128;
    /// @dev First bit of the states.
    uint256 private constant CONDITIONS = 168;
    /// @dev The bit that a last settlement sets.
    uint256 private constant CLOSED = 174;
    /// @dev First bit of the executions.
    uint256 private constant EXECUTIONS = 176;
    /// @dev All three conditions unfulfilled, at their places in the word.
    uint256 private constant CREATED = 21 << CONDITIONS;

    /// @notice The word of a new agreement: all conditions unfulfilled.
    /// @param time Unix time of the creation
    /// @return the word
    function create(uint256 time) internal pure returns (AgreementState) {
        return AgreementState.wrap((time << START) | CREATED);
    }

    /// @notice True if the agreement was created.
    /// @param word the word
    /// @return whether it exists
    function exists(AgreementState word) internal pure returns (bool) {
        return AgreementState.unwrap(word) != 0;
    }

    /// @notice The amount charged so far.
    /// @param word the word
    /// @return base units of the token
    function settled(AgreementState word) internal pure returns (uint256) {
        return uint128(AgreementState.unwrap(word));
    }

    /// @notice Sets the amount charged so far.
    /// @param word the word
    /// @param amount base units of the token, below 2¹²⁸
    /// @return the changed word
    function withSettled(AgreementState word, uint256 amount) internal pure returns (AgreementState) {
        uint256 rest = (AgreementState.unwrap(word) >> START) << START;
        return AgreementState.wrap(rest | amount);
    }

    /// @notice The time of the lock, or of the creation if nothing is locked yet.
    /// @param word the word
    /// @return Unix time
    function start(AgreementState word) internal pure returns (uint256) {
        return uint40(AgreementState.unwrap(word) >> START);
    }

    /// @notice Sets the time of the creation or of the lock.
    /// @param word the word
    /// @param time Unix time, below 2⁴⁰
    /// @return the changed word
    function withStart(AgreementState word, uint256 time) internal pure returns (AgreementState) {
        uint256 rest = AgreementState.unwrap(word) & ~(uint256(type(uint40).max) << START);
        return AgreementState.wrap(rest | (time << START));
    }

    /// @notice The state of a condition.
    /// @param word the word
    /// @param condition the condition
    /// @return its state
    function state(AgreementState word, Condition condition) internal pure returns (ConditionState) {
        return ConditionState((AgreementState.unwrap(word) >> (CONDITIONS + 2 * uint256(condition))) & 3);
    }

    /// @notice Sets the state of a condition.
    /// @param word the word
    /// @param condition the condition
    /// @param value its new state
    /// @return the changed word
    function with(AgreementState word, Condition condition, ConditionState value)
        internal
        pure
        returns (AgreementState)
    {
        uint256 shift = CONDITIONS + 2 * uint256(condition);
        uint256 rest = AgreementState.unwrap(word) & ~(uint256(3) << shift);
        return AgreementState.wrap(rest | (uint256(value) << shift));
    }

    /// @notice True after a last settlement.
    /// @param word the word
    /// @return whether it is closed
    function closed(AgreementState word) internal pure returns (bool) {
        return (AgreementState.unwrap(word) >> CLOSED) & 1 == 1;
    }

    /// @notice Marks the agreement as closed.
    /// @param word the word
    /// @return the changed word
    function close(AgreementState word) internal pure returns (AgreementState) {
        return AgreementState.wrap(AgreementState.unwrap(word) | (1 << CLOSED));
    }

    /// @notice True if an execution below {EXECUTIONS_IN_WORD} is settled.
    /// @param word the word
    /// @param index number of the execution
    /// @return whether it is settled
    function executed(AgreementState word, uint256 index) internal pure returns (bool) {
        return (AgreementState.unwrap(word) >> (EXECUTIONS + index)) & 1 == 1;
    }

    /// @notice Marks an execution below {EXECUTIONS_IN_WORD} as settled.
    /// @param word the word
    /// @param index number of the execution
    /// @return the changed word
    function execute(AgreementState word, uint256 index) internal pure returns (AgreementState) {
        return AgreementState.wrap(AgreementState.unwrap(word) | (1 << (EXECUTIONS + index)));
    }
}
