// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {ComputeExecutionCondition} from "../../src/ComputeExecutionCondition.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// refuse(terms)
/// ├── given the agreement is locked
/// │   ├── it aborts grant and escrow
/// │   ├── it emits Refused, then Aborted with the price
/// │   ├── it returns the whole price to the consumer at once
/// │   ├── after the grant deadline, it still refuses
/// │   └── when somebody other than the provider calls
/// │       └── it reverts CallerMismatch
/// ├── given the agreement is created
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is granted
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is refused
/// │   └── it reverts ConditionNotInState and pays nothing a second time
/// ├── given no agreement has these terms
/// │   └── it reverts AgreementUnknown
/// └── when the service is free
///     └── it refuses without calling the token
contract RefuseTest is World {
    function test_ItAbortsGrantAndEscrow() public {
        _assertStates(_refunded(_terms()), 2, 3, 3);
    }

    function test_ItEmitsRefusedThenAbortedWithThePrice() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.expectEmit(address(template));
        emit ComputeExecutionCondition.Refused(id, did, CONSUMER);
        vm.expectEmit(address(template));
        emit EscrowReward.Aborted(id, CONSUMER, GATEWAY, 0, PRICE);
        _refuse(t);
    }

    function test_ItReturnsTheWholePriceAtOnce() public {
        uint256 before = token.balanceOf(CONSUMER);
        _refunded(_terms());
        vm.assertEq(token.balanceOf(CONSUMER), before);
        _assertBalances(0, 0, 0);
    }

    function test_AfterTheGrantDeadline_ItStillRefuses() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.warp(_now() + t.grantTimeout);
        _refuse(t);
        _assertStates(id, 2, 3, 3);
    }

    function test_WhenSomebodyElseCalls_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, CONSUMER, GATEWAY));
        vm.prank(CONSUMER);
        template.refuse(t);
    }

    function test_GivenTheAgreementIsCreated_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        _expectReverts(t, id, Condition.LockReward, ConditionState.Unfulfilled, ConditionState.Fulfilled);
    }

    function test_GivenTheAgreementIsGranted_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Fulfilled, ConditionState.Unfulfilled);
    }

    function test_GivenTheAgreementIsRefused_ItReverts() public {
        Terms memory t = _terms();
        _lock(_terms());
        bytes32 id = _refunded(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Aborted, ConditionState.Unfulfilled);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        _refuse(t);
    }

    function test_WhenTheServiceIsFree_ItRefusesWithoutCallingTheToken() public {
        vm.expectCall(address(token), "", 0);
        _assertStates(_refunded(_freeTerms()), 2, 3, 3);
    }

    function _refuse(Terms memory t) private {
        vm.prank(GATEWAY);
        template.refuse(t);
    }

    function _expectReverts(
        Terms memory t,
        bytes32 id,
        Condition condition,
        ConditionState actual,
        ConditionState expected
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected));
        _refuse(t);
    }
}
