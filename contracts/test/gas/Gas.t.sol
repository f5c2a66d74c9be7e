// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Item, Permit, Settlement, Terms} from "../../src/Agreement.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// @notice Measures what every operation costs. Run with --isolate, so that each call is a transaction of its own.
contract GasTest is World {
    event log_named_uint(string key, uint256 value);

    function setUp() public override {
        super.setUp();
        // Balances of escrow and receivers are never zero, and the consumer has used a permit before.
        Terms memory t = _terms();
        t.deadline += 100000;
        _lock(t);
        t = _terms();
        _paid(t);
        t = _terms();
        Permit memory p = _signPermit(CONSUMER_KEY, PRICE, _now() + 1);
        template.createAgreementAndLock(t, _signTerms(CONSUMER_KEY, t), p);
        vm.prank(CONSUMER);
        token.approve(address(template), 0);
    }

    function _one(Terms memory t) internal view returns (Terms memory) {
        t.amounts = new uint256[](1);
        t.amounts[0] = PRICE;
        t.receivers = new address[](1);
        t.receivers[0] = GATEWAY;
        return t;
    }

    function _report(string memory name) internal {
        emit log_named_uint(name, vm.lastCallGas().gasTotalUsed);
    }

    function _flow(Terms memory t) internal {
        Permit memory p = _signPermit(CONSUMER_KEY, PRICE, _now() + 1);
        vm.prank(CONSUMER);
        template.createAgreementAndLock(t, "", p);
        _report("create+lock");
        _grant(t);
        _report("grant");
        uint256 s = vm.snapshotState();
        _settle(t, _charge(0, PRICE));
        _report("settle full");
        vm.revertToState(s);
        _settle(t, _charge(0, PRICE/2));
        _report("settle partial (first)");
        _settle(t, _charge(1, PRICE/4));
        _report("settle partial (further)");
        _settle(t, _lastCharge(2, 1));
        _report("settle last with refund");
    }

    function test_flow1() public { _flow(_one(_terms())); }
    function test_flow2() public { _flow(_terms()); }
}

contract Prof is GasTest {
    function test_prof() public {
        Terms memory t = _one(_terms());
        Permit memory p = _signPermit(CONSUMER_KEY, PRICE, _now() + 1);
        vm.prank(CONSUMER);
        template.createAgreementAndLock(t, "", p);
        _grant(t);
        _settle(t, _charge(0, PRICE / 2));
    }
}
