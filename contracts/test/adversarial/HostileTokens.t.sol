// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Item, Settlement, Terms} from "../../src/Agreement.sol";
import {TokenShortfall} from "../../src/AgreementErrors.sol";
import {LockRewardCondition} from "../../src/LockRewardCondition.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {HostileToken} from "../support/HostileToken.sol";
import {Attack} from "../support/Attack.sol";
import {vm} from "../support/Vm.sol";

/// A8  a token that takes a fee, or answers false
/// A9  a token that calls back in the middle of a transfer
/// A10 a token that refuses an account; a sender that starves the transfer of gas
/// A16 dust, with the largest possible total
/// A21 a gift to the escrow
contract HostileTokensTest is Attack {
    HostileToken private hostile;

    function _deployToken() internal override returns (IERC20) {
        hostile = new HostileToken();
        return hostile;
    }

    function _fund(address who, uint256 amount) internal override {
        hostile.mint(who, amount);
        vm.prank(who);
        hostile.approve(address(template), type(uint256).max);
    }

    function test_A8_ATokenThatTakesAFeeLocksNothing() public {
        hostile.setFee(1);
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(TokenShortfall.selector, PRICE - PRICE / 10_000, PRICE));
        _lock(t);
        _assertStates(template.agreementId(t), 0, 0, 0);
        _assertVictimWhole();
    }

    function test_A8_ATokenThatAnswersFalseLocksNothing() public {
        hostile.setSilent(CONSUMER, true);
        Terms memory t = _terms();
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
        _lock(t);
        _assertVictimWhole();
    }

    function test_A9_ACallbackCannotRefundDuringAPayment() public {
        Terms memory own = _refundable();
        Terms memory t = _terms();
        _open(t);
        hostile.setHook(address(template), abi.encodeCall(template.refund, (own)));
        _settle(t, _charge(0, PRICE));
        _assertReentryFailed();
        _assertBalances(3 ether, 7 ether, PRICE);
    }

    function test_A9_ACallbackCannotRefundTwice() public {
        _lock(_terms());
        Terms memory own = _refundable();
        hostile.setHook(address(template), abi.encodeCall(template.refund, (own)));
        vm.prank(ATTACKER);
        template.refund(own);
        _assertReentryFailed();
        _assertVictimsPriceInEscrow();
    }

    function test_A9_ACallbackCannotWithdrawTwice() public {
        _lock(_terms());
        Terms memory own = _refundable();
        hostile.setBlocked(ATTACKER, true);
        template.refund(own);
        hostile.setBlocked(ATTACKER, false);
        hostile.setHook(address(template), abi.encodeCall(template.withdraw, (ATTACKER)));
        template.withdraw(ATTACKER);
        _assertReentryFailed();
        _assertVictimsPriceInEscrow();
    }

    function test_A9_ACallbackCannotSettleTwice() public {
        _lock(_terms());
        Terms memory t = _terms();
        _payAttacker(t);
        bytes32 id = _open(t);
        Settlement memory s = _charge(0, PRICE);
        bytes memory signature = _sign(GATEWAY_KEY, template.settlementDigest(id, s));
        hostile.setHook(address(template), abi.encodeCall(EscrowReward.fulfill, (t, s, signature)));
        template.fulfill(t, s, signature);
        _assertReentryFailed();
        vm.assertEq(token.balanceOf(ATTACKER), ATTACKERS_MONEY + PRICE, "paid once");
        _assertBalances(0, 0, PRICE);
    }

    function test_A9_ACallbackCannotLockASecondAgreementWithTheSameTokens() public {
        Terms memory first = _terms();
        Terms memory second = _terms();
        bytes memory signature = _signTerms(CONSUMER_KEY, second);
        hostile.setHook(
            address(template), abi.encodeCall(template.createAgreementAndLock, (second, signature, _noPermit()))
        );
        _lock(first);
        _assertReentryFailed();
        _assertStates(template.agreementId(second), 0, 0, 0);
        _assertVictimsPriceInEscrow();
    }

    function test_A9_EveryCallThatMovesMoneyIsGuarded() public {
        Terms memory own = _refundable();
        Terms memory t = _terms();
        _create(t);
        _expectGuarded(own, CONSUMER, abi.encodeCall(LockRewardCondition.fulfill, (t, address(template), PRICE)));
        _expectGuarded(own, GATEWAY, abi.encodeCall(template.refuse, (t)));
        t = _terms();
        _expectGuarded(own, CONSUMER, abi.encodeCall(template.createAgreementAndLock, (t, "", _noPermit())));
        _grant(t);
        _expectGuarded(own, GATEWAY, abi.encodeCall(EscrowReward.fulfill, (t, _charge(0, 1 ether), "")));
        Item[] memory items = new Item[](1);
        items[0] = _item(t, _charge(1, 1 ether));
        _expectGuarded(own, GATEWAY, abi.encodeCall(template.fulfillBatch, (items)));
        t = _terms();
        bytes memory offer = _signTerms(GATEWAY_KEY, t);
        _expectGuarded(own, CONSUMER, abi.encodeCall(template.createLockGrant, (t, "", _noPermit(), offer)));
        vm.warp(_now() + t.timeout + t.settleTimeout);
        _expectGuarded(own, STRANGER, abi.encodeCall(template.refund, (t)));
    }

    function test_A10_ARefusedReceiverDoesNotBlockTheOthers() public {
        hostile.setBlocked(GATEWAY, true);
        Terms memory t = _terms();
        _open(t);
        _settle(t, _lastCharge(0, PRICE / 2));
        _assertBalances(0, 3.5 ether, 1.5 ether);
        vm.assertEq(template.claimable(GATEWAY), 1.5 ether);
        vm.assertEq(token.balanceOf(CONSUMER), VICTIMS_MONEY - PRICE / 2);
    }

    function test_A10_ARefusedConsumerDoesNotBlockTheReceivers() public {
        Terms memory t = _terms();
        _open(t);
        hostile.setBlocked(CONSUMER, true);
        _settle(t, _lastCharge(0, PRICE / 2));
        _assertBalances(1.5 ether, 3.5 ether, PRICE / 2);
        vm.assertEq(template.claimable(CONSUMER), PRICE / 2);
    }

    function test_A10_StarvingATransferOfGasCreditsNobody() public {
        Terms memory t = _terms();
        bytes32 id = _open(t);
        Settlement memory s = _charge(0, PRICE);
        bytes memory signature = _sign(GATEWAY_KEY, template.settlementDigest(id, s));
        uint256 successes = 0;
        for (uint256 gas_ = 20_000; gas_ < 160_000; gas_ += 500) {
            uint256 before = vm.snapshotState();
            vm.prank(ATTACKER);
            try template.fulfill{gas: gas_}(t, s, signature) {
                ++successes;
                vm.assertEq(template.claimable(GATEWAY) + template.claimable(OWNER), 0, "credited");
                _assertBalances(3 ether, 7 ether, 0);
            } catch {
                _assertVictimsPriceInEscrow();
            }
            vm.revertToState(before);
        }
        vm.assertGt(successes, 0, "enough gas settles");
    }

    function test_A16_TheLargestTotalSplitsWithoutOverflow() public {
        uint256 total = type(uint128).max;
        hostile.mint(CONSUMER, total);
        Terms memory t = _terms();
        t.amounts = _split(1, total - 1);
        _open(t);
        _settle(t, _charge(0, 1));
        _settle(t, _charge(1, total / 2));
        _settle(t, _charge(2, total - 1 - total / 2));
        _assertBalances(1, total - 1, 0);
        _assertNoGain();
    }

    function test_A21_AGiftToTheEscrowBelongsToNobody() public {
        Terms memory t = _terms();
        _open(t);
        vm.prank(ATTACKER);
        token.transfer(address(template), 5 ether);
        _settle(t, _charge(0, PRICE));
        vm.assertEq(token.balanceOf(ATTACKER), ATTACKERS_MONEY - 5 ether);
        _assertBalances(3 ether, 7 ether, 5 ether);
    }

    /// @dev A locked agreement of the attacker with the gateway, at its grant deadline.
    function _refundable() private returns (Terms memory own) {
        own = _terms();
        own.consumer = ATTACKER;
        vm.prank(ATTACKER);
        template.createAgreementAndLock(own, "", _noPermit());
        vm.warp(_now() + own.grantTimeout);
    }

    /// @dev The call succeeds, and the refund that the token attempts in the middle of it fails.
    function _expectGuarded(Terms memory own, address sender, bytes memory data) private {
        hostile.setHook(address(template), abi.encodeCall(template.refund, (own)));
        vm.prank(sender);
        (bool done,) = address(template).call(data);
        vm.assertTrue(done, "the call succeeds");
        _assertReentryFailed();
    }

    function _assertReentryFailed() private view {
        vm.assertTrue(hostile.hookCalled(), "the callback came");
        vm.assertFalse(hostile.hookSucceeded(), "the callback was refused");
        bytes4 selector = bytes4(hostile.hookResult());
        vm.assertEq(bytes32(selector), bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector));
    }
}
