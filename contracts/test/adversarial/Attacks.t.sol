// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Item, Permit, Settlement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {NotDIDOwner, DIDExists, ValueTooLong} from "../../src/DIDErrors.sol";
import {ServiceExecutionTemplate} from "../../src/ServiceExecutionTemplate.sol";
import {Attack} from "../support/Attack.sol";
import {vm} from "../support/Vm.sol";

/// A1  theft by an own agreement that points at a victim's lock, or by changed terms
/// A2  squatting: creating for somebody else, with no, a wrong, or a malleated signature
/// A3  granting late
/// A4  settling twice, after the last, refunding after the close, locking twice
/// A5  settling more than the price, alone and in a batch
/// A6  racing settlement against refund
/// A7  replaying a signature on another chain, on another deployment, a second time
/// A11 using a permit before its owner does
/// A12 creating a gasless agreement before its relayer does
/// A13 an asset that is not registered, with nobody as provider
/// A14 a stranger locks, grants, settles, batches; payment without a receipt; tampered terms
/// A15 malformed splits
/// A16 dust
/// A17 publishing a signed last settlement before the others
/// A18 taking, changing or blocking somebody's asset
/// A19 revoking the template in the middle of an agreement
/// A20 one bad item in a batch
contract AttacksTest is Attack {
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

        // Neither does it revive an agreement that was refunded.
        vm.prank(GATEWAY);
        template.refuse(t);
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(ATTACKER);
        template.createAgreementAndLock(t, signature, _noPermit());
        _assertVictimWhole();
    }

    function test_A11_APermitThatSomebodyUsedBeforeDoesNotBlockThePurchase() public {
        vm.prank(CONSUMER);
        token.approve(address(template), 0);
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        Permit memory p = _signPermit(CONSUMER_KEY, PRICE, _now());
        vm.prank(ATTACKER);
        IERC20Permit(address(token)).permit(CONSUMER, address(template), PRICE, p.deadline, p.v, p.r, p.s);
        vm.prank(STRANGER);
        template.createAgreementAndLock(t, signature, p);
        _assertVictimsPriceInEscrow();
    }

    function test_A12_CreatingAGaslessAgreementBeforeItsRelayerDoesNotBlockIt() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, t);
        vm.prank(ATTACKER);
        template.createAgreement(t, signature);
        vm.prank(STRANGER);
        bytes32 id = template.createAgreementAndLock(t, signature, _noPermit());
        _assertStates(id, 2, 1, 1);
        _assertVictimsPriceInEscrow();
    }

    function test_A12_LockingAnOfferBeforeItsRelayerDoesNotBlockIt() public {
        Terms memory t = _terms();
        bytes memory order = _signTerms(CONSUMER_KEY, t);
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        vm.prank(ATTACKER);
        template.createAgreementAndLock(t, order, _noPermit());
        vm.prank(STRANGER);
        _assertStates(template.createLockGrant(t, order, _noPermit(), offer), 2, 2, 1);
        _assertVictimsPriceInEscrow();
    }

    function test_A13_AnAssetThatIsNotRegisteredHasNoProvider() public {
        Terms memory t = _terms();
        (t.did, t.provider) = (keccak256("nothing"), address(0));
        vm.expectRevert(abi.encodeWithSelector(NotDIDProvider.selector, t.did, address(0)));
        _lock(t);
        t.did = did;
        vm.expectRevert(abi.encodeWithSelector(NotDIDProvider.selector, did, address(0)));
        _lock(t);
        _assertVictimWhole();
    }

    function test_A14_AStrangerCanDoNothingWithAnAgreement() public {
        Terms memory t = _terms();
        _create(t);
        vm.startPrank(ATTACKER);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, CONSUMER));
        template.fulfill(t, address(template), PRICE);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, CONSUMER));
        template.cancel(t);
        vm.stopPrank();
        _lock(t);

        vm.startPrank(ATTACKER);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, GATEWAY));
        template.fulfill(t, did, CONSUMER);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, GATEWAY));
        template.refuse(t);
        vm.stopPrank();
        _grant(t);

        Item[] memory items = new Item[](1);
        items[0] = _item(t, _charge(0, PRICE));
        vm.startPrank(ATTACKER);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, GATEWAY));
        template.fulfill(t, _charge(0, PRICE), "");
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, GATEWAY));
        template.fulfillBatch(items);
        vm.expectPartialRevert(NotTimedOut.selector);
        template.refund(t);
        vm.stopPrank();
        _assertVictimsPriceInEscrow();
    }

    function test_A14_NobodyIsPaidWithoutAReceipt() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectRevert(abi.encodeWithSelector(ReceiptRequired.selector, id, 0));
        _settle(t, Settlement(0, uint128(PRICE), 0, false));
        vm.expectRevert(abi.encodeWithSelector(ReceiptRequired.selector, id, 0));
        _settle(t, Settlement(0, uint128(PRICE), 0, true));
        _assertVictimsPriceInEscrow();
    }

    function test_A14_TamperedTermsPermitNothing() public {
        Terms memory t = _terms();
        _open(t);
        t.consumer = ATTACKER;
        vm.assertFalse(template.checkPermissions(t, ATTACKER, t.workflowId), "another consumer");
        t.consumer = CONSUMER;
        t.workflowId = keccak256("workflow of the attacker");
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "another workflow");
    }

    function test_A15_MalformedSplitsLockNothing() public {
        Terms memory t = _terms();
        t.amounts = new uint256[](0);
        vm.expectRevert(abi.encodeWithSelector(LengthMismatch.selector, 0, 2));
        _lock(t);
        t.receivers = new address[](0);
        t.amounts = new uint256[](1);
        t.amounts[0] = PRICE;
        vm.expectRevert(abi.encodeWithSelector(LengthMismatch.selector, 1, 0));
        _lock(t);
        t = _terms();
        t.amounts = _split(type(uint256).max, 2);
        vm.expectRevert(
            abi.encodeWithSelector(TotalTooLarge.selector, type(uint256).max, uint256(type(uint128).max))
        );
        _lock(t);
        _assertVictimWhole();
    }

    function testFuzz_A16_NoSlicingLeavesDust(uint256 seed) public {
        uint256 count = _bound(seed, 1, 8);
        Terms memory t = _terms();
        (t.amounts, t.receivers) = (new uint256[](count), new address[](count));
        uint256 total = 0;
        for (uint256 i = 0; i < count; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            // Every second amount is tiny, down to a single base unit.
            t.amounts[i] = seed & 1 == 0 ? _bound(seed >> 8, 1, 3) : _bound(seed >> 8, 1, 100_000 ether);
            t.receivers[i] = address(uint160(0x3000 + i));
            total += t.amounts[i];
        }
        _open(t);

        uint256 slices = _bound(seed >> 128, 1, 9);
        uint256 left = total;
        for (uint32 i = 0; i < slices; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 charge = i + 1 == slices ? left : _bound(seed, 0, left);
            _settle(t, _charge(i, charge));
            left -= charge;
        }
        for (uint256 i = 0; i < count; ++i) {
            vm.assertEq(token.balanceOf(t.receivers[i]), t.amounts[i], "a receiver has exactly its amount");
        }
        vm.assertEq(token.balanceOf(address(template)), 0, "nothing is left in escrow");
        _assertNoGain();
    }

    function test_A17_ASignedLastSettlementEndsTheAgreementWhoeverSendsIt() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Settlement memory first = _charge(0, 4 ether);
        Settlement memory last = _lastCharge(1, 1 ether);
        bytes memory firstSignature = _sign(GATEWAY_KEY, template.settlementDigest(id, first));
        bytes memory lastSignature = _sign(GATEWAY_KEY, template.settlementDigest(id, last));
        vm.startPrank(ATTACKER);
        template.fulfill(t, last, lastSignature);
        vm.expectRevert(_escrowFulfilled(id));
        template.fulfill(t, first, firstSignature);
        vm.stopPrank();
        // So a provider signs the last one only once the others are final; the attacker has nothing from it.
        _assertNoGain();
        _assertBalances(0.3 ether, 0.7 ether, 0);
    }

    function test_A18_NobodyCanTakeChangeOrBlockAnAsset() public {
        address[] memory nobody = new address[](0);
        vm.startPrank(ATTACKER);
        // The same seed gives the attacker another DID, so the victim's cannot be occupied.
        bytes32 own = registry.registerAttribute("planned", keccak256("ddo"), nobody, "https://attacker");
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, ATTACKER, OWNER));
        registry.updateAttribute(did, keccak256("malware"), "https://attacker");
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, ATTACKER, OWNER));
        registry.transferDIDOwnership(did, ATTACKER);
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, ATTACKER, OWNER));
        registry.addDIDProvider(did, ATTACKER);
        vm.stopPrank();

        vm.prank(OWNER);
        bytes32 planned = registry.registerAttribute("planned", keccak256("ddo"), nobody, "https://owner");
        vm.assertNotEq(planned, own, "DID");
        vm.expectRevert(abi.encodeWithSelector(DIDExists.selector, planned));
        vm.prank(OWNER);
        registry.registerAttribute("planned", keccak256("ddo"), nobody, "https://owner");
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        vm.prank(OWNER);
        registry.updateAttribute(planned, keccak256("ddo"), string(new bytes(2049)));
        _assertNoGain();
    }

    function test_A19_RevokingTheTemplateStrandsNoAgreement() public {
        Terms memory created = _terms();
        _create(created);
        Terms memory locked = _terms();
        _lock(locked);
        Terms memory open = _terms();
        _open(open);
        Terms memory late = _terms();
        _open(late);
        vm.prank(ADMIN);
        templates.revokeTemplate(address(template));

        vm.expectRevert(abi.encodeWithSelector(TemplateNotApproved.selector, address(template)));
        _lock(_terms());
        _lock(created);
        _grant(locked);
        _settle(open, _charge(0, PRICE));
        _settle(locked, _charge(0, PRICE));
        vm.warp(START + late.timeout + late.settleTimeout);
        template.refund(created);
        template.refund(late);
        _assertBalances(6 ether, 14 ether, 0);
        vm.assertEq(token.balanceOf(CONSUMER), VICTIMS_MONEY - 2 * PRICE);
    }

    function test_A20_OneBadItemRevertsABatchAndSinglesStillWork() public {
        Terms memory good = _terms();
        _open(good);
        Terms memory bad = _attackersTerms();
        bad.provider = GATEWAY;
        vm.prank(ATTACKER);
        template.createAgreementAndLock(bad, "", _noPermit());
        Item[] memory items = new Item[](2);
        items[0] = _item(good, _charge(0, PRICE));
        items[1] = _item(bad, _charge(0, PRICE));
        vm.expectPartialRevert(ConditionNotInState.selector);
        vm.prank(GATEWAY);
        template.fulfillBatch(items);
        _settle(good, _charge(0, PRICE));

        vm.warp(START + bad.grantTimeout);
        template.refund(bad);
        _assertNoGain();
        _assertBalances(3 ether, 7 ether, 0);
    }

    /// @dev An agreement of the attacker with itself, on an asset of its own.
    function _attackersTerms() private returns (Terms memory t) {
        t = _terms();
        vm.prank(ATTACKER);
        t.did = registry.registerAttribute("bait", keccak256("ddo"), _gateway(), "https://attacker");
        (t.consumer, t.provider) = (ATTACKER, ATTACKER);
        _payAttacker(t);
    }

    function _gateway() private view returns (address[] memory providers) {
        providers = new address[](1);
        providers[0] = GATEWAY;
    }

    /// @dev Changes one word of the terms, wherever it lies.
    function _mutate(Terms memory t, uint256 choice, uint256 mask) private pure returns (Terms memory changed) {
        changed = abi.decode(abi.encode(t), (Terms));
        choice %= 16;
        if (choice == 0) changed.seed ^= bytes32(mask);
        if (choice == 1) changed.did ^= bytes32(mask);
        if (choice == 2) changed.ddoHash ^= bytes32(mask);
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

    function _escrowFulfilled(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ConditionNotInState.selector,
            id,
            Condition.EscrowReward,
            ConditionState.Fulfilled,
            ConditionState.Unfulfilled
        );
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
