// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, Settlement, Terms} from "../../src/Agreement.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// What the random run of test/invariant does not vary: any terms at creation, and the ids that depend on them. That run
/// makes the calls that move an agreement on, from any caller and at any time.
contract TemplateFuzzTest is World {
    uint256 private constant MOST = type(uint128).max;

    /// Creation is possible for exactly the terms of contracts/docs/Create-and-lock.md.
    function testFuzz_AnyTermsAreCreatedOrRefused(
        uint32[3] memory times,
        int16 wait,
        uint256[10] memory amounts,
        uint160[10] memory receivers,
        uint8 counts,
        uint8 odd
    ) public {
        Terms memory t = _terms();
        uint32[5] memory edges = [uint32(0), 1, 366 days, 366 days + 1, type(uint32).max];
        t.timeout = odd & 1 == 0 ? times[0] % 400 days : edges[times[0] % 5];
        t.grantTimeout = odd & 2 == 0 ? times[1] % 400 days : t.timeout;
        t.settleTimeout = odd & 4 == 0 ? times[2] % 400 days : edges[times[2] % 5];
        t.deadline = uint40(uint256(int256(START) + wait));
        t.amounts = new uint256[](counts & 15 > 10 ? 3 : counts & 15);
        t.receivers = new address[](odd & 8 == 0 ? t.amounts.length : counts >> 5);
        for (uint256 i = 0; i < t.amounts.length; ++i) {
            t.amounts[i] = odd & 16 == 0 ? 1 + amounts[i] % MOST / 10 : amounts[i];
        }
        for (uint256 i = 0; i < t.receivers.length; ++i) {
            t.receivers[i] = odd & 32 == 0 ? address(receivers[i] | 1) : address(receivers[i] & 1);
        }
        bool possible = _possible(t);
        vm.prank(CONSUMER);
        try template.createAgreement(t, "") returns (bytes32 id) {
            vm.assertTrue(possible, "created");
            vm.assertEq(id, template.agreementId(t));
            vm.assertEq(uint256(template.getAgreement(id).start), START);
        } catch {
            vm.assertFalse(possible, "refused");
            vm.assertEq(uint256(template.getAgreement(template.agreementId(t)).start), 0);
        }
    }

    function testFuzz_IdsDeriveFromAgreementContractAndCondition(bytes32 id, uint8 choice) public view {
        Condition condition = Condition(choice % 3);
        bytes32 expected = keccak256(abi.encode(id, address(template), uint256(condition)));
        vm.assertEq(template.conditionId(id, condition), expected);
    }

    function testFuzz_TwoSettlementsHaveTwoDigests(bytes32 id, Settlement memory one, Settlement memory two, bytes32 other)
        public
        view
    {
        bool same = keccak256(abi.encode(one)) == keccak256(abi.encode(two));
        bytes32 digest = template.settlementDigest(id, one);
        vm.assertEq(digest == template.settlementDigest(id, two), same, "digest");
        vm.assertEq(digest == template.settlementDigest(other, one), id == other, "agreement");
    }

    function testFuzz_WhatIsUnknownIsNothing(bytes32 id, uint32 index, address account) public view {
        vm.assertEq(uint256(template.getAgreement(id).start), 0);
        vm.assertFalse(template.isExecutionSettled(id, index), "settled");
        vm.assertEq(template.claimable(account), 0);
        vm.assertFalse(template.checkPermissions(_termsOf(id), account, id), "permitted");
    }

    function _termsOf(bytes32 seed) private view returns (Terms memory t) {
        t.seed = seed;
        t.did = did;
        (t.consumer, t.provider) = (CONSUMER, GATEWAY);
    }

    function _possible(Terms memory t) private view returns (bool) {
        if (START > t.deadline) return false;
        if (t.timeout == 0 || t.timeout > 366 days || t.settleTimeout > 366 days) return false;
        if (t.grantTimeout == 0 || t.grantTimeout > t.timeout) return false;
        if (t.amounts.length != t.receivers.length || t.amounts.length > 8) return false;
        uint256 total = 0;
        for (uint256 i = 0; i < t.amounts.length; ++i) {
            if (t.receivers[i] == address(0) || t.receivers[i] == address(template)) return false;
            if (t.amounts[i] == 0 || t.amounts[i] > MOST) return false;
            total += t.amounts[i];
        }
        return total <= MOST;
    }
}
