// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DeadlinePassed, InvalidSignature} from "../../src/AgreementErrors.sol";
import "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registration, Update} from "../../src/RegistryRequests.sol";
import {Registry} from "../support/Registry.sol";
import {Requests} from "../support/Requests.sol";
import {Wallet} from "../support/Wallet.sol";
import {vm} from "../support/Vm.sol";

/// Requests that an owner signs and anybody sends.
///
/// registerAttributesBySignature
/// ├── it registers every asset for its creator, from whom the DIDs derive
/// ├── sent again, it skips what is registered
/// ├── given one is registered, it registers the other
/// ├── given an asset was updated since, it reverts DIDExists
/// ├── with any other item, deadline or chain, it reverts InvalidSignature
/// ├── for another creator, it reverts InvalidSignature
/// ├── for nobody, it reverts InvalidSignature
/// ├── after the deadline, it reverts DeadlinePassed
/// └── given a contract signs by ERC-1271, it registers for the contract
///
/// updateAttributesBySignature
/// ├── it makes the next version of each asset, and names the block of the one before
/// ├── sent again, it reverts VersionMismatch
/// ├── of a version to come, it reverts VersionMismatch
/// ├── given one asset belongs to somebody else, it changes nothing
/// ├── after a sale, it reverts NotDIDOwner
/// └── with anything else or after the deadline, it reverts
///
/// transferDIDOwnershipBySignature
/// ├── it gives the asset away and counts the change
/// ├── sent again after the asset came back, it reverts ChangesMismatch
/// ├── signed by a former owner, it reverts InvalidSignature
/// ├── to nobody, it reverts InvalidAccount
/// ├── given the asset is not registered, it reverts NotDIDOwner
/// └── after the deadline, it reverts DeadlinePassed
///
/// setDIDProviderBySignature
/// ├── it adds and removes a provider, and counts both
/// ├── sent again after a removal, it reverts ChangesMismatch
/// ├── as a request to remove, it reverts InvalidSignature
/// └── given nothing changes, it counts nothing
contract SignedRequestsTest is Registry {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant NEXT_KEY = 0xB0B;
    bytes32 private constant NEXT = keccak256("next ddo");

    address private owner;
    uint256 private deadline;

    function setUp() public override {
        super.setUp();
        owner = vm.addr(KEY);
        deadline = block.timestamp + 600;
        did = registry.hashDID(SEED, owner);
    }

    function test_Register_ItRegistersEveryAssetForItsCreator() public {
        Registration[] memory items = _two();
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDAttributeRegistered(did, owner, CHECKSUM, URL, 1, 0);
        _registerSigned(items);
        _assertRegister(did, owner, CHECKSUM, 1, 100);
        _assertRegister(registry.hashDID("other", owner), owner, NEXT, 1, 100);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
        vm.assertFalse(registry.isDIDProvider(did, STRANGER), "the sender has no right");
    }

    function test_Register_SentAgain_ItSkipsWhatIsRegistered() public {
        _registerSigned(_two());
        vm.recordLogs();
        _registerSigned(_two());
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
        _assertRegister(did, owner, CHECKSUM, 1, 100);
    }

    function test_Register_GivenOneIsRegistered_ItRegistersTheOther() public {
        vm.prank(owner);
        registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), URL);
        _registerSigned(_two());
        _assertRegister(registry.hashDID("other", owner), owner, NEXT, 1, 100);
    }

    function test_Register_GivenTheAssetWasUpdated_ItReverts() public {
        _registerSigned(_two());
        vm.prank(owner);
        registry.updateAttribute(did, NEXT, URL);
        bytes memory signature = Requests.registrations(registry, KEY, _two(), deadline);
        vm.expectRevert(abi.encodeWithSelector(DIDExists.selector, did));
        registry.registerAttributesBySignature(owner, _two(), deadline, signature);
    }

    function test_Register_WithAnythingElse_ItReverts() public {
        Registration[] memory items = _two();
        bytes memory signature = Requests.registrations(registry, KEY, items, deadline);
        items[1].checksum = CHECKSUM;
        _refused(items, deadline, signature);
        items = _two();
        items[0].providers[0] = STRANGER;
        _refused(items, deadline, signature);
        items = _two();
        items[0].url = "https://elsewhere";
        _refused(items, deadline, signature);
        _refused(Requests.one(_two()[0]), deadline, signature);
        _refused(_two(), deadline + 1, signature);
        vm.chainId(5);
        _refused(_two(), deadline, signature);
    }

    function test_Register_ForAnotherCreator_ItReverts() public {
        bytes memory signature = Requests.registrations(registry, KEY, _two(), deadline);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, STRANGER));
        registry.registerAttributesBySignature(STRANGER, _two(), deadline, signature);
    }

    function test_Register_ForNobody_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, address(0)));
        registry.registerAttributesBySignature(address(0), _two(), deadline, new bytes(65));
    }

    function test_Register_AfterTheDeadline_ItReverts() public {
        bytes memory signature = Requests.registrations(registry, KEY, _two(), deadline);
        vm.warp(deadline);
        uint256 before = vm.snapshotState();
        registry.registerAttributesBySignature(owner, _two(), deadline, signature);
        vm.revertToState(before);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline + 1, deadline));
        registry.registerAttributesBySignature(owner, _two(), deadline, signature);
    }

    function test_Register_AContractSigns() public {
        Wallet wallet = new Wallet(owner);
        bytes32 digest = Requests.registrationsDigest(registry, address(wallet), _two(), deadline);
        bytes memory signature = Requests.sign(KEY, digest);
        registry.registerAttributesBySignature(address(wallet), _two(), deadline, signature);
        _assertRegister(registry.hashDID(SEED, address(wallet)), address(wallet), CHECKSUM, 1, 100);
    }

    function test_Update_ItMakesTheNextVersions() public {
        _registerSigned(_two());
        vm.roll(107);
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDAttributeRegistered(did, owner, NEXT, "https://elsewhere", 2, 100);
        _update(2);
        _assertRegister(did, owner, NEXT, 2, 107);
    }

    function test_Update_SentAgain_ItReverts() public {
        _registerSigned(_two());
        _update(2);
        bytes memory signature = Requests.updates(registry, KEY, _next(2), deadline);
        vm.expectRevert(abi.encodeWithSelector(VersionMismatch.selector, did, 2, 3));
        registry.updateAttributesBySignature(owner, _next(2), deadline, signature);
    }

    function test_Update_OfAVersionToCome_ItReverts() public {
        _registerSigned(_two());
        bytes memory signature = Requests.updates(registry, KEY, _next(3), deadline);
        vm.expectRevert(abi.encodeWithSelector(VersionMismatch.selector, did, 3, 2));
        registry.updateAttributesBySignature(owner, _next(3), deadline, signature);
    }

    function test_Update_GivenOneBelongsToSomebodyElse_NothingChanges() public {
        _registerSigned(_two());
        vm.prank(OWNER);
        bytes32 foreign = registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), URL);
        Update[] memory items = new Update[](2);
        items[0] = _next(2)[0];
        items[1] = Update(foreign, NEXT, "https://elsewhere", 2);
        bytes memory signature = Requests.updates(registry, KEY, items, deadline);
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, foreign, owner, OWNER));
        registry.updateAttributesBySignature(owner, items, deadline, signature);
        _assertRegister(did, owner, CHECKSUM, 1, 100);
    }

    function test_Update_AfterASale_ItReverts() public {
        _registerSigned(_two());
        bytes memory signature = Requests.updates(registry, KEY, _next(2), deadline);
        vm.prank(owner);
        registry.transferDIDOwnership(did, STRANGER);
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, owner, STRANGER));
        registry.updateAttributesBySignature(owner, _next(2), deadline, signature);
    }

    function test_Update_WithAnythingElse_ItReverts() public {
        _registerSigned(_two());
        bytes memory signature = Requests.updates(registry, KEY, _next(2), deadline);
        Update[] memory items = _next(2);
        items[0].checksum = CHECKSUM;
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, owner));
        registry.updateAttributesBySignature(owner, items, deadline, signature);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline + 1, deadline));
        registry.updateAttributesBySignature(owner, _next(2), deadline, signature);
    }

    function test_Transfer_ItGivesTheAssetAway() public {
        _registerSigned(_two());
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDOwnershipTransferred(did, owner, vm.addr(NEXT_KEY));
        _transfer(KEY, vm.addr(NEXT_KEY), 0);
        vm.assertEq(registry.getDIDOwner(did), vm.addr(NEXT_KEY));
        vm.assertEq(uint256(registry.getDIDRegister(did).changes), 1);
        _assertRegister(did, vm.addr(NEXT_KEY), CHECKSUM, 1, 100);
    }

    function test_Transfer_SentAgainAfterTheAssetCameBack_ItReverts() public {
        _registerSigned(_two());
        address next = vm.addr(NEXT_KEY);
        bytes memory signature = _transfer(KEY, next, 0);
        vm.prank(next);
        registry.transferDIDOwnership(did, owner);
        vm.expectRevert(abi.encodeWithSelector(ChangesMismatch.selector, did, 0, 2));
        registry.transferDIDOwnershipBySignature(did, next, 0, deadline, signature);
    }

    function test_Transfer_SignedByAFormerOwner_ItReverts() public {
        _registerSigned(_two());
        address next = vm.addr(NEXT_KEY);
        _transfer(KEY, next, 0);
        bytes memory signature = Requests.transfer(registry, KEY, did, owner, 1, deadline);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, next));
        registry.transferDIDOwnershipBySignature(did, owner, 1, deadline, signature);
    }

    function test_Transfer_ToNobody_ItReverts() public {
        _registerSigned(_two());
        bytes memory signature = Requests.transfer(registry, KEY, did, address(0), 0, deadline);
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, did, address(0)));
        registry.transferDIDOwnershipBySignature(did, address(0), 0, deadline, signature);
    }

    function test_Transfer_GivenTheAssetIsNotRegistered_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, address(this), address(0)));
        registry.transferDIDOwnershipBySignature(did, owner, 0, deadline, new bytes(65));
    }

    function test_Transfer_AfterTheDeadline_ItReverts() public {
        _registerSigned(_two());
        bytes memory signature = Requests.transfer(registry, KEY, did, STRANGER, 0, deadline);
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(DeadlinePassed.selector, deadline + 1, deadline));
        registry.transferDIDOwnershipBySignature(did, STRANGER, 0, deadline, signature);
    }

    function test_Provider_ItAddsAndRemoves() public {
        _registerSigned(_two());
        _provider(DELEGATE, true, 0);
        vm.assertTrue(registry.isDIDProvider(did, DELEGATE), "added");
        _provider(DELEGATE, false, 1);
        vm.assertFalse(registry.isDIDProvider(did, DELEGATE), "removed");
        vm.assertEq(uint256(registry.getDIDRegister(did).changes), 2);
    }

    function test_Provider_AnOldRequestAddsNobodyAgain() public {
        _registerSigned(_two());
        bytes memory signature = _provider(DELEGATE, true, 0);
        vm.prank(owner);
        registry.removeDIDProvider(did, DELEGATE);
        vm.expectRevert(abi.encodeWithSelector(ChangesMismatch.selector, did, 0, 2));
        registry.setDIDProviderBySignature(did, DELEGATE, true, 0, deadline, signature);
    }

    function test_Provider_ARequestToAddDoesNotRemove() public {
        _registerSigned(_two());
        bytes memory signature = Requests.provider(registry, KEY, did, PROVIDER, true, 0, deadline);
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, owner));
        registry.setDIDProviderBySignature(did, PROVIDER, false, 0, deadline, signature);
    }

    function test_Provider_WhatChangesNothingCountsNothing() public {
        _registerSigned(_two());
        _provider(PROVIDER, true, 0);
        _provider(STRANGER, false, 0);
        vm.assertEq(uint256(registry.getDIDRegister(did).changes), 0);
    }

    function _two() private pure returns (Registration[] memory items) {
        items = new Registration[](2);
        items[0] = Registration(SEED, CHECKSUM, _providers(PROVIDER), URL);
        items[1] = Registration("other", NEXT, new address[](0), URL);
    }

    function _next(uint256 version) private view returns (Update[] memory) {
        return Requests.one(Update(did, NEXT, "https://elsewhere", version));
    }

    function _registerSigned(Registration[] memory items) private {
        bytes memory signature = Requests.registrations(registry, KEY, items, deadline);
        vm.prank(STRANGER);
        registry.registerAttributesBySignature(owner, items, deadline, signature);
    }

    function _refused(Registration[] memory items, uint256 until, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(InvalidSignature.selector, owner));
        registry.registerAttributesBySignature(owner, items, until, signature);
    }

    function _update(uint256 version) private {
        bytes memory signature = Requests.updates(registry, KEY, _next(version), deadline);
        vm.prank(STRANGER);
        registry.updateAttributesBySignature(owner, _next(version), deadline, signature);
    }

    function _transfer(uint256 key, address newOwner, uint256 changes) private returns (bytes memory signature) {
        signature = Requests.transfer(registry, key, did, newOwner, changes, deadline);
        vm.prank(STRANGER);
        registry.transferDIDOwnershipBySignature(did, newOwner, changes, deadline, signature);
    }

    function _provider(address account, bool allowed, uint256 changes) private returns (bytes memory signature) {
        signature = Requests.provider(registry, KEY, did, account, allowed, changes, deadline);
        vm.prank(STRANGER);
        registry.setDIDProviderBySignature(did, account, allowed, changes, deadline, signature);
    }
}
