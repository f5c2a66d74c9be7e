// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @notice A token that misbehaves on demand: it takes a fee, refuses accounts, answers false, or calls back.
contract HostileToken is ERC20Permit {
    uint256 private constant BASIS_POINTS = 10_000;

    uint256 public fee;
    mapping(address account => bool) public blocked;
    mapping(address account => bool) public silent;

    address public hookTarget;
    bytes public hookData;
    bool public hookCalled;
    bool public hookSucceeded;
    bytes public hookResult;

    constructor() ERC20("HostileToken", "HOST") ERC20Permit("HostileToken") {}

    function mint(address account, uint256 amount) external {
        _mint(account, amount);
    }

    /// @notice Keeps this many basis points of what transferFrom moves.
    function setFee(uint256 basisPoints) external {
        fee = basisPoints;
    }

    /// @notice Reverts transfers from and to an account.
    function setBlocked(address account, bool value) external {
        blocked[account] = value;
    }

    /// @notice Answers false to transfers to an account, and moves nothing.
    function setSilent(address account, bool value) external {
        silent[account] = value;
    }

    /// @notice Calls back in the middle of the next transfer, once.
    function setHook(address target, bytes calldata data) external {
        (hookTarget, hookData, hookCalled, hookSucceeded) = (target, data, false, false);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (silent[to]) return false;
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        if (silent[from]) return false;
        super.transferFrom(from, to, value);
        if (fee > 0) _burn(to, value * fee / BASIS_POINTS);
        return true;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!blocked[from] && !blocked[to], "blocked");
        super._update(from, to, value);
        if (hookTarget == address(0) || hookCalled) return;
        hookCalled = true;
        (hookSucceeded, hookResult) = hookTarget.call(hookData);
    }
}
