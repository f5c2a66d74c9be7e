// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {ComputeExecutionCondition} from "../../src/ComputeExecutionCondition.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// ComputeExecutionCondition.fulfill(terms, documentId, grantee)
/// ├── given the agreement is locked
/// │   ├── it grants
/// │   ├── it emits Fulfilled with workflow and expiry
/// │   ├── it moves no money
/// │   ├── when somebody other than the provider calls
/// │   │   └── it reverts CallerMismatch
/// │   ├── when the document is a different one
/// │   │   └── it reverts DocumentMismatch
/// │   ├── when the grantee is not the consumer
/// │   │   └── it reverts GranteeMismatch
/// │   ├── one second before the grant deadline
/// │   │   └── it grants
/// │   ├── at the grant deadline
/// │   │   └── it reverts DeadlinePassed and permits nothing
/// │   └── given the provider has been removed from the asset
/// │       └── it still grants
/// ├── given the agreement is created
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is granted
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is refunded
/// │   └── it reverts ConditionNotInState
/// └── given no agreement has these terms
///     └── it reverts AgreementUnknown
contract ComputeExecutionTest is World {
    function test_ItGrants() public {
        _assertStates(_open(_terms()), 2, 2, 1);
    }

    function test_ItEmitsFulfilledWithWorkflowAndExpiry() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.warp(_now() + 10);
        bytes32 conditionId = template.conditionId(id, Condition.ComputeExecution);
        vm.expectEmit(address(template));
        emit ComputeExecutionCondition.Fulfilled(id, did, CONSUMER, conditionId, t.workflowId, START + t.timeout);
        _grant(t);
    }

    function test_ItMovesNoMoney() public {
        _open(_terms());
        _assertBalances(0, 0, PRICE);
    }

    function test_WhenSomebodyElseCalls_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, CONSUMER, GATEWAY));
        vm.prank(CONSUMER);
        template.fulfill(t, did, CONSUMER);
    }

    function test_WhenTheDocumentIsAnotherOne_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        bytes32 other = keccak256("other");
        vm.expectRevert(abi.encodeWithSelector(DocumentMismatch.selector, other, did));
        vm.prank(GATEWAY);
        template.fulfill(t, other, CONSUMER);
    }

    function test_WhenTheGranteeIsNotTheConsumer_ItReverts() public {
        Terms memory t = _terms();
        _lock(t);
        vm.expectRevert(abi.encodeWithSelector(GranteeMismatch.selector, STRANGER, CONSUMER));
        vm.prank(GATEWAY);
        template.fulfill(t, did, STRANGER);
    }

    function test_OneSecondBeforeTheGrantDeadline_ItGrants() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.warp(_now() + t.grantTimeout - 1);
        _grant(t);
        _assertStates(id, 2, 2, 1);
    }

    function test_AtTheGrantDeadline_ItRevertsAndPermitsNothing() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        uint256 deadline = _now() + t.grantTimeout;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline, deadline));
        _grant(t);
        _assertStates(id, 2, 1, 1);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
    }

    function test_GivenTheProviderWasRemovedMeanwhile_ItStillGrants() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        vm.prank(OWNER);
        registry.removeDIDProvider(did, GATEWAY);
        _grant(t);
        _assertStates(id, 2, 2, 1);
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

    function test_GivenTheAgreementIsRefunded_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _refunded(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Aborted, ConditionState.Unfulfilled);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        _grant(t);
    }

    function _expectReverts(
        Terms memory t,
        bytes32 id,
        Condition condition,
        ConditionState actual,
        ConditionState expected
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected));
        _grant(t);
    }
}
