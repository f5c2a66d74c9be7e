// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Settlement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {Wallet} from "../support/Wallet.sol";
import {World} from "../support/World.sol";
import {Vm, vm} from "../support/Vm.sol";

/// EscrowReward.fulfill(terms, settlement, providerSignature)
/// ├── given the agreement is open
/// │   ├── with the full price
/// │   │   ├── it pays each receiver its amount
/// │   │   ├── it is paid, and not closed
/// │   │   └── it emits PaymentReleased, then Fulfilled
/// │   ├── with a part of the price
/// │   │   ├── it pays the receivers in proportion
/// │   │   ├── it stays open
/// │   │   └── it emits PaymentReleased only
/// │   ├── with the rest of the price
/// │   │   └── it pays what is left of each amount, and is paid
/// │   ├── with a part of the price as the last
/// │   │   ├── it returns the rest to the consumer
/// │   │   ├── it is closed
/// │   │   └── it emits PaymentReleased and Fulfilled with both sums
/// │   ├── with the full price as the last
/// │   │   └── it is closed and returns nothing
/// │   ├── with no charge and a receipt
/// │   │   └── it commits the receipt and stays open
/// │   ├── with no charge and no receipt as the last
/// │   │   ├── it returns everything at once
/// │   │   └── it emits PaymentReleased and Fulfilled without a receipt
/// │   ├── with no charge, no receipt and not the last
/// │   │   └── it reverts ReceiptRequired
/// │   ├── with a charge and no receipt
/// │   │   ├── it reverts ReceiptRequired
/// │   │   └── as the last, it reverts ReceiptRequired
/// │   ├── with more than the rest
/// │   │   └── it reverts ChargeExceedsRemainder
/// │   ├── with an index that is settled
/// │   │   ├── below 64, it reverts ExecutionAlreadySettled
/// │   │   ├── from 64 on, it reverts ExecutionAlreadySettled
/// │   │   └── with the largest index, it reverts ExecutionAlreadySettled
/// │   ├── one second before the settle deadline, it settles
/// │   └── at the settle deadline, it reverts DeadlinePassed
/// ├── given the agreement is paid
/// │   ├── with no charge and a receipt
/// │   │   └── it commits the receipt and stays paid
/// │   ├── with a charge
/// │   │   └── it reverts ChargeExceedsRemainder
/// │   ├── with no receipt as the last
/// │   │   └── it reverts ReceiptRequired
/// │   ├── with a receipt as the last
/// │   │   └── it is closed without a second Fulfilled
/// │   └── at the settle deadline, it reverts DeadlinePassed
/// ├── given the agreement is closed
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is refunded after its grant
/// │   ├── it reverts DeadlinePassed
/// │   └── it would revert ConditionNotInState even if time went back
/// ├── given the agreement is refused
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is locked
/// │   └── it reverts ConditionNotInState
/// ├── given the agreement is created
/// │   └── it reverts ConditionNotInState
/// ├── given no agreement has these terms
/// │   └── it reverts AgreementUnknown
/// ├── given the service is free
/// │   └── it is paid by the first receipt, without calling the token
/// ├── when somebody other than the provider calls
/// │   ├── with the provider's signature, it settles
/// │   ├── with the ERC-1271 signature of a contract that is the provider, it settles
/// │   ├── without a signature, it reverts InvalidSignature
/// │   ├── with the signature of another settlement, it reverts InvalidSignature
/// │   └── with the signature for another agreement, it reverts InvalidSignature
/// └── when one address is receiver twice
///     └── it gets both shares in one transfer
contract EscrowRewardTest is World {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function test_WithTheFullPrice_ItPaysEachReceiverItsAmount() public {
        _paid(_terms());
        _assertBalances(3 ether, 7 ether, 0);
    }

    function test_WithTheFullPrice_ItIsPaidAndNotClosed() public {
        bytes32 id = _paid(_terms());
        _assertStates(id, 2, 2, 2);
        vm.assertFalse(template.getAgreement(id).closed, "closed");
        vm.assertEq(uint256(template.getAgreement(id).settled), PRICE);
    }

    function test_WithTheFullPrice_ItEmitsPaymentReleasedThenFulfilled() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 0, PRICE, RECEIPT, false);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(id, CONSUMER, GATEWAY, PRICE, 0);
        _settle(t, _charge(0, PRICE));
    }

    function test_WithAPart_ItPaysInProportion() public {
        Terms memory t = _terms();
        _open(t);
        _settle(t, _charge(0, 1 ether));
        _assertBalances(0.3 ether, 0.7 ether, 9 ether);
    }

    function test_WithAPart_ItStaysOpen() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _settle(t, _charge(0, 1 ether));
        _assertStates(id, 2, 2, 1);
        vm.assertEq(uint256(template.getAgreement(id).settled), 1 ether);
    }

    function test_WithAPart_ItEmitsPaymentReleasedOnly() public {
        Terms memory t = _terms();
        _open(t);
        vm.recordLogs();
        _settle(t, _charge(5, 1 ether));
        _assertTemplateEvents(1);
    }

    function test_WithTheRest_ItPaysWhatIsLeftOfEachAmount() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _settle(t, _charge(0, 1));
        _settle(t, _charge(1, 3));
        _settle(t, _charge(2, PRICE - 4));
        _assertBalances(3 ether, 7 ether, 0);
        _assertStates(id, 2, 2, 2);
    }

    function test_WithAPartAsTheLast_ItReturnsTheRest() public {
        uint256 before = token.balanceOf(CONSUMER);
        _closed(_terms());
        vm.assertEq(token.balanceOf(CONSUMER), before - PRICE / 2);
        _assertBalances(1.5 ether, 3.5 ether, 0);
    }

    function test_WithAPartAsTheLast_ItIsClosed() public {
        bytes32 id = _closed(_terms());
        _assertStates(id, 2, 2, 2);
        vm.assertTrue(template.getAgreement(id).closed, "closed");
    }

    function test_WithAPartAsTheLast_ItEmitsBothSums() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 7, 4 ether, RECEIPT, true);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(id, CONSUMER, GATEWAY, 4 ether, 6 ether);
        _settle(t, _lastCharge(7, 4 ether));
    }

    function test_WithTheFullPriceAsTheLast_ItIsClosedAndReturnsNothing() public {
        Terms memory t = _terms();
        uint256 before = token.balanceOf(CONSUMER);
        bytes32 id = _open(t);
        _settle(t, _lastCharge(0, PRICE));
        vm.assertTrue(template.getAgreement(id).closed, "closed");
        vm.assertEq(token.balanceOf(CONSUMER), before - PRICE);
    }

    function test_WithNoChargeAndAReceipt_ItCommitsTheReceiptAndStaysOpen() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 3, 0, RECEIPT, false);
        _settle(t, _charge(3, 0));
        _assertStates(id, 2, 2, 1);
        _assertBalances(0, 0, PRICE);
    }

    function test_WithNothingAsTheLast_ItReturnsEverythingAtOnce() public {
        uint256 before = token.balanceOf(CONSUMER);
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _settle(t, _giveBack(0));
        vm.assertEq(token.balanceOf(CONSUMER), before);
        _assertBalances(0, 0, 0);
        _assertStates(id, 2, 2, 2);
    }

    function test_WithNothingAsTheLast_ItEmitsNoReceipt() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 0, 0, 0, true);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(id, CONSUMER, GATEWAY, 0, PRICE);
        _settle(t, _giveBack(0));
    }

    function test_WithNothingAndNotTheLast_ItReverts() public {
        _expectReceiptRequired(Settlement(0, 0, 0, false));
    }

    function test_WithAChargeAndNoReceipt_ItReverts() public {
        _expectReceiptRequired(Settlement(0, 1, 0, false));
    }

    function test_WithAChargeAndNoReceiptAsTheLast_ItReverts() public {
        _expectReceiptRequired(Settlement(0, 1, 0, true));
    }

    function test_WithMoreThanTheRest_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        _settle(t, _charge(0, 4 ether));
        vm.expectRevert(abi.encodeWithSelector(ChargeExceedsRemainder.selector, 6 ether + 1, 6 ether));
        _settle(t, _charge(1, 6 ether + 1));
        _assertBalances(1.2 ether, 2.8 ether, 6 ether);
    }

    function test_WithASettledIndexBelow64_ItReverts() public {
        _expectSettledOnce(0);
        _expectSettledOnce(63);
    }

    function test_WithASettledIndexFrom64On_ItReverts() public {
        _expectSettledOnce(64);
        _expectSettledOnce(256);
    }

    function test_WithTheLargestIndexTwice_ItReverts() public {
        _expectSettledOnce(type(uint32).max);
    }

    function test_OneSecondBeforeTheSettleDeadline_ItSettles() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.warp(START + t.timeout + t.settleTimeout - 1);
        _settle(t, _charge(0, PRICE));
        _assertStates(id, 2, 2, 2);
    }

    function test_AtTheSettleDeadline_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        _expectTooLate(t, _charge(0, PRICE));
        _assertBalances(0, 0, PRICE);
    }

    function test_GivenItIsPaid_AReceiptWithoutChargeIsCommitted() public {
        Terms memory t = _terms();
        bytes32 id = _paid(t);
        vm.recordLogs();
        _settle(t, _charge(1, 0));
        _assertTemplateEvents(1);
        _assertStates(id, 2, 2, 2);
        vm.assertFalse(template.getAgreement(id).closed, "closed");
        vm.assertTrue(template.isExecutionSettled(id, 1), "the receipt is committed");
    }

    function test_GivenItIsPaid_AChargeReverts() public {
        Terms memory t = _terms();
        _paid(t);
        vm.expectRevert(abi.encodeWithSelector(ChargeExceedsRemainder.selector, 1, 0));
        _settle(t, _charge(1, 1));
    }

    function test_GivenItIsPaid_ClosingWithoutAReceiptReverts() public {
        Terms memory t = _terms();
        bytes32 id = _paid(t);
        vm.expectRevert(abi.encodeWithSelector(ReceiptRequired.selector, id, 1));
        _settle(t, _giveBack(1));
    }

    function test_GivenItIsPaid_ALastReceiptClosesItWithoutASecondFulfilled() public {
        Terms memory t = _terms();
        bytes32 id = _paid(t);
        vm.recordLogs();
        _settle(t, _lastCharge(1, 0));
        _assertTemplateEvents(1);
        vm.assertTrue(template.getAgreement(id).closed, "closed");
    }

    function test_GivenItIsPaid_AtTheSettleDeadline_ItReverts() public {
        Terms memory t = _terms();
        _paid(t);
        _expectTooLate(t, _charge(1, 0));
    }

    function test_GivenItIsClosed_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _closed(t);
        _expectReverts(t, id, Condition.EscrowReward, ConditionState.Fulfilled, ConditionState.Unfulfilled);
    }

    function test_GivenItIsRefundedAfterItsGrant_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        uint256 deadline = START + t.timeout + t.settleTimeout;
        vm.warp(deadline);
        template.refund(t);
        _expectTooLate(t, _charge(0, 1));
    }

    function test_GivenItIsRefundedAfterItsGrant_ItWouldRevertEvenIfTimeWentBack() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.warp(START + t.timeout + t.settleTimeout);
        template.refund(t);
        vm.warp(START);
        _expectReverts(t, id, Condition.EscrowReward, ConditionState.Aborted, ConditionState.Unfulfilled);
    }

    function test_GivenItIsRefused_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _refunded(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Aborted, ConditionState.Fulfilled);
    }

    function test_GivenItIsLocked_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Unfulfilled, ConditionState.Fulfilled);
    }

    function test_GivenItIsCreated_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _create(t);
        _expectReverts(t, id, Condition.ComputeExecution, ConditionState.Unfulfilled, ConditionState.Fulfilled);
    }

    function test_GivenNoAgreementHasTheseTerms_ItReverts() public {
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(AgreementUnknown.selector, template.agreementId(t)));
        _settle(t, _charge(0, 1));
    }

    function test_GivenTheServiceIsFree_ItIsPaidByTheFirstReceipt() public {
        Terms memory t = _freeTerms();
        vm.expectCall(address(token), "", 0);
        bytes32 id = _open(t);
        _assertStates(id, 2, 2, 1);
        _settle(t, _charge(0, 0));
        _assertStates(id, 2, 2, 2);
        vm.assertTrue(template.checkPermissions(t, CONSUMER, t.workflowId), "permission");
    }

    function test_WithTheSignatureOfTheProvider_AnybodySettles() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Settlement memory s = _charge(0, PRICE);
        bytes memory signature = _sign(GATEWAY_KEY, template.settlementDigest(id, s));
        vm.prank(STRANGER);
        template.fulfill(t, s, signature);
        _assertBalances(3 ether, 7 ether, 0);
        vm.assertEq(token.balanceOf(STRANGER), 0);
    }

    function test_WithTheSignatureOfAContract_AnybodySettles() public {
        Terms memory t = _terms();
        t.provider = address(new Wallet(GATEWAY));
        vm.prank(OWNER);
        registry.addDIDProvider(did, t.provider);
        bytes32 id = _open(t);
        Settlement memory s = _charge(0, PRICE);
        template.fulfill(t, s, _sign(GATEWAY_KEY, template.settlementDigest(id, s)));
        _assertBalances(3 ether, 7 ether, 0);
    }

    function test_WithoutSignature_AStrangerCannotSettle() public {
        Terms memory t = _terms();
        _open(t);
        _expectStrangerFails(t, _charge(0, PRICE), "");
    }

    function test_WithTheSignatureOfAnotherSettlement_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        bytes memory signature = _sign(GATEWAY_KEY, template.settlementDigest(id, _charge(0, 1)));
        _expectStrangerFails(t, _charge(0, PRICE), signature);
        _expectStrangerFails(t, _charge(1, 1), signature);
        _expectStrangerFails(t, _lastCharge(0, 1), signature);
        _expectStrangerFails(t, Settlement(0, 1, keccak256("other receipt"), false), signature);
    }

    function test_WithTheSignatureForAnotherAgreement_ItReverts() public {
        bytes32 other = _open(_terms());
        Terms memory t = _terms();
        _open(t);
        Settlement memory s = _charge(0, PRICE);
        _expectStrangerFails(t, s, _sign(GATEWAY_KEY, template.settlementDigest(other, s)));
    }

    function test_WhenOneAddressIsReceiverTwice_ItGetsBothSharesInOneTransfer() public {
        Terms memory t = _terms();
        t.receivers[1] = GATEWAY;
        _open(t);
        vm.expectEmit(address(token));
        emit Transfer(address(template), GATEWAY, PRICE);
        _settle(t, _charge(0, PRICE));
        _assertBalances(PRICE, 0, 0);
    }

    function _expectReceiptRequired(Settlement memory s) private {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectRevert(abi.encodeWithSelector(ReceiptRequired.selector, id, s.index));
        _settle(t, s);
        _assertBalances(0, 0, PRICE);
    }

    function _expectSettledOnce(uint32 index) private {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.assertFalse(template.isExecutionSettled(id, index), "settled before");
        _settle(t, _charge(index, 1));
        vm.assertTrue(template.isExecutionSettled(id, index), "settled");
        vm.expectRevert(abi.encodeWithSelector(ExecutionAlreadySettled.selector, id, index));
        _settle(t, _charge(index, 1));
    }

    function _expectTooLate(Terms memory t, Settlement memory s) private {
        uint256 deadline = START + t.timeout + t.settleTimeout;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline, deadline));
        _settle(t, s);
    }

    function _expectReverts(
        Terms memory t,
        bytes32 id,
        Condition condition,
        ConditionState actual,
        ConditionState expected
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected));
        _settle(t, _charge(9, 0));
    }

    function _expectStrangerFails(Terms memory t, Settlement memory s, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, GATEWAY));
        vm.prank(STRANGER);
        template.fulfill(t, s, signature);
    }

    function _assertTemplateEvents(uint256 expected) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(template)) ++count;
        }
        vm.assertEq(count, expected, "events of the template");
    }
}
