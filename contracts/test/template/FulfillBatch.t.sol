// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Item, Settlement, Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// fulfillBatch(items)
/// ├── with executions of several agreements
/// │   ├── it settles each of them
/// │   ├── it emits the events of each of them
/// │   └── it makes one transfer per receiver
/// ├── with several executions of one agreement
/// │   ├── it settles them in their order
/// │   └── it emits Fulfilled once
/// ├── with one agreement in two items
/// │   └── it settles both
/// ├── with more than eight different receivers
/// │   └── it pays each of them
/// ├── with one bad item
/// │   ├── an index twice in an item, it reverts ExecutionAlreadySettled
/// │   ├── an index twice in two items, it reverts ExecutionAlreadySettled
/// │   ├── a charge beyond the rest, it reverts ChargeExceedsRemainder
/// │   ├── an execution after the last, it reverts ConditionNotInState
/// │   ├── an agreement that is not granted, it reverts ConditionNotInState
/// │   ├── an agreement at its settle deadline, it reverts DeadlinePassed
/// │   └── an agreement of another provider, it reverts CallerMismatch
/// ├── without executions in an item
/// │   └── it changes nothing
/// ├── without items
/// │   └── it does nothing
/// └── when somebody other than the provider calls
///     └── it reverts CallerMismatch
contract FulfillBatchTest is World {
    event Transfer(address indexed from, address indexed to, uint256 value);

    function test_ItSettlesEachAgreement() public {
        (Item[] memory items, bytes32[] memory ids) = _threeAgreements();
        _batch(items);
        _assertStates(ids[0], 2, 2, 2);
        _assertStates(ids[1], 2, 2, 1);
        _assertStates(ids[2], 2, 2, 2);
        vm.assertTrue(template.getAgreement(ids[2]).closed, "closed");
        _assertBalances(3.6 ether, 8.4 ether, 9 ether);
    }

    function test_ItEmitsTheEventsOfEachAgreement() public {
        (Item[] memory items, bytes32[] memory ids) = _threeAgreements();
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(ids[0], 0, PRICE, RECEIPT, false);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(ids[0], CONSUMER, GATEWAY, PRICE, 0);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(ids[1], 0, 1 ether, RECEIPT, false);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(ids[2], 0, 1 ether, RECEIPT, true);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(ids[2], CONSUMER, GATEWAY, 1 ether, 9 ether);
        _batch(items);
    }

    function test_ItMakesOneTransferPerReceiver() public {
        (Item[] memory items,) = _threeAgreements();
        vm.expectEmit(address(token));
        emit Transfer(address(template), OWNER, 8.4 ether);
        vm.expectEmit(address(token));
        emit Transfer(address(template), GATEWAY, 3.6 ether);
        vm.expectEmit(address(token));
        emit Transfer(address(template), CONSUMER, 9 ether);
        _batch(items);
    }

    function test_ItSettlesSeveralExecutionsInTheirOrder() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _batch(_one(t, _charge(4, 1 ether), _charge(100, 2 ether), _lastCharge(2, 3 ether)));
        _assertBalances(1.8 ether, 4.2 ether, 0);
        vm.assertTrue(template.getAgreement(id).closed, "closed");
        vm.assertTrue(template.isExecutionSettled(id, 100), "settled");
    }

    function test_ItEmitsFulfilledOnce() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 0, PRICE, RECEIPT, false);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 1, 0, RECEIPT, false);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentReleased(id, 2, 0, RECEIPT, true);
        vm.expectEmit(address(template));
        emit EscrowReward.Fulfilled(id, CONSUMER, GATEWAY, PRICE, 0);
        _batch(_one(t, _charge(0, PRICE), _charge(1, 0), _lastCharge(2, 0)));
    }

    function test_WithOneAgreementInTwoItems_ItSettlesBoth() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _batch(_two(_item(t, _charge(0, 4 ether)), _item(t, _charge(1, 6 ether))));
        _assertStates(id, 2, 2, 2);
        _assertBalances(3 ether, 7 ether, 0);
    }

    function test_WithMoreThanEightReceivers_ItPaysEachOfThem() public {
        Item[] memory items = new Item[](2);
        for (uint256 i = 0; i < 2; ++i) {
            Terms memory t = _terms();
            (t.amounts, t.receivers) = (new uint256[](8), new address[](8));
            for (uint256 j = 0; j < 8; ++j) {
                (t.amounts[j], t.receivers[j]) = (i + 1, address(uint160(0x2000 + 6 * i + j)));
            }
            _open(t);
            items[i] = _item(t, _charge(0, 8 * (i + 1)));
        }
        _batch(items);
        vm.assertEq(token.balanceOf(address(0x2000)), 1, "only in the first");
        vm.assertEq(token.balanceOf(address(0x2006)), 3, "in both, added up");
        vm.assertEq(token.balanceOf(address(0x200d)), 2, "only in the second");
        vm.assertEq(token.balanceOf(address(template)), 0, "escrow");
    }

    function test_WithAnIndexTwiceInAnItem_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Settlement memory s = _charge(70, 1);
        _expectBatchReverts(_one(t, _charge(0, 1), s, s), abi.encodeWithSelector(ExecutionAlreadySettled.selector, id, 70));
    }

    function test_WithAnIndexTwiceInTwoItems_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Item memory item = _item(t, _charge(5, 1));
        _expectBatchReverts(_two(item, item), abi.encodeWithSelector(ExecutionAlreadySettled.selector, id, 5));
    }

    function test_WithAChargeBeyondTheRest_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        _expectBatchReverts(
            _one(t, _charge(0, 4 ether), _charge(1, 6 ether), _charge(2, 1)),
            abi.encodeWithSelector(ChargeExceedsRemainder.selector, 1, 0)
        );
    }

    function test_WithAnExecutionAfterTheLast_ItReverts() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        _expectBatchReverts(
            _one(t, _charge(0, 1), _lastCharge(1, 1), _charge(2, 0)),
            _notInState(id, Condition.EscrowReward, ConditionState.Fulfilled, ConditionState.Unfulfilled)
        );
    }

    function test_WithAnAgreementThatIsNotGranted_ItReverts() public {
        Terms memory good = _terms();
        _open(good);
        Terms memory bad = _terms();
        bytes32 id = _lock(bad);
        _expectBatchReverts(
            _two(_item(good, _charge(0, 1)), _item(bad, _charge(0, 1))),
            _notInState(id, Condition.ComputeExecution, ConditionState.Unfulfilled, ConditionState.Fulfilled)
        );
    }

    function test_WithAnAgreementAtItsSettleDeadline_ItReverts() public {
        Terms memory early = _terms();
        _open(early);
        vm.warp(_now() + 1);
        Terms memory late = _terms();
        _open(late);
        uint256 deadline = START + early.timeout + early.settleTimeout;
        vm.warp(deadline);
        _expectBatchReverts(
            _two(_item(late, _charge(0, 1)), _item(early, _charge(0, 1))),
            abi.encodeWithSelector(DeadlinePassed.selector, deadline, deadline)
        );
    }

    function test_WithAnAgreementOfAnotherProvider_ItReverts() public {
        Terms memory mine = _terms();
        _open(mine);
        Terms memory theirs = _terms();
        theirs.provider = OWNER;
        _open(theirs);
        _expectBatchReverts(
            _two(_item(mine, _charge(0, 1)), _item(theirs, _charge(0, 1))),
            abi.encodeWithSelector(CallerMismatch.selector, GATEWAY, OWNER)
        );
    }

    function test_WithoutExecutionsInAnItem_ItChangesNothing() public {
        Item[] memory items = new Item[](1);
        items[0].terms = _freeTerms();
        bytes32 id = _open(items[0].terms);
        _batch(items);
        _assertStates(id, 2, 2, 1);
    }

    function test_WithoutItems_ItDoesNothing() public {
        _batch(new Item[](0));
        _assertBalances(0, 0, 0);
    }

    function test_WhenSomebodyElseCalls_ItReverts() public {
        Terms memory t = _terms();
        _open(t);
        Item[] memory items = new Item[](1);
        items[0] = _item(t, _charge(0, PRICE));
        vm.expectRevert(abi.encodeWithSelector(CallerMismatch.selector, STRANGER, GATEWAY));
        vm.prank(STRANGER);
        template.fulfillBatch(items);
    }

    /// @dev One settlement in full, one in part, and one that closes with a rest of nine.
    function _threeAgreements() private returns (Item[] memory items, bytes32[] memory ids) {
        (items, ids) = (new Item[](3), new bytes32[](3));
        for (uint256 i = 0; i < 3; ++i) {
            items[i].terms = _terms();
            ids[i] = _open(items[i].terms);
        }
        items[0] = _item(items[0].terms, _charge(0, PRICE));
        items[1] = _item(items[1].terms, _charge(0, 1 ether));
        items[2] = _item(items[2].terms, _lastCharge(0, 1 ether));
    }

    function _one(Terms memory t, Settlement memory a, Settlement memory b, Settlement memory c)
        private
        pure
        returns (Item[] memory items)
    {
        items = new Item[](1);
        items[0].terms = t;
        items[0].settlements = new Settlement[](3);
        (items[0].settlements[0], items[0].settlements[1], items[0].settlements[2]) = (a, b, c);
    }

    function _two(Item memory a, Item memory b) private pure returns (Item[] memory items) {
        items = new Item[](2);
        (items[0], items[1]) = (a, b);
    }

    function _batch(Item[] memory items) private {
        vm.prank(GATEWAY);
        template.fulfillBatch(items);
    }

    /// @dev One bad item reverts the batch: nobody is paid for the good ones either.
    function _expectBatchReverts(Item[] memory items, bytes memory reason) private {
        vm.expectRevert(reason);
        _batch(items);
        vm.assertEq(token.balanceOf(GATEWAY) + token.balanceOf(OWNER), 0, "paid");
    }

    function _notInState(bytes32 id, Condition condition, ConditionState actual, ConditionState expected)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(ConditionNotInState.selector, id, condition, actual, expected);
    }
}
