// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @notice The life of a template: only 0 → 1 → 2 → 3 ever happens.
enum TemplateState {
    /// Unknown.
    Uninitialized,
    /// Somebody has proposed it.
    Proposed,
    /// It accepts new agreements.
    Approved,
    /// It accepts no new agreements, forever; existing ones go on.
    Revoked
}

/// @notice The template is in the wrong state.
/// @param template the template
/// @param actual its state
/// @param expected the state that the call needs
error TemplateNotInState(address template, TemplateState actual, TemplateState expected);

/// @title Store of templates
/// @notice Records which templates accept new agreements. Its owner, a timelock or several people in production, can do
/// nothing to existing agreements or to any money.
contract TemplateStoreManager is Ownable2Step {
    /// @dev The state of each template.
    mapping(address template => TemplateState) private _states;

    /// @notice A template was proposed.
    /// @param template the template
    /// @param proposer the account that proposed it
    event TemplateProposed(address indexed template, address indexed proposer);

    /// @notice A template now accepts new agreements.
    /// @param template the template
    event TemplateApproved(address indexed template);

    /// @notice A template no longer accepts new agreements.
    /// @param template the template
    event TemplateRevoked(address indexed template);

    /// @param owner_ the account that approves and revokes templates
    constructor(address owner_) Ownable(owner_) {}

    /// @notice Proposes a template. Anybody may call it.
    /// @param template its address, which is its id
    function proposeTemplate(address template) external {
        _require(template, TemplateState.Uninitialized);
        _states[template] = TemplateState.Proposed;
        emit TemplateProposed(template, msg.sender);
    }

    /// @notice Approves a proposed template. The owner calls it.
    /// @param template the template
    function approveTemplate(address template) external onlyOwner {
        _require(template, TemplateState.Proposed);
        _states[template] = TemplateState.Approved;
        emit TemplateApproved(template);
    }

    /// @notice Revokes an approved template forever. The owner calls it.
    /// @param template the template
    function revokeTemplate(address template) external onlyOwner {
        _require(template, TemplateState.Approved);
        _states[template] = TemplateState.Revoked;
        emit TemplateRevoked(template);
    }

    /// @notice The state of a template.
    /// @param template the template
    /// @return its state
    function getTemplateState(address template) external view returns (TemplateState) {
        return _states[template];
    }

    /// @notice True if a template accepts new agreements.
    /// @param template the template
    /// @return whether it is approved
    function isTemplateApproved(address template) external view returns (bool) {
        return _states[template] == TemplateState.Approved;
    }

    /// @dev Reverts unless the template is in the state that the call needs.
    function _require(address template, TemplateState expected) private view {
        TemplateState actual = _states[template];
        if (actual != expected) revert TemplateNotInState(template, actual, expected);
    }
}
