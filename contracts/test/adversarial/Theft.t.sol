// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Item, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {ServiceExecutionTemplate} from "../../src/ServiceExecutionTemplate.sol";
import {Attack} from "../support/Attack.sol";
import {vm} from "../support/Vm.sol";

/// A1  theft with one's own agreement that points at a victim's lock, or with changed terms
/// A2  squatting: creating for somebody else with a missing, wrong or malleated signature
/// A3  granting late
/// A4  settling twice or after the last settlement, refunding after the close, locking twice
/// A5  settling more than the price, alone and in a batch
/// A6  racing settlement against refund
/// A7  replaying a signature on another chain, on another deployment, a second time
contract TheftTest is Attack {
    function test_A1_AnOwnAgreementCannotReachTheLockOfAVictim() public {
        _lock(_terms());

        Terms memory own = _attackersTerms();
        vm.prank(ATTACKER);
        template.createAgreement(own, "");
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.fulfill(own, own.did, ATTACKER);
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.fulfill(own, _charge(0, PRICE), "");
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.refund(own);
        _assertVictimsPriceInEscrow();
    }

    function testFuzz_A1_ChangedTermsGiveAnUnknownAgreement(uint256 choice, uint256 mask) public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Terms memory changed = _mutate(t, choice, mask);
        vm.assume(keccak256(abi.encode(changed)) != keccak256(abi.encode(t)));
        bytes memory unknown = abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(changed));
        vm.assertNotEq(template.agreementId(changed), id, "id");

        vm.warp(START + 1000 days);
        vm.expectRevert(unknown);
        template.refund(changed);
        vm.warp(START);
        vm.expectRevert(unknown);
        vm.prank(changed.provider);
        template.fulfill(changed, _charge(0, 1), "");
        vm.expectRevert(unknown);
        vm.prank(changed.provider);
        template.refuse(changed);
        vm.assertFalse(template.checkPermissions(changed, changed.consumer, changed.workflowId), "permission");
        _assertVictimsPriceInEscrow();
    }

    function test_A2_NobodyCanCreateForAnotherConsumer() public {
        Terms memory t = _terms();
        bytes memory own = _signTerms(ATTACKER_KEY, t);
        bytes memory malleated = _malleate(_signTerms(CONSUMER_KEY, t));
        bytes memory truncated = _cut(_signTerms(CONSUMER_KEY, t));
        bytes[4] memory signatures = [bytes(""), own, malleated, truncated];
        for (uint256 i = 0; i < signatures.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
            vm.prank(ATTACKER);
            template.createAgreementAndLock(t, signatures[i], _noPermit());
        }
        _assertVictimWhole();
        _lock(t);
    }

    function test_A3_ALateGrantChangesNothing() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        uint256 deadline = START + t.grantTimeout;
        for (uint256 late = 0; late < 3; ++late) {
            vm.warp(deadline + late * 1 days);
            vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline + late * 1 days, deadline));
            _grant(t);
        }
        _assertStates(id, 2, 1, 1);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
        _assertVictimsPriceInEscrow();
    }

    function test_A4_NothingIsPaidTwice() public {
        Terms memory t = _terms();
        _lock(_terms());
        bytes32 id = _open(t);
        uint32[4] memory indices = [uint32(0), 63, 64, 1_000_000];
        for (uint256 i = 0; i < indices.length; ++i) {
            _settle(t, _charge(indices[i], 1 ether));
            vm.expectRevert(abi.encodeWithSelector(ExecutionAlreadySettled.selector, id, indices[i]));
            _settle(t, _charge(indices[i], 1 ether));
        }
        _settle(t, _lastCharge(1, 1 ether));

        bytes memory closed = _escrowFulfilled(id);
        vm.expectRevert(closed);
        _settle(t, _charge(2, 0));
        vm.warp(START + 1000 days);
        vm.expectRevert(closed);
        template.refund(t);
        vm.warp(START);
        vm.expectPartialRevert(ConditionNotInState.selector);
        _lock(t);

        _assertBalances(1.5 ether, 3.5 ether, PRICE);
        vm.assertEq(token.balanceOf(CONSUMER), VICTIMS_MONEY - PRICE - 5 ether);
    }

    function test_A5_NobodyIsPaidMoreThanThePrice() public {
        Terms memory t = _terms();
        _lock(_terms());
        _open(t);
        _settle(t, _charge(0, 1 ether));
        vm.expectRevert(abi.encodeWithSelector(ChargeExceedsRemainder.selector, PRICE, 9 ether));
        _settle(t, _charge(1, PRICE));
        vm.expectRevert(abi.encodeWithSelector(ChargeExceedsRemainder.selector, type(uint128).max, 9 ether));
        _settle(t, _charge(1, type(uint128).max));

        Item[] memory items = new Item[](2);
        items[0] = _item(t, _charge(1, 9 ether));
        items[1] = _item(t, _charge(2, 1));
        vm.expectRevert(abi.encodeWithSelector(ChargeExceedsRemainder.selector, 1, 0));
        vm.prank(GATEWAY);
        template.fulfillBatch(items);
        _assertBalances(0.3 ether, 0.7 ether, 19 ether);
    }

    function test_A6_ExactlyOneOfSettlementAndRefundIsPossibleAtAnyInstant() public {
        Terms memory t = _terms();
        _open(t);
        uint256 deadline = START + t.timeout + t.settleTimeout;
        _assertEither(t, deadline - 1, true);
        _assertEither(t, deadline, false);
        _assertEither(t, deadline + 1, false);
    }

    function test_A6_ExactlyOneOfGrantAndRefundIsPossibleAtAnyInstant() public {
        Terms memory t = _terms();
        _lock(t);
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(START + t.grantTimeout - 1 + i);
            uint256 before = vm.snapshotState();
            vm.assertEq(_tryGrant(t), i == 0, "grant");
            vm.revertToState(before);
            vm.assertEq(_tryRefund(t), i != 0, "refund");
            vm.revertToState(before);
        }
    }

    function test_A7_ASignatureOfAnotherChainIsWorthless() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(ATTACKER);
        template.createAgreementAndLock(t, signature, _noPermit());
        _assertVictimWhole();
    }

    function test_A7_ASignatureOfAnotherDeploymentIsWorthless() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        ServiceExecutionTemplate other = _deployTemplate();
        vm.prank(CONSUMER);
        token.approve(address(other), type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(ATTACKER);
        other.createAgreementAndLock(t, signature, _noPermit());
        _assertVictimWhole();
    }

    function test_A7_ASignatureWorksOnce() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        vm.prank(ATTACKER);
        bytes32 id = template.createAgreementAndLock(t, signature, _noPermit());
        vm.expectRevert(abi.encodeWithSelector(AgreementExists.selector, id));
        vm.prank(ATTACKER);
        template.createAgreement(t, signature);
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.createAgreementAndLock(t, signature, _noPermit());

        // Nor does it revive a refunded agreement.
        vm.prank(GATEWAY);
        template.refuse(t);
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.createAgreementAndLock(t, signature, _noPermit());
        _assertVictimWhole();
    }

    /// @dev Changes one word of the terms, wherever it is.
    function _mutate(Terms memory t, uint256 choice, uint256 mask) private pure returns (Terms memory changed) {
        changed = abi.decode(abi.encode(t), (Terms));
        choice %= 16;
        if (choice == 0) changed.seed ^= bytes32(mask);
        if (choice == 1) changed.did ^= bytes32(mask);
        if (choice == 2) changed.inputsHash ^= bytes32(mask);
        if (choice == 3) changed.workflowId ^= bytes32(mask);
        if (choice == 4) changed.workflowHash ^= bytes32(mask);
        if (choice == 5) changed.consumer = address(uint160(mask));
        if (choice == 6) changed.provider = address(uint160(mask));
        if (choice == 7) changed.serviceIndex = uint32(mask);
        if (choice == 8) changed.deadline = uint40(mask);
        if (choice == 9) changed.grantTimeout = uint32(mask);
        if (choice == 10) changed.timeout = uint32(mask);
        if (choice == 11) changed.settleTimeout = uint32(mask);
        if (choice == 12) changed.amounts[0] = mask >> 128;
        if (choice == 13) changed.amounts[1] = mask >> 128;
        if (choice == 14) changed.receivers[0] = address(uint160(mask));
        if (choice == 15) changed.receivers[1] = address(uint160(mask));
    }

    /// @dev The other signature of the same message: s → n − s, v flipped.
    function _malleate(bytes memory signature) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s, uint8 v) = (bytes32(0), bytes32(0), uint8(signature[64]));
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
        }
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - uint256(s), v == 27 ? 28 : 27);
    }

    function _cut(bytes memory signature) private pure returns (bytes memory shorter) {
        shorter = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            shorter[i] = signature[i];
        }
    }

    function _assertEither(Terms memory t, uint256 time, bool settles) private {
        vm.warp(time);
        uint256 before = vm.snapshotState();
        vm.assertEq(_trySettle(t), settles, "settlement");
        vm.revertToState(before);
        vm.assertEq(_tryRefund(t), !settles, "refund");
        vm.revertToState(before);
    }

    function _tryGrant(Terms memory t) private returns (bool done) {
        vm.prank(GATEWAY);
        try template.fulfill(t, t.did, t.consumer) {
            done = true;
        } catch {}
    }

    function _trySettle(Terms memory t) private returns (bool done) {
        vm.prank(GATEWAY);
        try template.fulfill(t, _charge(0, PRICE), "") {
            done = true;
        } catch {}
    }

    function _tryRefund(Terms memory t) private returns (bool done) {
        try template.refund(t) {
            done = true;
        } catch {}
    }
}
