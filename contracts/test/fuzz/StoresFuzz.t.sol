// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {Dispenser} from "../../src/Dispenser.sol";
import {NeverminedToken} from "../../src/NeverminedToken.sol";
import {TemplateState, TemplateStoreManager} from "../../src/TemplateStoreManager.sol";
import {Deployed} from "../support/Deployed.sol";
import {vm} from "../support/Vm.sol";

/// Every call of the store of templates, the token and the dispenser with any arguments from any caller.
contract StoresFuzzTest {
    address private constant ADMIN = address(0x0111);

    TemplateStoreManager private templates;
    NeverminedToken private token;
    Dispenser private dispenser;

    function setUp() public {
        vm.warp(1_700_000_000);
        templates = Deployed.templates(ADMIN);
        token = Deployed.token(ADMIN);
        dispenser = Deployed.dispenser(token, ADMIN);
        bytes32 minter = token.MINTER_ROLE();
        vm.prank(ADMIN);
        token.grantRole(minter, address(dispenser));
    }

    /// In each step anybody or the owner proposes, approves or revokes: states only move 0 → 1 → 2 → 3.
    function testFuzz_TemplatesMoveForwardOnly(address template, address caller, uint64 choices) public {
        TemplateState state = TemplateState.Uninitialized;
        for (uint256 i = 0; i < 16; ++i) {
            uint256 choice = (choices >> (4 * i)) & 15;
            address sender = choice < 12 ? ADMIN : caller;
            uint256 step = choice % 3;
            bytes4[3] memory calls = [
                TemplateStoreManager.proposeTemplate.selector,
                TemplateStoreManager.approveTemplate.selector,
                TemplateStoreManager.revokeTemplate.selector
            ];
            vm.prank(sender);
            (bool done,) = address(templates).call(abi.encodeWithSelector(calls[step], template));
            bool possible = uint256(state) == step && (step == 0 || sender == ADMIN);
            vm.assertEq(done, possible, "step");
            if (done) state = TemplateState(step + 1);
            vm.assertEq(uint256(templates.getTemplateState(template)), uint256(state));
            vm.assertEq(templates.isTemplateApproved(template), state == TemplateState.Approved, "approved");
        }
    }

    function testFuzz_OnlyAMinterMintsAndNeverBeyondTheCap(address caller, address account, uint256 amount) public {
        bool minter = token.hasRole(token.MINTER_ROLE(), caller);
        bool possible = minter && account != address(0) && amount <= token.cap();
        vm.prank(caller);
        try token.mint(account, amount) {
            vm.assertTrue(possible, "minted");
            vm.assertEq(token.balanceOf(account), amount);
        } catch {
            vm.assertFalse(possible, "refused");
            vm.assertEq(token.totalSupply(), 0);
        }
    }

    function testFuzz_AMinterMintsUpToTheCap(address account, uint256 first, uint256 second) public {
        vm.assume(account != address(0));
        first %= token.cap() + 1;
        vm.startPrank(ADMIN);
        token.mint(account, first);
        bool fits = second <= token.cap() - first;
        try token.mint(account, second) {
            vm.assertTrue(fits, "beyond the cap");
        } catch {
            vm.assertFalse(fits, "refused below the cap");
        }
        vm.stopPrank();
    }

    function testFuzz_TheDispenserKeepsItsLimits(
        address caller,
        uint32 most,
        uint40 everything,
        uint16 period,
        uint32[4] memory amounts,
        uint16[4] memory waits
    ) public {
        vm.assume(caller != address(0));
        uint256 given = 0;
        everything %= 5_000_000_000;
        vm.prank(ADMIN);
        dispenser.setLimits(most, everything, period);
        uint256 earliest = period;
        for (uint256 i = 0; i < 4; ++i) {
            vm.warp(vm.getBlockTimestamp() + waits[i]);
            uint256 amount = amounts[i];
            bool possible = amount <= most && vm.getBlockTimestamp() >= earliest && given + amount <= everything
                && (given + amount) * 1 ether <= token.cap();
            vm.prank(caller);
            try dispenser.requestTokens(amount) {
                vm.assertTrue(possible, "given");
                given += amount;
                earliest = vm.getBlockTimestamp() + period;
            } catch {
                vm.assertFalse(possible, "refused");
            }
            vm.assertEq(token.balanceOf(caller), given * 1 ether);
            vm.assertEq(dispenser.dispensed(), given);
        }
    }

    function testFuzz_OnlyTheOwnerSetsLimits(address caller, uint256 most, uint256 everything, uint256 period) public {
        vm.assume(caller != ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        vm.prank(caller);
        dispenser.setLimits(most, everything, period);
        vm.assertEq(dispenser.maxAmount(), 1000);
    }

    function testFuzz_OwnershipMovesOnlyToWhoAccepts(address next, address caller) public {
        vm.assume(next != ADMIN && caller != next);
        vm.prank(ADMIN);
        templates.transferOwnership(next);
        vm.assertEq(templates.owner(), ADMIN);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller));
        vm.prank(caller);
        templates.acceptOwnership();
        vm.prank(next);
        templates.acceptOwnership();
        vm.assertEq(templates.owner(), next);
    }
}
