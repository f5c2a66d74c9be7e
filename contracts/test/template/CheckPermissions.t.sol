// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Terms} from "../../src/Agreement.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// checkPermissions(terms, consumer, workflowId)
/// ├── given the agreement is open
/// │   ├── it is true for its consumer and workflow
/// │   ├── it is true until one second before the timeout
/// │   ├── it is false from the timeout on
/// │   ├── it is false for somebody else
/// │   └── it is false for another workflow
/// ├── given the agreement is paid
/// │   ├── it is true
/// │   └── it is false from the timeout on
/// ├── given a last settlement closed it
/// │   └── it is false
/// ├── given the provider gave the rest back
/// │   └── it is false
/// ├── given a last receipt closed a paid agreement
/// │   └── it is false
/// ├── given the agreement is created, locked, refused or refunded
/// │   └── it is false
/// ├── when any term is different
/// │   └── it is false
/// ├── when the timeout is the longest
/// │   └── it is true until its last second
/// └── when the time has more than 32 bits, as from the year 2106 on
///     └── it is true until its last second
contract CheckPermissionsTest is World {
    function test_GivenTheAgreementIsOpen_ItIsTrue() public {
        Terms memory t = _terms();
        _open(t);
        _assertPermitted(t, true);
    }

    function test_ItIsTrueUntilOneSecondBeforeTheTimeout() public {
        Terms memory t = _terms();
        _open(t);
        vm.warp(START + t.timeout - 1);
        _assertPermitted(t, true);
    }

    function test_ItIsFalseFromTheTimeoutOn() public {
        Terms memory t = _terms();
        _open(t);
        vm.warp(START + t.timeout);
        _assertPermitted(t, false);
    }

    function test_ItIsFalseForSomebodyElse() public {
        Terms memory t = _terms();
        _open(t);
        vm.assertFalse(template.checkPermissions(t, STRANGER, t.workflowId), "permission of a stranger");
    }

    function test_ItIsFalseForAnotherWorkflow() public {
        Terms memory t = _terms();
        _open(t);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, keccak256("other")), "permission of another workflow");
    }

    function test_GivenTheAgreementIsPaid_ItIsTrue() public {
        Terms memory t = _terms();
        _paid(t);
        _assertPermitted(t, true);
    }

    function test_GivenTheAgreementIsPaid_ItIsFalseFromTheTimeoutOn() public {
        Terms memory t = _terms();
        _paid(t);
        vm.warp(START + t.timeout);
        _assertPermitted(t, false);
    }

    function test_GivenALastSettlementClosedIt_ItIsFalse() public {
        Terms memory t = _terms();
        _closed(t);
        _assertPermitted(t, false);
    }

    function test_GivenTheProviderGaveTheRestBack_ItIsFalse() public {
        Terms memory t = _terms();
        _open(t);
        _settle(t, _giveBack(0));
        _assertPermitted(t, false);
    }

    function test_GivenALastReceiptClosedAPaidAgreement_ItIsFalse() public {
        Terms memory t = _terms();
        _paid(t);
        _settle(t, _lastCharge(1, 0));
        _assertPermitted(t, false);
    }

    function test_GivenItIsNotGranted_ItIsFalse() public {
        Terms memory t = _terms();
        _create(t);
        _assertPermitted(t, false);
        _lock(t);
        _assertPermitted(t, false);
        vm.warp(_now() + t.grantTimeout);
        template.refund(t);
        _assertPermitted(t, false);

        Terms memory refused = _terms();
        _refunded(refused);
        _assertPermitted(refused, false);

        Terms memory expired = _terms();
        _open(expired);
        vm.warp(_now() + expired.timeout + expired.settleTimeout);
        template.refund(expired);
        _assertPermitted(expired, false);
    }

    function test_WhenAnyTermIsAnotherOne_ItIsFalse() public {
        Terms memory t = _terms();
        _open(t);
        t.timeout += 1;
        _assertPermitted(t, false);
        t.timeout -= 1;
        t.workflowHash = keccak256("other document");
        _assertPermitted(t, false);
        t.workflowHash = keccak256("workflow document");
        _assertPermitted(t, true);
    }

    function test_WhenTheTimeoutIsTheLongest_ItIsTrueUntilItsLastSecond() public {
        Terms memory t = _terms();
        (t.timeout, t.settleTimeout) = (366 days, 366 days);
        _open(t);
        vm.warp(START + 366 days - 1);
        _assertPermitted(t, true);
        vm.warp(START + 366 days);
        _assertPermitted(t, false);
    }

    function test_WhenTheTimeHasMoreThan32Bits_ItIsTrueUntilItsLastSecond() public {
        uint256 start = 2 ** 32 - 100;
        vm.warp(start);
        Terms memory t = _terms();
        _open(t);
        vm.warp(start + t.timeout - 1);
        _assertPermitted(t, true);
        vm.warp(start + t.timeout);
        _assertPermitted(t, false);
        _settle(t, _charge(0, PRICE));
    }

    function _assertPermitted(Terms memory t, bool expected) private view {
        vm.assertEq(template.checkPermissions(t, t.consumer, t.workflowId), expected, "permission");
    }
}
