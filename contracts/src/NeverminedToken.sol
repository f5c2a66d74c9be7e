// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Capped} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Capped.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Token for development
/// @notice An ERC-20 token with permits (ERC-2612), 18 decimals and a cap. Its admin decides who mints, and hands over in
/// two steps. A deployment that pays in another token does not need it.
contract NeverminedToken is ERC20Capped, ERC20Permit, AccessControlDefaultAdminRules {
    /// @notice The role that may mint.
    bytes32 public constant MINTER_ROLE = keccak256("minter");

    /// @notice The most base units that can ever exist: 1.5 · 10⁹ whole tokens.
    uint256 public constant CAP = 1_500_000_000 ether;

    /// @param admin the account that grants and revokes the minter role, and may mint
    constructor(address admin)
        ERC20("NeverminedToken", "NVM")
        ERC20Capped(CAP)
        ERC20Permit("NeverminedToken")
        AccessControlDefaultAdminRules(0, admin)
    {
        _grantRole(MINTER_ROLE, admin);
    }

    /// @notice Makes new tokens. A minter calls it.
    /// @param account the account that gets them
    /// @param amount base units
    function mint(address account, uint256 amount) external onlyRole(MINTER_ROLE) {
        _mint(account, amount);
    }

    /// @dev Applies the cap.
    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Capped) {
        super._update(from, to, value);
    }
}
