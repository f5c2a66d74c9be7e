// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {ComputeExecutionCondition} from "../../src/ComputeExecutionCondition.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// refund(terms)
/// ├── given the agreement is locked and the grant deadline has come
/// │   ├── it returns the price to the consumer, whoever calls
/// │   ├── it aborts grant and escrow
/// │   └── it emits TimedOut, then Aborted
/// ├── given the agreement is locked, one second before
/// │   └── it reverts NotTimedOut
/// ├── given the agreement is open and the settle deadline has come
/// │   ├── it returns what is left to the consumer
/// │   ├── it aborts the escrow only
/// │   └── it emits Aborted without TimedOut
/// ├── given the agreement is open, one second before
/// │   └── it reverts NotTimedOut
/// ├── given the agreement is created
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is paid
/// │   └── it reverts ConditionNotInState forever
/// ├── given the agreement is closed
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is refunded
/// │   └── it reverts ConditionNotInState
/// ├── given no agreement has these terms
/// │   └── it reverts AgreementUnknown
/// └── when the service is free
///     └── it aborts without calling the token
contract RefundTest is World {
    function test_GivenNoGrantCame_ItReturnsThePrice() public {
        Terms memory t = _terms();
        uint256 before = token.balanceOf(CONSUMER);
        _lock(t);
        vm.warp(START + t.grantTimeout);
        vm.prank(STRANGER);
        template.refund(t);
        vm.assertEq(token.balanceOf(CONSUMER), before);
        vm.assertEq(token.balanceOf(STRANGER), 0);
        _assertBalances(0, 0, 0);
    }

    function test_GivenNoGrantCame_ItAbortsGrantAndEscrow() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.warp(START + t.grantTimeout);
        template.refund(t);
        _assertStates(id, 2, 3, 3);
    }

    function test_GivenNoGrantCame_ItEmitsTimedOutThenAborted() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.warp(START + t.grantTimeout);
        vm.expectEmit(address(template));
        emit ComputeExecutionCondition.TimedOut(id, did, CONSUMER);
        vm.expectEmit(address(template));
        emit EscrowReward.Aborted(id, CONSUMER, GATEWAY, 0, PRICE);
        template.refund(t);
    }

    function test_OneSecondBeforeTheGrantDeadline_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        _expectTooEarly(t, START + t.grantTimeout);
    }

    function test_GivenNoReceiptCame_ItReturnsWhatIsLeft() public {
        Terms memory t = _terms();
        uint256 before = token.balanceOf(CONSUMER);
        _open(t);
        _settle(t, _charge(0, 4 ether));
        vm.warp(START + t.timeout + t.settleTimeout);
        vm.prank(STRANGER);
        template.refund(t);
        vm.assertEq(token.balanceOf(CONSUMER), before - 4 ether);
        _assertBalances(1.2 ether, 2.8 ether, 0);
    }

    function test_GivenNoReceiptCame_ItAbortsTheEscrowOnly() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.warp(START + t.timeout + t.settleTimeout);
        template.refund(t);
        _assertStates(id, 2, 2, 3);
    }

    function test_GivenNoReceiptCame_ItEmitsAbortedWithoutTimedOut() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _settle(t, _charge(0, 4 ether));
        vm.warp(START + t.timeout + t.settleTimeout);
        vm.recordLogs();
        template.refund(t);
        bytes32[] memory topics = vm.getRecordedLogs()[0].topics;
        vm.assertEq(topics[0], EscrowReward.Aborted.selector, "the first event");
        vm.assertEq(topics[1], id, "its agreement");
    }

    function test_OneSecondBeforeTheSettleDeadline_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        _expectTooEarly(t, START + t.timeout + t.settleTimeout);
    }

    function test_GivenTheAgreementIsCreated_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        _expectReverts(t, id, Condition.LockReward, ConditionState.Unfulfilled, ConditionState.Fulfilled);
    }

    function test_GivenTheAgreementIsPaid_ItRevertsForever() public {
        Terms memory t = _terms();
        bytes32 id = _paid(t);
        _expectReverts(t, id, Condition.EscrowReward, ConditionState.Fulfilled, ConditionState.Unfulfilled);
    }

    function test_GivenTheAgreementIsClosed_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _closed(t);
        _expectReverts(t, id, Condition.EscrowReward, ConditionState.Fulfilled, ConditionState.Unfulfilled);
    }

    function test_GivenTheAgreementIsRefunded_ItReverts() public {
        Terms memory t = _terms();
        _lock(_terms());
        bytes32 id = _refunded(t);
        _expectReverts(t, id, Condition.EscrowReward, ConditionState.Aborted, ConditionState.Unfulfilled);
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        template.refund(t);
    }

    function test_WhenTheServiceIsFree_ItAbortsWithoutCallingTheToken() public {
        Terms memory t = _freeTerms();
        bytes32 id = _lock(t);
        vm.warp(START + t.grantTimeout);
        vm.expectCall(address(token), "", 0);
        template.refund(t);
        _assertStates(id, 2, 3, 3);
    }

    function _expectTooEarly(Terms memory t, uint256 deadline) private {
        vm.warp(deadline - 1);
        vm.expectRevert(abi.encodeWithSelector(NotTimedOut.selector, deadline - 1, deadline));
        template.refund(t);
        _assertBalances(0, 0, PRICE);
    }

    function _expectReverts(
        Terms memory t,
        bytes32 id,
        Condition condition,
        ConditionState actual,
        ConditionState expected
    ) private {
        vm.warp(START + t.timeout + t.settleTimeout + 1);
        vm.expectRevert(abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected));
        template.refund(t);
    }
}
