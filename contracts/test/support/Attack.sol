// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Condition, ConditionState, Terms} from "../../src/Agreement.sol";
import {ConditionNotInState} from "../../src/AgreementErrors.sol";
import {World} from "./World.sol";
import {vm} from "./Vm.sol";

/// @notice A world with an attacker that has its own money, and a victim: the consumer, whose money is in escrow.
abstract contract Attack is World {
    uint256 internal constant ATTACKER_KEY = 0xBAD;
    address internal immutable ATTACKER = vm.addr(ATTACKER_KEY);
    uint256 internal constant ATTACKERS_MONEY = 100 ether;
    uint256 internal constant VICTIMS_MONEY = 1_000_000 ether;

    function setUp() public virtual override {
        super.setUp();
        vm.label(ATTACKER, "attacker");
        _fund(ATTACKER, ATTACKERS_MONEY);
    }

    /// @dev The attacker has as much as before, and can claim nothing.
    function _assertNoGain() internal view {
        vm.assertEq(token.balanceOf(ATTACKER), ATTACKERS_MONEY, "money of the attacker");
        vm.assertEq(template.claimable(ATTACKER), 0, "credit of the attacker");
    }

    /// @dev The victim's price is still in escrow, and nothing else has moved.
    function _assertVictimsPriceInEscrow() internal view {
        _assertNoGain();
        vm.assertEq(token.balanceOf(CONSUMER), VICTIMS_MONEY - PRICE, "money of the victim");
        _assertBalances(0, 0, PRICE);
    }

    /// @dev The victim has all its money, and nothing is in escrow.
    function _assertVictimWhole() internal view {
        _assertNoGain();
        vm.assertEq(token.balanceOf(CONSUMER), VICTIMS_MONEY, "money of the victim");
        _assertBalances(0, 0, 0);
    }

    /// @dev Terms that name the attacker as the only receiver.
    function _payAttacker(Terms memory t) internal view {
        t.amounts = new uint256[](1);
        t.receivers = new address[](1);
        (t.amounts[0], t.receivers[0]) = (PRICE, ATTACKER);
    }

    /// @dev An agreement of the attacker with itself, on its own asset.
    function _attackersTerms() internal returns (Terms memory t) {
        t = _terms();
        vm.prank(ATTACKER);
        t.did = registry.registerAttribute("bait", keccak256("ddo"), _gateway(), "https://attacker");
        (t.consumer, t.provider) = (ATTACKER, ATTACKER);
        _payAttacker(t);
    }

    function _gateway() internal view returns (address[] memory providers) {
        providers = new address[](1);
        providers[0] = GATEWAY;
    }

    function _escrowFulfilled(bytes32 id) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(
            ConditionNotInState.selector,
            id,
            Condition.EscrowReward,
            ConditionState.Fulfilled,
            ConditionState.Unfulfilled
        );
    }
}
