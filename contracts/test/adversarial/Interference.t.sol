// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Item, Permit, Settlement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {NotDIDOwner, DIDExists, ValueTooLong} from "../../src/DIDErrors.sol";
import {Attack} from "../support/Attack.sol";
import {vm} from "../support/Vm.sol";

/// A11 using a permit before its owner does
/// A12 creating a gasless agreement before its relayer does
/// A13 an asset that is not registered, with nobody as provider
/// A14 locking, granting, settling and batching by a stranger; payment without a receipt; tampered terms
/// A15 malformed splits
/// A16 dust
/// A17 publishing a signed last settlement before the others
/// A18 taking, changing or blocking somebody's asset
/// A19 revoking the template in the middle of an agreement
/// A20 one bad item in a batch
contract InterferenceTest is Attack {
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
        // So a provider signs the last one only when the others are final; the attacker gains nothing from it.
        _assertNoGain();
        _assertBalances(0.3 ether, 0.7 ether, 0);
    }

    function test_A18_NobodyCanTakeChangeOrBlockAnAsset() public {
        address[] memory nobody = new address[](0);
        vm.startPrank(ATTACKER);
        // The same seed gives the attacker another DID, so nobody can take the victim's first.
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
}
