// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {TemplateNotInState, TemplateState, TemplateStoreManager} from "../../src/TemplateStoreManager.sol";
import {Deployed} from "../support/Deployed.sol";
import {vm} from "../support/Vm.sol";

/// proposeTemplate(template)
/// ├── it proposes for anybody and emits TemplateProposed
/// └── given it is proposed, approved or revoked, it reverts TemplateNotInState
///
/// approveTemplate(template)
/// ├── given it is proposed, it approves and emits TemplateApproved
/// ├── given it is unknown, approved or revoked, it reverts TemplateNotInState
/// └── when somebody other than the owner calls, it reverts OwnableUnauthorizedAccount
///
/// revokeTemplate(template)
/// ├── given it is approved, it revokes and emits TemplateRevoked
/// ├── given it is unknown, proposed or revoked, it reverts TemplateNotInState
/// └── when somebody other than the owner calls, it reverts OwnableUnauthorizedAccount
///
/// transferOwnership(newOwner)
/// └── it needs the acceptance of the new owner
contract TemplateStoreManagerTest {
    address private constant OWNER = address(0x0111);
    address private constant STRANGER = address(0x0222);
    address private constant TEMPLATE = address(0x0333);

    TemplateStoreManager private templates;

    function setUp() public {
        templates = Deployed.templates(OWNER);
    }

    function test_Propose_ItProposesForAnybody() public {
        vm.expectEmit(address(templates));
        emit TemplateStoreManager.TemplateProposed(TEMPLATE, STRANGER);
        vm.prank(STRANGER);
        templates.proposeTemplate(TEMPLATE);
        _assertState(TemplateState.Proposed);
    }

    function test_Propose_GivenItIsKnown_ItReverts() public {
        _bring(TemplateState.Proposed);
        _expectNotInState(TemplateState.Proposed, TemplateState.Uninitialized);
        templates.proposeTemplate(TEMPLATE);
        _approve();
        _expectNotInState(TemplateState.Approved, TemplateState.Uninitialized);
        templates.proposeTemplate(TEMPLATE);
        _revoke();
        _expectNotInState(TemplateState.Revoked, TemplateState.Uninitialized);
        templates.proposeTemplate(TEMPLATE);
    }

    function test_Approve_ItApproves() public {
        _bring(TemplateState.Proposed);
        vm.expectEmit(address(templates));
        emit TemplateStoreManager.TemplateApproved(TEMPLATE);
        _approve();
        _assertState(TemplateState.Approved);
    }

    function test_Approve_GivenItIsNotProposed_ItReverts() public {
        _expectNotInState(TemplateState.Uninitialized, TemplateState.Proposed);
        _approve();
        _bring(TemplateState.Approved);
        _expectNotInState(TemplateState.Approved, TemplateState.Proposed);
        _approve();
        _revoke();
        _expectNotInState(TemplateState.Revoked, TemplateState.Proposed);
        _approve();
    }

    function test_Approve_WhenSomebodyElseCalls_ItReverts() public {
        _bring(TemplateState.Proposed);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        vm.prank(STRANGER);
        templates.approveTemplate(TEMPLATE);
    }

    function test_Revoke_ItRevokes() public {
        _bring(TemplateState.Approved);
        vm.expectEmit(address(templates));
        emit TemplateStoreManager.TemplateRevoked(TEMPLATE);
        _revoke();
        _assertState(TemplateState.Revoked);
    }

    function test_Revoke_GivenItIsNotApproved_ItReverts() public {
        _expectNotInState(TemplateState.Uninitialized, TemplateState.Approved);
        _revoke();
        _bring(TemplateState.Proposed);
        _expectNotInState(TemplateState.Proposed, TemplateState.Approved);
        _revoke();
        _approve();
        _revoke();
        _expectNotInState(TemplateState.Revoked, TemplateState.Approved);
        _revoke();
    }

    function test_Revoke_WhenSomebodyElseCalls_ItReverts() public {
        _bring(TemplateState.Approved);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        vm.prank(STRANGER);
        templates.revokeTemplate(TEMPLATE);
    }

    function test_TransferOwnership_ItNeedsTheAcceptanceOfTheNewOwner() public {
        vm.prank(OWNER);
        templates.transferOwnership(STRANGER);
        vm.assertEq(templates.owner(), OWNER);
        vm.prank(STRANGER);
        templates.acceptOwnership();
        vm.assertEq(templates.owner(), STRANGER);
    }

    function _bring(TemplateState state) private {
        templates.proposeTemplate(TEMPLATE);
        if (state == TemplateState.Approved) _approve();
    }

    function _approve() private {
        vm.prank(OWNER);
        templates.approveTemplate(TEMPLATE);
    }

    function _revoke() private {
        vm.prank(OWNER);
        templates.revokeTemplate(TEMPLATE);
    }

    function _assertState(TemplateState expected) private view {
        vm.assertEq(uint256(templates.getTemplateState(TEMPLATE)), uint256(expected), "state");
        vm.assertEq(templates.isTemplateApproved(TEMPLATE), expected == TemplateState.Approved, "approved");
    }

    function _expectNotInState(TemplateState actual, TemplateState expected) private {
        vm.expectRevert(abi.encodeWithSelector(TemplateNotInState.selector, TEMPLATE, actual, expected));
    }
}
