// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {LockRewardCondition} from "../../src/LockRewardCondition.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// LockRewardCondition.fulfill(terms, rewardAddress, amount)
/// ├── given the agreement is created
/// │   ├── it locks, and the times count from now
/// │   ├── it emits Fulfilled
/// │   ├── it moves exactly the price from the consumer
/// │   ├── when somebody other than the consumer calls
/// │   │   └── it reverts CallerMismatch
/// │   ├── when the reward address is not the escrow
/// │   │   └── it reverts RewardAddressMismatch
/// │   ├── when the amount is not the price
/// │   │   └── it reverts AmountMismatch
/// │   ├── at the deadline
/// │   │   └── it locks
/// │   └── after the deadline
/// │       └── it reverts DeadlinePassed
/// ├── given the agreement is locked
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is cancelled
/// │   └── it reverts ConditionNotInState
/// ├── given no agreement has these terms
/// │   └── it reverts AgreementUnknown
/// └── when the service is free
///     └── it locks without calling the token
contract LockRewardTest is World {
    function test_ItLocksAndTheTimesCountFromNow() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        vm.warp(_now() + 60);
        _pay(t);
        _assertStates(id, 2, 1, 1);
        vm.assertEq(uint256(template.getAgreement(id).start), START + 60);
    }

    function test_ItEmitsFulfilled() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        bytes32 conditionId = template.conditionId(id, Condition.LockReward);
        vm.expectEmit(address(template));
        emit LockRewardCondition.Fulfilled(id, did, GATEWAY, conditionId, PRICE);
        _pay(t);
    }

    function test_ItMovesExactlyThePrice() public {
        Terms memory t = _terms();
        _create(t);
        uint256 before = token.balanceOf(CONSUMER);
        _pay(t);
        vm.assertEq(token.balanceOf(CONSUMER), before - PRICE);
        _assertBalances(0, 0, PRICE);
    }

    function test_WhenSomebodyElseCalls_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, STRANGER, CONSUMER));
        vm.prank(STRANGER);
        template.fulfill(t, address(template), PRICE);
    }

    function test_WhenTheRewardAddressIsNotTheEscrow_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(RewardAddressMismatch.selector, STRANGER, address(template)));
        vm.prank(CONSUMER);
        template.fulfill(t, STRANGER, PRICE);
    }

    function test_WhenTheAmountIsNotThePrice_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(AmountMismatch.selector, PRICE - 1, PRICE));
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), PRICE - 1);
    }

    function test_AtTheDeadline_ItLocks() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        vm.warp(t.deadline);
        _pay(t);
        _assertStates(id, 2, 1, 1);
    }

    function test_AfterTheDeadline_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.warp(uint256(t.deadline) + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, uint256(t.deadline) + 1, t.deadline));
        _pay(t);
    }

    function test_GivenTheAgreementIsLocked_ItReverts() public {
        Terms memory t = _terms();
        _expectReverts(t, _lock(t), ConditionState.Fulfilled);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenTheAgreementIsCancelled_ItReverts() public {
        Terms memory t = _terms();
        _expectReverts(t, _cancelled(t), ConditionState.Aborted);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        _pay(t);
    }

    function test_WhenTheServiceIsFree_ItLocksWithoutCallingTheToken() public {
        Terms memory t = _freeTerms();
        bytes32 id = _create(t);
        vm.expectCall(address(token), "", 0);
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), 0);
        _assertStates(id, 2, 1, 1);
    }

    function _pay(Terms memory t) private {
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), PRICE);
    }

    function _expectReverts(Terms memory t, bytes32 id, ConditionState actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ConditionNotInState.selector, id, Condition.LockReward, actual, ConditionState.Unfulfilled
            )
        );
        _pay(t);
    }
}
