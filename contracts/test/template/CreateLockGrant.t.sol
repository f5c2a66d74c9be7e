// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Permit, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {AgreementStoreManager} from "../../src/AgreementStoreManager.sol";
import {ComputeExecutionCondition} from "../../src/ComputeExecutionCondition.sol";
import {LockRewardCondition} from "../../src/LockRewardCondition.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// createLockGrant(terms, consumerSignature, permit, providerSignature)
/// ├── with both signatures
/// │   ├── it creates, locks and grants for anybody who calls
/// │   ├── it emits the events of the three steps in their order
/// │   └── it moves exactly the price
/// ├── when the consumer calls with the offer of the provider
/// │   └── it creates, locks and grants
/// ├── when the provider calls with the order of the consumer
/// │   └── it creates, locks and grants
/// ├── without the provider's signature
/// │   └── it reverts InvalidSignature
/// ├── without the consumer's signature
/// │   └── it reverts InvalidSignature
/// ├── with an offer over other terms
/// │   └── it reverts InvalidSignature
/// ├── given the agreement exists unlocked
/// │   └── it locks and grants
/// ├── given the agreement is locked
/// │   ├── it grants and takes no money again
/// │   └── at the grant deadline, it reverts DeadlinePassed
/// ├── given the agreement is granted
/// │   └── it reverts ConditionNotInState
/// └── given the agreement is cancelled
///     └── it reverts ConditionNotInState
contract CreateLockGrantTest is World {
    function test_WithBothSignatures_AnybodyOpensTheAgreement() public {
        Terms memory t = _terms();
        _assertStates(_buy(STRANGER, t), 2, 2, 1);
        vm.assertTrue(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
    }

    function test_ItEmitsTheEventsOfTheThreeStepsInTheirOrder() public {
        Terms memory t = _terms();
        bytes32 id = template.agreementId(t);
        vm.expectEmit(address(template));
        emit AgreementStoreManager.AgreementCreated(id, CONSUMER, GATEWAY, t);
        vm.expectEmit(address(template));
        emit LockRewardCondition.Fulfilled(id, did, GATEWAY, template.conditionId(id, Condition.LockReward), PRICE);
        bytes32 conditionId = template.conditionId(id, Condition.ComputeExecution);
        vm.expectEmit(address(template));
        emit ComputeExecutionCondition.Fulfilled(id, did, CONSUMER, conditionId, t.workflowId, _now() + t.timeout);
        _buy(STRANGER, t);
    }

    function test_ItMovesExactlyThePrice() public {
        uint256 before = token.balanceOf(CONSUMER);
        _buy(STRANGER, _terms());
        vm.assertEq(token.balanceOf(CONSUMER), before - PRICE);
        _assertBalances(0, 0, PRICE);
    }

    function test_WhenTheConsumerCallsWithAnOffer_ItOpens() public {
        Terms memory t = _terms();
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        vm.prank(CONSUMER);
        _assertStates(template.createLockGrant(t, "", _noPermit(), offer), 2, 2, 1);
    }

    function test_WhenTheProviderCallsWithAnOrder_ItOpens() public {
        Terms memory t = _terms();
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        vm.prank(GATEWAY);
        _assertStates(template.createLockGrant(t, order, _noPermit(), ""), 2, 2, 1);
    }

    function test_WithoutTheSignatureOfTheProvider_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, GATEWAY));
        vm.prank(CONSUMER);
        template.createLockGrant(t, "", _noPermit(), "");
    }

    function test_WithoutTheSignatureOfTheConsumer_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(GATEWAY);
        template.createLockGrant(t, "", _noPermit(), "");
    }

    function test_WithAnOfferOverOtherTerms_ItReverts() public {
        Terms memory t = _terms();
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        t.amounts = _split(1, 1);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, GATEWAY));
        vm.prank(CONSUMER);
        template.createLockGrant(t, "", _noPermit(), offer);
    }

    function test_GivenTheAgreementExistsUnlocked_ItLocksAndGrants() public {
        Terms memory t = _terms();
        _create(t);
        _assertStates(_buy(STRANGER, t), 2, 2, 1);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenTheAgreementIsLocked_ItGrantsAndTakesNoMoneyAgain() public {
        Terms memory t = _terms();
        _lock(t);
        _assertStates(_buy(STRANGER, t), 2, 2, 1);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenTheAgreementIsLocked_AtTheGrantDeadline_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        uint256 deadline = _now() + t.grantTimeout;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline, deadline));
        template.createLockGrant(t, order, _noPermit(), offer);
    }

    function test_GivenTheAgreementIsGranted_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _expectBuyReverts(t, id, Condition.ComputeExecution, ConditionState.Fulfilled, ConditionState.Unfulfilled);
    }

    function test_GivenTheAgreementIsCancelled_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _cancelled(t);
        _expectBuyReverts(t, id, Condition.LockReward, ConditionState.Aborted, ConditionState.Fulfilled);
    }

    function _buy(address sender, Terms memory t) private returns (bytes32) {
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        vm.prank(sender);
        return template.createLockGrant(t, order, _noPermit(), offer);
    }

    function _expectBuyReverts(
        Terms memory t,
        bytes32 id,
        Condition condition,
        ConditionState actual,
        ConditionState expected
    ) private {
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        vm.expectRevert(abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected));
        template.createLockGrant(t, order, _noPermit(), offer);
    }
}
