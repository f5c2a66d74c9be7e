// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {AgreementHashing, Condition, ConditionState, Item, Settlement, Terms} from "./Agreement.sol";
import {
    ChargeExceedsRemainder,
    ConditionNotInState,
    DeadlinePassed,
    ExecutionAlreadySettled,
    NothingToWithdraw,
    NotTimedOut,
    ReceiptRequired
} from "./AgreementErrors.sol";
import {AgreementState, AgreementStates} from "./AgreementState.sol";
import {ComputeExecutionCondition} from "./ComputeExecutionCondition.sol";
import {ConditionStoreManager} from "./ConditionStoreManager.sol";
import {PayoutList, Payouts} from "./Payouts.sol";

/// @title Condition: the escrow is released or returned
/// @notice Pays the receivers of an agreement against the hashes of receipts, or returns the money to the consumer. At
/// any moment either a settlement or a refund is possible, never both.
abstract contract EscrowReward is ConditionStoreManager, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice The most receivers of a price.
    uint256 public constant MAX_RECEIVERS = 8;

    /// @notice The amount that could not be transferred to an address, in base units; {withdraw} tries again.
    mapping(address who => uint256 amount) public claimable;

    /// @notice An execution was settled and its receipt committed.
    /// @param agreementId the agreement
    /// @param index number of the execution
    /// @param charge its cost in base units of the token
    /// @param receiptHash hash of its receipt; zero only when the provider returns the rest without one
    /// @param last whether it closed the agreement
    event PaymentReleased(
        bytes32 indexed agreementId, uint32 indexed index, uint256 charge, bytes32 receiptHash, bool last
    );

    /// @notice The escrow of an agreement is empty: its price is charged in full, or its rest was returned by the
    /// provider. Emitted once. Execution stays permitted until the timeout unless a settlement was the last one.
    /// @param agreementId the agreement
    /// @param consumer the account that paid
    /// @param provider the account that charged
    /// @param settled base units of the token that went to the receivers
    /// @param refunded base units of the token that went back to the consumer
    event Fulfilled(
        bytes32 indexed agreementId,
        address indexed consumer,
        address indexed provider,
        uint256 settled,
        uint256 refunded
    );

    /// @notice The agreement ended without fulfilling its escrow: cancelled, refused, or timed out.
    /// @param agreementId the agreement
    /// @param consumer the account that paid
    /// @param provider the account that could have charged
    /// @param settled base units of the token that had gone to the receivers
    /// @param refunded base units of the token that went back to the consumer
    event Aborted(
        bytes32 indexed agreementId,
        address indexed consumer,
        address indexed provider,
        uint256 settled,
        uint256 refunded
    );

    /// @notice A transfer failed and its amount was credited instead.
    /// @param who the account
    /// @param amount base units of the token
    event PaymentCredited(address indexed who, uint256 amount);

    /// @notice A credited amount was paid out.
    /// @param who the account
    /// @param amount base units of the token
    event PaymentWithdrawn(address indexed who, uint256 amount);

    /// @notice Settles one execution: pays its charge to the receivers and commits its receipt (the specification's
    /// releasePayment). The provider calls it, or anybody with the provider's signature.
    /// @param terms terms of a granted agreement
    /// @param settlement the execution
    /// @param providerSignature signature of {settlementDigest}; empty if the provider calls
    function fulfill(Terms calldata terms, Settlement calldata settlement, bytes calldata providerSignature)
        external
        nonReentrant
    {
        // Checks
        (bytes32 id, AgreementState word, uint256 total) = _settleable(terms);
        if (msg.sender != terms.provider) {
            _requireSignature(terms.provider, settlementDigest(id, settlement), providerSignature);
        }

        // Effects
        Payouts memory payouts = PayoutList.create(MAX_RECEIVERS + 1);
        AgreementState next = _settle(id, word, settlement, total);
        _store(terms, id, word, next, total, payouts);

        // Interactions
        _pay(payouts);
    }

    /// @notice Settles many executions of many agreements. The provider of all of them calls it. A receiver that occurs
    /// several times gets one transfer. One bad item reverts the whole batch.
    /// @param items the agreements and their executions
    function fulfillBatch(Item[] calldata items) external nonReentrant {
        Payouts memory payouts = PayoutList.create(items.length * (MAX_RECEIVERS + 1));

        for (uint256 i = 0; i < items.length; ++i) {
            Terms calldata terms = items[i].terms;
            Settlement[] calldata settlements = items[i].settlements;

            // Checks
            (bytes32 id, AgreementState word, uint256 total) = _settleable(terms);
            _requireCaller(terms.provider);

            // Effects
            AgreementState next = word;
            for (uint256 j = 0; j < settlements.length; ++j) {
                next = _settle(id, next, settlements[j], total);
            }
            _store(terms, id, word, next, total, payouts);
        }

        // Interactions
        _pay(payouts);
    }

    /// @notice Returns the rest to the consumer if there was no grant in time, or once the time for settling is over.
    /// Anybody may call it.
    /// @param terms terms of a locked or open agreement
    function refund(Terms calldata terms) external nonReentrant {
        // Checks
        (bytes32 id, AgreementState word) = _find(terms);
        _require(id, word, Condition.LockReward, ConditionState.Fulfilled);
        _require(id, word, Condition.EscrowReward, ConditionState.Unfulfilled);
        bool granted = word.state(Condition.ComputeExecution) == ConditionState.Fulfilled;
        uint256 deadline = granted ? _settleDeadline(terms, word) : _grantDeadline(terms, word);
        if (block.timestamp < deadline) revert NotTimedOut(block.timestamp, deadline);

        // Effects and interactions
        if (!granted) {
            word = word.with(Condition.ComputeExecution, ConditionState.Aborted);
            emit ComputeExecutionCondition.TimedOut(id, terms.did, terms.consumer);
        }
        _abort(terms, id, word);
    }

    /// @notice Pays out the credit of an address to that address. Anybody may call it.
    /// @param who the address
    function withdraw(address who) external nonReentrant {
        // Checks
        uint256 amount = claimable[who];
        if (amount == 0) revert NothingToWithdraw(who);

        // Effects
        claimable[who] = 0;
        emit PaymentWithdrawn(who, amount);

        // Interactions
        token.safeTransfer(who, amount);
    }

    /// @inheritdoc ConditionStoreManager
    function _abort(Terms calldata terms, bytes32 id, AgreementState word) internal override {
        // Effects
        uint256 settled = word.settled();
        uint256 rest = AgreementHashing.total(terms.amounts) - settled;
        _states[id] = word.with(Condition.EscrowReward, ConditionState.Aborted);
        emit Aborted(id, terms.consumer, terms.provider, settled, rest);

        // Interactions
        _pay(terms.consumer, rest);
    }

    /// @dev Finds a granted agreement that can still be settled.
    function _settleable(Terms calldata terms)
        private
        view
        returns (bytes32 id, AgreementState word, uint256 total)
    {
        (id, word) = _find(terms);
        _require(id, word, Condition.ComputeExecution, ConditionState.Fulfilled);
        uint256 deadline = _settleDeadline(terms, word);
        if (block.timestamp >= deadline) revert DeadlinePassed(block.timestamp, deadline);
        total = AgreementHashing.total(terms.amounts);
    }

    /// @dev The agreement's word after one settlement.
    function _settle(bytes32 id, AgreementState word, Settlement calldata settlement, uint256 total)
        private
        returns (AgreementState)
    {
        ConditionState escrow = word.state(Condition.EscrowReward);
        if (escrow == ConditionState.Aborted || word.closed()) {
            revert ConditionNotInState(id, Condition.EscrowReward, escrow, ConditionState.Unfulfilled);
        }
        uint256 charge = settlement.charge;
        uint256 left = total - word.settled();
        if (charge > left) revert ChargeExceedsRemainder(charge, left);
        if (settlement.receiptHash == 0) {
            bool givesBack = settlement.last && charge == 0 && escrow == ConditionState.Unfulfilled;
            if (!givesBack) revert ReceiptRequired(id, settlement.index);
        }

        word = _markExecution(id, word, settlement.index).withSettled(total - left + charge);
        if (settlement.last) word = word.close();
        if (settlement.last || charge == left) word = word.with(Condition.EscrowReward, ConditionState.Fulfilled);
        emit PaymentReleased(id, settlement.index, charge, settlement.receiptHash, settlement.last);
        return word;
    }

    /// @dev Marks an execution as settled, in the word or beyond it.
    function _markExecution(bytes32 id, AgreementState word, uint32 index) private returns (AgreementState) {
        if (index < AgreementStates.EXECUTIONS_IN_WORD) {
            if (word.executed(index)) revert ExecutionAlreadySettled(id, index);
            return word.execute(index);
        }
        if (_markFurtherExecution(id, index)) revert ExecutionAlreadySettled(id, index);
        return word;
    }

    /// @dev Stores the agreement's word after its settlements and adds the payments that are due.
    function _store(
        Terms calldata terms,
        bytes32 id,
        AgreementState word,
        AgreementState next,
        uint256 total,
        Payouts memory payouts
    ) private {
        _states[id] = next;
        uint256 settled = next.settled();
        payouts.split(terms.amounts, terms.receivers, total, word.settled(), settled);

        bool fulfilled = next.state(Condition.EscrowReward) == ConditionState.Fulfilled
            && word.state(Condition.EscrowReward) == ConditionState.Unfulfilled;
        if (!fulfilled) return;
        payouts.push(terms.consumer, total - settled);
        emit Fulfilled(id, terms.consumer, terms.provider, settled, total - settled);
    }

    /// @dev Makes the listed payments.
    function _pay(Payouts memory payouts) private {
        for (uint256 i = 0; i < payouts.length; ++i) {
            _pay(payouts.receivers[i], payouts.amounts[i]);
        }
    }

    /// @dev Transfers the amount, or credits it if the token refuses, so that one receiver cannot block the others.
    function _pay(address receiver, uint256 amount) private {
        if (amount == 0 || token.trySafeTransfer(receiver, amount)) return;
        claimable[receiver] += amount;
        emit PaymentCredited(receiver, amount);
    }
}
