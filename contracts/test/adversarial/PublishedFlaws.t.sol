// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Settlement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {Attack} from "../support/Attack.sol";
import {vm} from "../support/Vm.sol";

/// What the published contracts of the specification's generation allowed, and these do not:
///
/// F1 paying when access is issued, without the receipt of any execution
/// F2 one purchase that permits forever: after the timeout, after a refund, after a late grant, for another agreement
/// F3 a workflow that the agreement does not name
/// F4 prices and times that nobody compares
/// F5 a document that changes after the purchase
/// F6 access tokens that anybody can use are the gateway's: tests/gateway/test_sign_in.py
/// F7 taking the money locked for somebody else's agreement, and taking ids before their owner
/// F8 naming any consumer, and any or only the first provider
/// F9 paying out after the escrow's own timeout
/// F10 anybody paying for anybody
contract PublishedFlawsTest is Attack {
    function test_F1_AGrantReleasesNoMoney() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectRevert(abi.encodeWithSelector(ReceiptRequired.selector, id, 0));
        _settle(t, Settlement(0, uint128(PRICE), 0, false));
        _assertVictimsPriceInEscrow();
    }

    function test_F2_APermissionEndsWithTheTimeout() public {
        Terms memory t = _terms();
        _paid(t);
        vm.warp(START + t.timeout);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
    }

    function test_F2_APermissionDoesNotSurviveARefund() public {
        Terms memory t = _terms();
        (t.grantTimeout, t.timeout, t.settleTimeout) = (60, 60, 0);
        _open(t);
        vm.warp(START + 60);
        template.refund(t);
        vm.warp(START + 59);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
        _assertVictimWhole();
    }

    function test_F2_ALateGrantPermitsNothing() public {
        Terms memory t = _terms();
        _lock(t);
        vm.warp(START + t.grantTimeout);
        vm.expectPartialRevert(DeadlinePassed.selector);
        _grant(t);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
        template.refund(t);
        _assertVictimWhole();
    }

    function test_F2_APermissionOfOneAgreementIsNoneOfAnother() public {
        Terms memory first = _terms();
        _open(first);
        Terms memory second = _terms();
        _lock(second);
        vm.assertTrue(template.checkPermissions(first, CONSUMER, first.workflowId), "first");
        vm.assertFalse(template.checkPermissions(second, CONSUMER, second.workflowId), "second");
    }

    function test_F3_AnotherWorkflowIsNotPermitted() public {
        Terms memory t = _terms();
        _open(t);
        vm.assertFalse(template.checkPermissions(t, CONSUMER, keccak256("reads all data")), "another workflow");
        t.workflowHash = keccak256("another version");
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "another version");
    }

    function test_F4_PriceAndTimesArePartOfTheAgreement() public {
        Terms memory t = _terms();
        _create(t);
        t.amounts = _split(1, 1);
        vm.expectPartialRevert(AgreementUnknown.selector);
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), 2);
        t.amounts = _split(3 ether, 7 ether);
        t.timeout *= 2;
        vm.expectPartialRevert(AgreementUnknown.selector);
        vm.prank(CONSUMER);
        template.fulfill(t, address(template), PRICE);
    }

    function test_F5_TheBoughtVersionOfTheDocumentIsPartOfTheAgreement() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.prank(OWNER);
        registry.updateAttribute(did, keccak256("worse conditions"), "https://owner");
        vm.assertEq(template.agreementId(t), id);
        t.inputsHash = keccak256("worse conditions");
        vm.assertFalse(template.checkPermissions(t, CONSUMER, t.workflowId), "the new version");
    }

    function test_F7_TheLockOfAVictimPaysNoOtherAgreement() public {
        Terms memory victims = _terms();
        _open(victims);
        Terms memory thiefs = _terms();
        vm.prank(ATTACKER);
        thiefs.did = registry.registerAttribute("bait", keccak256("ddo"), new address[](0), "https://attacker");
        (thiefs.consumer, thiefs.provider) = (ATTACKER, ATTACKER);
        _payAttacker(thiefs);
        vm.startPrank(ATTACKER);
        bytes32 id = template.createAgreement(thiefs, "");
        // Only its own lock counts, and there is none.
        vm.expectRevert(
            abi.encodeWithSelector(
                ConditionNotInState.selector,
                id,
                Condition.ComputeExecution,
                ConditionState.Unfulfilled,
                ConditionState.Fulfilled
            )
        );
        template.fulfill(thiefs, _charge(0, PRICE), "");
        vm.stopPrank();
        _assertVictimsPriceInEscrow();
    }

    function test_F7_NobodyCanOccupyAnAgreementThatTheyPredict() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(ATTACKER);
        template.createAgreement(t, "");
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(GATEWAY);
        template.createAgreement(t, "");
        _lock(t);
        _assertVictimsPriceInEscrow();
    }

    function test_F8_AnAgreementNamesAConsumerWhoAgreedAndAProviderOfTheAsset() public {
        Terms memory t = _terms();
        bytes memory signature = _signTerms(ATTACKER_KEY, t);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, CONSUMER));
        vm.prank(ATTACKER);
        template.createAgreement(t, signature);

        t.provider = ATTACKER;
        vm.expectRevert(abi.encodeWithSelector(NotDIDProvider.selector, did, ATTACKER));
        _create(t);
    }

    function test_F8_EveryProviderOfTheAssetCanBeNamed() public {
        vm.prank(OWNER);
        registry.addDIDProvider(did, STRANGER);
        Terms memory t = _terms();
        t.provider = STRANGER;
        _assertStates(_open(t), 2, 2, 1);
    }

    function test_F9_NothingIsPaidOutAfterTheTimeForSettling() public {
        Terms memory t = _terms();
        _open(t);
        vm.warp(START + t.timeout + t.settleTimeout);
        vm.expectPartialRevert(DeadlinePassed.selector);
        _settle(t, _charge(0, PRICE));
        template.refund(t);
        _assertVictimWhole();
    }

    function test_F10_OnlyTheConsumerPays() public {
        Terms memory t = _terms();
        _create(t);
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, ATTACKER, CONSUMER));
        vm.prank(ATTACKER);
        template.fulfill(t, address(template), PRICE);
        _assertVictimWhole();
    }
}
