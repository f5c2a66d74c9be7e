// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// transferDIDOwnership(did, newOwner)
/// ├── when the owner calls
/// │   ├── it makes the new owner the owner at once
/// │   ├── it emits DIDOwnershipTransferred
/// │   ├── it keeps document, version and providers
/// │   ├── it lets the new owner update, and no longer the old one
/// │   └── with the zero address, it reverts InvalidAccount
/// ├── when a provider calls
/// │   └── it reverts NotDIDOwner
/// └── given the asset is not registered
///     └── it reverts NotDIDOwner
contract TransferDIDOwnershipTest is Registry {
    address private constant HEIR = address(0x0555);

    function test_ItMakesTheNewOwnerTheOwnerAtOnce() public {
        _register();
        _transfer(OWNER, HEIR);
        vm.assertEq(registry.getDIDOwner(did), HEIR);
    }

    function test_ItEmitsDIDOwnershipTransferred() public {
        _register();
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDOwnershipTransferred(did, OWNER, HEIR);
        _transfer(OWNER, HEIR);
    }

    function test_ItKeepsDocumentVersionAndProviders() public {
        _register();
        vm.roll(120);
        _transfer(OWNER, HEIR);
        _assertRegister(did, HEIR, CHECKSUM, 1, 100);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
        vm.assertFalse(registry.isDIDProvider(did, OWNER), "the old owner");
    }

    function test_ItLetsTheNewOwnerUpdateAndTheOldOneNot() public {
        _register();
        _transfer(OWNER, HEIR);
        vm.prank(HEIR);
        registry.updateAttribute(did, keccak256("next"), URL);
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, OWNER, HEIR));
        vm.prank(OWNER);
        registry.updateAttribute(did, CHECKSUM, URL);
    }

    function test_WithTheZeroAddress_ItReverts() public {
        _register();
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, did, address(0)));
        _transfer(OWNER, address(0));
    }

    function test_WhenAProviderCalls_ItReverts() public {
        _register();
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, PROVIDER, OWNER));
        _transfer(PROVIDER, PROVIDER);
    }

    function test_GivenTheAssetIsNotRegistered_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, OWNER, address(0)));
        _transfer(OWNER, HEIR);
    }

    function _transfer(address sender, address newOwner) private {
        vm.prank(sender);
        registry.transferDIDOwnership(did, newOwner);
    }
}
