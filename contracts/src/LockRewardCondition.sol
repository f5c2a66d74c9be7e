// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {AgreementHashing, Condition, ConditionState, Terms} from "./Agreement.sol";
import {AmountMismatch, DeadlinePassed, RewardAddressMismatch, TokenShortfall} from "./AgreementErrors.sol";
import {AgreementState} from "./AgreementState.sol";
import {ConditionStoreManager} from "./ConditionStoreManager.sol";

/// @title Condition: the price is locked
/// @notice Moves the full price of an agreement from its consumer into escrow.
abstract contract LockRewardCondition is ConditionStoreManager, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice The price of an agreement is in escrow; its times count from this block.
    /// @param agreementId the agreement
    /// @param did the asset
    /// @param provider the account that may now grant
    /// @param conditionId id of this condition
    /// @param amount base units of the token
    event Fulfilled(
        bytes32 indexed agreementId,
        bytes32 indexed did,
        address indexed provider,
        bytes32 conditionId,
        uint256 amount
    );

    /// @notice Locks the price. The consumer calls it, after allowing the escrow to take the price.
    /// @param terms terms of a created agreement
    /// @param rewardAddress the escrow, which is this contract: a parameter of the specification, compared here
    /// @param amount the price in base units of the token: a parameter of the specification, compared here
    function fulfill(Terms calldata terms, address rewardAddress, uint256 amount) external nonReentrant {
        // Checks
        (bytes32 id, AgreementState word) = _find(terms);
        _requireCaller(terms.consumer);
        if (rewardAddress != address(this)) revert RewardAddressMismatch(rewardAddress, address(this));
        uint256 price = AgreementHashing.total(terms.amounts);
        if (amount != price) revert AmountMismatch(amount, price);

        // Effects
        _states[id] = _lock(terms, id, word, price);

        // Interactions
        _pull(terms.consumer, price);
    }

    /// @dev The agreement's word after the lock. The caller stores it and then pulls the price.
    function _lock(Terms calldata terms, bytes32 id, AgreementState word, uint256 price)
        internal
        returns (AgreementState)
    {
        _require(id, word, Condition.LockReward, ConditionState.Unfulfilled);
        if (block.timestamp > terms.deadline) revert DeadlinePassed(block.timestamp, terms.deadline);

        emit Fulfilled(id, terms.did, terms.provider, conditionId(id, Condition.LockReward), price);
        return word.withStart(block.timestamp).with(Condition.LockReward, ConditionState.Fulfilled);
    }

    /// @dev Takes the price from the consumer; reverts if the token delivers less.
    function _pull(address consumer, uint256 price) internal {
        if (price == 0) return;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(consumer, address(this), price);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received < price) revert TokenShortfall(received, price);
    }
}
