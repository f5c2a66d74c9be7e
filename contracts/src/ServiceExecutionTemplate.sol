// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

import {AgreementHashing, Condition, ConditionState, Permit, Terms} from "./Agreement.sol";
import {
    AgreementExists,
    DeadlinePassed,
    InvalidReceiver,
    LengthMismatch,
    NotDIDProvider,
    TemplateNotApproved,
    TimeoutOutOfRange,
    TooMany,
    TotalTooLarge,
    ZeroAmount
} from "./AgreementErrors.sol";
import {AgreementState, AgreementStates} from "./AgreementState.sol";
import {AgreementStoreManager} from "./AgreementStoreManager.sol";
import {ComputeExecutionCondition} from "./ComputeExecutionCondition.sol";
import {DIDRegistry} from "./DIDRegistry.sol";
import {EscrowReward} from "./EscrowReward.sol";
import {LockRewardCondition} from "./LockRewardCondition.sol";
import {TemplateStoreManager} from "./TemplateStoreManager.sol";

/// @title Template of service execution agreements
/// @notice The one deployed contract of an agreement: its address is the `templateId` of a service, and each
/// `contractName` of the service's conditions resolves to it. It has no owner, and nobody can upgrade it.
contract ServiceExecutionTemplate is LockRewardCondition, ComputeExecutionCondition, EscrowReward {
    /// @notice The longest that each of the three time spans may be, in seconds.
    uint256 public constant MAX_TIMEOUT = 366 days;

    /// @param token_ the ERC-20 token to pay in; it must not rebase
    /// @param didRegistry_ registry of assets
    /// @param templateStore_ store of templates, which has to approve this contract
    constructor(IERC20 token_, DIDRegistry didRegistry_, TemplateStoreManager templateStore_)
        AgreementStoreManager(token_, didRegistry_, templateStore_)
    {}

    /// @notice Creates an agreement. The consumer calls it, or anyone with the consumer's signature.
    /// @param terms the terms
    /// @param consumerSignature signature of {agreementId}; empty if the consumer calls
    /// @return id the agreement
    function createAgreement(Terms calldata terms, bytes calldata consumerSignature) external returns (bytes32 id) {
        // Checks
        id = agreementId(terms);
        _authorize(terms.consumer, id, consumerSignature);
        if (_states[id].exists()) revert AgreementExists(id);

        // Effects
        _states[id] = _create(terms, id);
    }

    /// @notice Creates an agreement and locks its price. The consumer calls it, or anyone with the consumer's signature.
    /// If somebody has just created the agreement with the same signature, it is locked all the same.
    /// @param terms the terms
    /// @param consumerSignature signature of {agreementId}; empty if the consumer calls
    /// @param permit allowance of the token, if it is given by a signature
    /// @return id the agreement
    function createAgreementAndLock(Terms calldata terms, bytes calldata consumerSignature, Permit calldata permit)
        external
        nonReentrant
        returns (bytes32 id)
    {
        // Checks
        id = agreementId(terms);
        _authorize(terms.consumer, id, consumerSignature);
        AgreementState word = _states[id];
        if (!word.exists()) word = _create(terms, id);

        // Effects
        uint256 price = AgreementHashing.total(terms.amounts);
        _states[id] = _lock(terms, id, word, price);

        // Interactions
        _permit(terms.consumer, permit);
        _pull(terms.consumer, price);
    }

    /// @notice Creates, locks and grants in one transaction: the provider has already signed the same terms as an offer.
    /// Steps that somebody has just taken with the same signatures are not repeated.
    /// @param terms the terms
    /// @param consumerSignature the consumer's signature of {agreementId}; empty if the consumer calls
    /// @param permit allowance of the token, if it is given by a signature
    /// @param providerSignature the provider's signature of {agreementId}; empty if the provider calls
    /// @return id the agreement
    function createLockGrant(
        Terms calldata terms,
        bytes calldata consumerSignature,
        Permit calldata permit,
        bytes calldata providerSignature
    ) external nonReentrant returns (bytes32 id) {
        // Checks
        id = agreementId(terms);
        _authorize(terms.consumer, id, consumerSignature);
        _authorize(terms.provider, id, providerSignature);
        AgreementState word = _states[id];
        if (!word.exists()) word = _create(terms, id);

        // Effects
        uint256 price = AgreementHashing.total(terms.amounts);
        bool locks = word.state(Condition.LockReward) == ConditionState.Unfulfilled;
        if (locks) word = _lock(terms, id, word, price);
        _states[id] = _grant(terms, id, word);

        // Interactions
        if (!locks) return id;
        _permit(terms.consumer, permit);
        _pull(terms.consumer, price);
    }

    /// @notice Gives up an agreement that is not locked. The consumer calls it; after that nobody can lock it.
    /// @param terms terms of a created agreement
    function cancel(Terms calldata terms) external {
        // Checks
        (bytes32 id, AgreementState word) = _find(terms);
        _requireCaller(terms.consumer);
        _require(id, word, Condition.LockReward, ConditionState.Unfulfilled);

        // Effects
        _states[id] = word.with(Condition.LockReward, ConditionState.Aborted)
            .with(Condition.ComputeExecution, ConditionState.Aborted)
            .with(Condition.EscrowReward, ConditionState.Aborted);
        emit Aborted(id, terms.consumer, terms.provider, 0, 0);
    }

    /// @dev The word of a new agreement. The caller stores it.
    function _create(Terms calldata terms, bytes32 id) private returns (AgreementState) {
        if (block.timestamp > terms.deadline) revert DeadlinePassed(block.timestamp, terms.deadline);
        _requireTimeouts(terms);
        _requireSplit(terms.amounts, terms.receivers);
        if (!templateStore.isTemplateApproved(address(this))) revert TemplateNotApproved(address(this));
        if (!didRegistry.isDIDProvider(terms.did, terms.provider)) revert NotDIDProvider(terms.did, terms.provider);

        emit AgreementCreated(id, terms.consumer, terms.provider, terms);
        return AgreementStates.create(block.timestamp);
    }

    /// @dev There is some time to grant and some time to execute, and no time span is too long.
    function _requireTimeouts(Terms calldata terms) private pure {
        uint256 timeout = terms.timeout;
        if (timeout == 0 || timeout > MAX_TIMEOUT) revert TimeoutOutOfRange(timeout, 1, MAX_TIMEOUT);
        uint256 grantTimeout = terms.grantTimeout;
        if (grantTimeout == 0 || grantTimeout > timeout) revert TimeoutOutOfRange(grantTimeout, 1, timeout);
        uint256 settleTimeout = terms.settleTimeout;
        if (settleTimeout > MAX_TIMEOUT) revert TimeoutOutOfRange(settleTimeout, 0, MAX_TIMEOUT);
    }

    /// @dev Every receiver can be paid, and the total fits into the word of the agreement.
    function _requireSplit(uint256[] calldata amounts, address[] calldata receivers) private view {
        uint256 count = receivers.length;
        if (amounts.length != count) revert LengthMismatch(amounts.length, count);
        if (count > MAX_RECEIVERS) revert TooMany(count, MAX_RECEIVERS);

        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) {
            address receiver = receivers[i];
            if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver(i, receiver);
            uint256 amount = amounts[i];
            if (amount == 0) revert ZeroAmount(i);
            if (amount > type(uint128).max) revert TotalTooLarge(amount, type(uint128).max);
            total += amount;
        }
        if (total > type(uint128).max) revert TotalTooLarge(total, type(uint128).max);
    }

    /// @dev Uses the permit if there is one. It may fail because somebody has just used it, which does no harm: then the
    /// allowance is there, and if it is not, the transfer fails.
    function _permit(address consumer, Permit calldata permit) private {
        if (permit.deadline == 0) return;
        try IERC20Permit(address(token)).permit(
            consumer, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s
        ) {} catch {}
    }
}
