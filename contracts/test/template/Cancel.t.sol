// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// cancel(terms)
/// ├── given the agreement is created
/// │   ├── it aborts all three conditions
/// │   ├── it emits Aborted without any money
/// │   ├── after the deadline, it still cancels
/// │   └── when somebody other than the consumer calls
/// │       └── it reverts CallerMismatch
/// ├── given the agreement is locked
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is cancelled
/// │   └── it reverts ConditionNotInState
/// └── given no agreement has these terms
///     └── it reverts AgreementUnknown
contract CancelTest is World {
    function test_ItAbortsAllThreeConditions() public {
        _assertStates(_cancelled(_terms()), 3, 3, 3);
    }

    function test_ItEmitsAbortedWithoutAnyMoney() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        vm.expectEmit(address(template));
        emit EscrowReward.Aborted(id, CONSUMER, GATEWAY, 0, 0);
        vm.prank(CONSUMER);
        template.cancel(t);
    }

    function test_AfterTheDeadline_ItStillCancels() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        vm.warp(uint256(t.deadline) + 1);
        vm.prank(CONSUMER);
        template.cancel(t);
        _assertStates(id, 3, 3, 3);
    }

    function test_WhenSomebodyElseCalls_ItReverts() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, GATEWAY, CONSUMER));
        vm.prank(GATEWAY);
        template.cancel(t);
    }

    function test_GivenTheAgreementIsLocked_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        _expectReverts(t, id, ConditionState.Fulfilled);
    }

    function test_GivenTheAgreementIsCancelled_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _cancelled(t);
        _expectReverts(t, id, ConditionState.Aborted);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        vm.prank(CONSUMER);
        template.cancel(t);
    }

    function _expectReverts(Terms memory t, bytes32 id, ConditionState actual) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                ConditionNotInState.selector, id, Condition.LockReward, actual, ConditionState.Unfulfilled
            )
        );
        vm.prank(CONSUMER);
        template.cancel(t);
    }
}
