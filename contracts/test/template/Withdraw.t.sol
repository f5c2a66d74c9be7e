// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Terms} from "../../src/Agreement.sol";
import "../../src/AgreementErrors.sol";
import {EscrowReward} from "../../src/EscrowReward.sol";
import {HostileToken} from "../support/HostileToken.sol";
import {World} from "../support/World.sol";
import {vm} from "../support/Vm.sol";

/// withdraw(who)
/// ├── given a transfer to a receiver failed
/// │   ├── it was credited, and the others were paid
/// │   ├── it pays the credit to the receiver, whoever calls
/// │   ├── it emits PaymentWithdrawn
/// │   ├── a second time, it reverts NothingToWithdraw
/// │   ├── given a second transfer failed, it pays both
/// │   └── given the token still refuses, it reverts and keeps the credit
/// ├── given a token answered false
/// │   └── it was credited
/// ├── given a refund failed
/// │   └── it pays the credit to the consumer
/// └── given nothing is credited
///     └── it reverts NothingToWithdraw
contract WithdrawTest is World {
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

    function test_ItWasCreditedAndTheOthersWerePaid() public {
        hostile.setBlocked(OWNER, true);
        Terms memory t = _terms();
        bytes32 id = _open(t);
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentCredited(OWNER, 7 ether);
        _settle(t, _charge(0, PRICE));

        _assertStates(id, 2, 2, 2);
        _assertBalances(3 ether, 0, 7 ether);
        vm.assertEq(template.claimable(OWNER), 7 ether);
    }

    function test_ItPaysTheCreditToTheReceiver() public {
        _credit();
        vm.prank(STRANGER);
        template.withdraw(OWNER);
        _assertBalances(3 ether, 7 ether, 0);
        vm.assertEq(token.balanceOf(STRANGER), 0);
    }

    function test_ItEmitsPaymentWithdrawn() public {
        _credit();
        vm.expectEmit(address(template));
        emit EscrowReward.PaymentWithdrawn(OWNER, 7 ether);
        template.withdraw(OWNER);
    }

    function test_ASecondTime_ItReverts() public {
        _credit();
        _lock(_terms());
        template.withdraw(OWNER);
        _expectNothing(OWNER);
        _assertBalances(3 ether, 7 ether, PRICE);
    }

    function test_GivenASecondTransferFailed_ItPaysBoth() public {
        _credit();
        _credit();
        template.withdraw(OWNER);
        _assertBalances(6 ether, 14 ether, 0);
    }

    function test_GivenTheTokenStillRefuses_ItRevertsAndKeepsTheCredit() public {
        _credit();
        hostile.setBlocked(OWNER, true);
        vm.expectRevert("blocked");
        template.withdraw(OWNER);
        vm.assertEq(template.claimable(OWNER), 7 ether);
    }

    function test_GivenATokenAnsweredFalse_ItWasCredited() public {
        hostile.setSilent(OWNER, true);
        _paid(_terms());
        vm.assertEq(template.claimable(OWNER), 7 ether);
        hostile.setSilent(OWNER, false);
        template.withdraw(OWNER);
        _assertBalances(3 ether, 7 ether, 0);
    }

    function test_GivenARefundFailed_ItPaysTheCreditToTheConsumer() public {
        uint256 before = token.balanceOf(CONSUMER);
        Terms memory t = _terms();
        bytes32 id = _lock(t);
        hostile.setBlocked(CONSUMER, true);
        vm.prank(GATEWAY);
        template.refuse(t);
        _assertStates(id, 2, 3, 3);
        vm.assertEq(template.claimable(CONSUMER), PRICE);

        hostile.setBlocked(CONSUMER, false);
        template.withdraw(CONSUMER);
        vm.assertEq(token.balanceOf(CONSUMER), before);
    }

    function test_GivenNothingIsCredited_ItReverts() public {
        _lock(_terms());
        _expectNothing(STRANGER);
    }

    function _credit() private {
        hostile.setBlocked(OWNER, true);
        _paid(_terms());
        hostile.setBlocked(OWNER, false);
    }

    function _expectNothing(address who) private {
        vm.expectRevert(abi.encodeWithSelector(NothingToWithdraw.selector, who));
        template.withdraw(who);
    }
}
