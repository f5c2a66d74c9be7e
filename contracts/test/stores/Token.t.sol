// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";

import {
    Dispenser,
    DispenserExhausted,
    RequestFrequencyExceeded,
    RequestLimitExceeded
} from "../../src/Dispenser.sol";
import {NeverminedToken} from "../../src/NeverminedToken.sol";
import {Deployed} from "../support/Deployed.sol";
import {vm} from "../support/Vm.sol";

/// NeverminedToken
/// ├── it is NeverminedToken, NVM, with 18 decimals
/// ├── when a minter mints, it makes tokens
/// ├── when somebody else mints, it reverts AccessControlUnauthorizedAccount
/// ├── when a minter mints beyond the cap, it reverts ERC20ExceededCap
/// └── when the admin changes, it needs the acceptance of the new admin
///
/// requestTokens(amount)
/// ├── it gives whole tokens and emits TokensRequested
/// ├── with more than the limit, it reverts RequestLimitExceeded
/// ├── before the period is over, it reverts RequestFrequencyExceeded
/// └── given the dispenser has given all, it reverts DispenserExhausted
///
/// setLimits(maxAmount, maxMintAmount, minPeriod)
/// ├── when the owner calls, it changes the limits and emits LimitsChanged
/// └── when somebody else calls, it reverts OwnableUnauthorizedAccount
contract TokenTest {
    address private constant ADMIN = address(0x0111);
    address private constant STRANGER = address(0x0222);

    NeverminedToken private token;
    Dispenser private dispenser;

    function setUp() public {
        vm.warp(1_700_000_000);
        token = Deployed.token(ADMIN);
        dispenser = Deployed.dispenser(token, ADMIN);
        bytes32 minter = token.MINTER_ROLE();
        vm.prank(ADMIN);
        token.grantRole(minter, address(dispenser));
    }

    function test_Token_ItIsNeverminedToken() public view {
        vm.assertEq(token.name(), "NeverminedToken");
        vm.assertEq(token.symbol(), "NVM");
        vm.assertEq(uint256(token.decimals()), 18);
    }

    function test_Token_WhenAMinterMints_ItMakesTokens() public {
        vm.prank(ADMIN);
        token.mint(STRANGER, 5);
        vm.assertEq(token.balanceOf(STRANGER), 5);
    }

    function test_Token_WhenSomebodyElseMints_ItReverts() public {
        bytes32 minter = token.MINTER_ROLE();
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, STRANGER, minter)
        );
        vm.prank(STRANGER);
        token.mint(STRANGER, 5);
    }

    function test_Token_BeyondTheCap_ItReverts() public {
        uint256 cap = 1_500_000_000 ether;
        vm.expectRevert(abi.encodeWithSelector(ERC20Capped.ERC20ExceededCap.selector, cap + 1, cap));
        vm.prank(ADMIN);
        token.mint(STRANGER, cap + 1);
    }

    function test_Token_TheAdminChangesInTwoSteps() public {
        vm.prank(ADMIN);
        token.beginDefaultAdminTransfer(STRANGER);
        vm.assertEq(token.defaultAdmin(), ADMIN);
        vm.warp(vm.getBlockTimestamp() + 1);
        vm.prank(STRANGER);
        token.acceptDefaultAdminTransfer();
        vm.assertEq(token.defaultAdmin(), STRANGER);
    }

    function test_RequestTokens_ItGivesWholeTokens() public {
        vm.expectEmit(address(dispenser));
        emit Dispenser.TokensRequested(STRANGER, 1000);
        _request(1000);
        vm.assertEq(token.balanceOf(STRANGER), 1000 ether);
        vm.assertEq(dispenser.dispensed(), 1000);
    }

    function test_RequestTokens_BeyondTheLimit_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(RequestLimitExceeded.selector, 1001, 1000));
        _request(1001);
    }

    function test_RequestTokens_BeforeThePeriodIsOver_ItReverts() public {
        _setLimits(ADMIN, 10, 100, 60);
        uint256 first = vm.getBlockTimestamp();
        _request(10);
        vm.warp(first + 59);
        vm.expectRevert(abi.encodeWithSelector(RequestFrequencyExceeded.selector, first + 59, first + 60));
        _request(10);
        vm.warp(first + 60);
        _request(10);
        vm.assertEq(token.balanceOf(STRANGER), 20 ether);
    }

    function test_RequestTokens_GivenItHasGivenAll_ItReverts() public {
        _setLimits(ADMIN, 10, 20, 0);
        _request(10);
        _request(10);
        vm.expectRevert(abi.encodeWithSelector(DispenserExhausted.selector, 21, 20));
        _request(1);
    }

    function test_SetLimits_ItChangesTheLimits() public {
        vm.expectEmit(address(dispenser));
        emit Dispenser.LimitsChanged(1, 2, 3);
        _setLimits(ADMIN, 1, 2, 3);
        vm.assertEq(dispenser.maxAmount(), 1);
        vm.assertEq(dispenser.maxMintAmount(), 2);
        vm.assertEq(dispenser.minPeriod(), 3);
    }

    function test_SetLimits_WhenSomebodyElseCalls_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        _setLimits(STRANGER, 1, 2, 3);
    }

    function _request(uint256 amount) private {
        vm.prank(STRANGER);
        dispenser.requestTokens(amount);
    }

    function _setLimits(address sender, uint256 maxAmount, uint256 maxMintAmount, uint256 minPeriod) private {
        vm.prank(sender);
        dispenser.setLimits(maxAmount, maxMintAmount, minPeriod);
    }
}
