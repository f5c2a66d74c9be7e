// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Agreement, Condition, ConditionState, Permit, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {AgreementStoreManager} from "../../src/AgreementStoreManager.sol";
import {LockRewardCondition} from "../../src/LockRewardCondition.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// createAgreementAndLock(terms, consumerSignature, permit)
/// ├── given no agreement exists
/// │   ├── it creates and locks, and the times count from now
/// │   ├── it emits AgreementCreated, then Fulfilled of the lock
/// │   └── it moves exactly the price from the consumer
/// ├── given the agreement exists unlocked
/// │   ├── it locks
/// │   └── it does not emit AgreementCreated again
/// ├── given the agreement is locked
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is cancelled
/// │   └── it reverts ConditionNotInState
/// ├── when somebody else calls
/// │   ├── with signature and permit of the consumer, it locks
/// │   ├── without a signature, it reverts InvalidSignature
/// │   └── without a signature for an agreement that the consumer created, it reverts InvalidSignature
/// ├── with a permit
/// │   ├── it needs no allowance
/// │   ├── given somebody used the permit before, it locks
/// │   └── given the permit is not valid and there is no allowance, it reverts
/// ├── without allowance
/// │   └── it reverts and creates nothing
/// ├── after the deadline
/// │   └── it reverts DeadlinePassed
/// ├── after the deadline, given the agreement exists
/// │   └── it reverts DeadlinePassed
/// └── when the service is free
///     └── it locks without calling the token
contract CreateAgreementAndLockTest is World {
    function test_ItCreatesAndLocksAndTheTimesCountFromNow() public {
        bytes32 id = _lock(_terms());
        _assertStates(id, 2, 1, 1);
        vm.assertEq(uint256(template.getAgreement(id).start), _now());
    }

    function test_ItEmitsAgreementCreatedThenFulfilled() public {
        Terms memory t = _terms();
        bytes32 id = template.agreementId(t);
        vm.expectEmit(address(template));
        emit AgreementStoreManager.AgreementCreated(id, CONSUMER, GATEWAY, t);
        vm.expectEmit(address(template));
        emit LockRewardCondition.Fulfilled(id, did, GATEWAY, template.conditionId(id, Condition.LockReward), PRICE);
        _lock(t);
    }

    function test_ItMovesExactlyThePrice() public {
        uint256 before = token.balanceOf(CONSUMER);
        _lock(_terms());
        vm.assertEq(token.balanceOf(CONSUMER), before - PRICE);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenTheAgreementExistsUnlocked_ItLocks() public {
        Terms memory t = _terms();
        _create(t);
        vm.warp(_now() + 5);
        bytes32 id = _lock(t);
        _assertStates(id, 2, 1, 1);
        vm.assertEq(uint256(template.getAgreement(id).start), START + 5, "the times count from the lock");
    }

    function test_GivenTheAgreementExistsUnlocked_ItIsNotCreatedAgain() public {
        Terms memory t = _terms();
        _create(t);
        vm.recordLogs();
        _lock(t);
        bytes32 topic = vm.getRecordedLogs()[0].topics[0];
        vm.assertEq(topic, LockRewardCondition.Fulfilled.selector, "the first event");
    }

    function test_GivenTheAgreementIsLocked_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        _expectLockInState(id, ConditionState.Fulfilled);
        _lock(t);
    }

    function test_GivenTheAgreementIsCancelled_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _cancelled(t);
        _expectLockInState(id, ConditionState.Aborted);
        _lock(t);
    }

    function test_WithSignatureAndPermit_AnybodyLocks() public {
        _revokeAllowance();
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        Permit memory permit = _signPermit(CONSUMER_KEY, PRICE, _now());
        vm.prank(STRANGER);
        _assertStates(template.createAgreementAndLock(t, signature, permit), 2, 1, 1);
        _assertBalances(0, 0, PRICE);
    }

    function test_WithoutSignature_AStrangerCannotLock() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(STRANGER);
        template.createAgreementAndLock(t, "", _noPermit());
    }

    function test_WithoutSignature_AStrangerCannotLockWhatTheConsumerCreated() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(STRANGER);
        template.createAgreementAndLock(t, "", _noPermit());
    }

    function test_WithAPermit_ItNeedsNoAllowance() public {
        _revokeAllowance();
        Permit memory permit = _signPermit(CONSUMER_KEY, PRICE, _now());
        Terms memory t = _terms();
        vm.prank(CONSUMER);
        template.createAgreementAndLock(t, "", permit);
        vm.assertEq(token.allowance(CONSUMER, address(template)), 0);
    }

    function test_GivenSomebodyUsedThePermitBefore_ItLocks() public {
        _revokeAllowance();
        Permit memory p = _signPermit(CONSUMER_KEY, PRICE, _now());
        IERC20Permit(address(token)).permit(CONSUMER, address(template), p.value, p.deadline, p.v, p.r, p.s);
        Terms memory t = _terms();
        vm.prank(CONSUMER);
        _assertStates(template.createAgreementAndLock(t, "", p), 2, 1, 1);
    }

    function test_GivenThePermitIsNotValidAndThereIsNoAllowance_ItReverts() public {
        _revokeAllowance();
        Permit memory permit = _signPermit(GATEWAY_KEY, PRICE, _now());
        Terms memory t = _terms();
        _expectInsufficientAllowance();
        vm.prank(CONSUMER);
        template.createAgreementAndLock(t, "", permit);
    }

    function test_WithoutAllowance_ItRevertsAndCreatesNothing() public {
        _revokeAllowance();
        Terms memory t = _terms();
        _expectInsufficientAllowance();
        _lock(t);
        _assertStates(template.agreementId(t), 0, 0, 0);
    }

    function test_AfterTheDeadline_ItReverts() public {
        Terms memory t = _terms();
        vm.warp(uint256(t.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, uint256(t.deadline) + 1, t.deadline));
        _lock(t);
    }

    function test_AfterTheDeadline_GivenTheAgreementExists_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.warp(uint256(t.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, uint256(t.deadline) + 1, t.deadline));
        _lock(t);
    }

    function test_WhenTheServiceIsFree_ItLocksWithoutCallingTheToken() public {
        Terms memory t = _freeTerms();
        vm.expectCall(address(token), "", 0);
        _assertStates(_lock(t), 2, 1, 1);
    }

    function _revokeAllowance() private {
        vm.prank(CONSUMER);
        token.approve(address(template), 0);
    }

    function _expectInsufficientAllowance() private {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(template), 0, PRICE)
        );
    }

    function _expectLockInState(bytes32 id, ConditionState actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ConditionNotInState.selector, id, Condition.LockReward, actual, ConditionState.Unfulfilled
            )
        );
    }
}
