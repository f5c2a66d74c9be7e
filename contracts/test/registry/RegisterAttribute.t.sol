// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// registerAttribute(didSeed, checksum, providers, url)
/// ├── it registers the asset for the caller, as version 1 of this block
/// ├── it emits DIDAttributeRegistered with the url
/// ├── it emits no transfer of ownership
/// ├── it adds each provider and emits DIDProviderAdded
/// ├── with a provider twice
/// │   └── it emits DIDProviderAdded once
/// ├── without providers
/// │   └── it leaves the owner as the only provider
/// ├── with the zero address as provider
/// │   └── it reverts InvalidAccount
/// ├── with a url of 2048 bytes
/// │   └── it registers
/// ├── with a url of 2049 bytes
/// │   └── it reverts ValueTooLong
/// ├── given the caller registered the seed before
/// │   └── it reverts DIDExists
/// └── given somebody else registered the seed before
///     └── it registers another DID
///
/// registerAttributeFor(didSeed, checksum, providers, url, owner)
/// ├── it registers the asset for the owner under the DID of the caller
/// ├── it emits DIDAttributeRegistered, then DIDOwnershipTransferred
/// ├── it lets the caller do nothing with the asset
/// ├── with the zero address as owner
/// │   └── it reverts InvalidAccount
/// └── given the caller registered the seed before
///     └── it reverts DIDExists
contract RegisterAttributeTest is Registry {
    function test_ItRegistersTheAssetForTheCaller() public {
        bytes32 registered = _register();
        vm.assertEq(registered, did);
        _assertRegister(did, OWNER, CHECKSUM, 1, 100);
        vm.assertEq(registry.getDIDOwner(did), OWNER);
    }

    function test_ItEmitsDIDAttributeRegisteredWithTheUrl() public {
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDAttributeRegistered(did, OWNER, CHECKSUM, URL, 1, 0);
        _register();
    }

    function test_ItEmitsNoTransferOfOwnership() public {
        vm.recordLogs();
        _register();
        vm.assertEq(vm.getRecordedLogs().length, 2, "events of document and provider");
    }

    function test_ItAddsEachProvider() public {
        address[] memory providers = new address[](2);
        (providers[0], providers[1]) = (PROVIDER, DELEGATE);
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDProviderAdded(did, PROVIDER);
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDProviderAdded(did, DELEGATE);
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, providers, URL);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER) && registry.isDIDProvider(did, DELEGATE), "providers");
    }

    function test_WithAProviderTwice_ItEmitsOnce() public {
        address[] memory providers = new address[](2);
        (providers[0], providers[1]) = (PROVIDER, PROVIDER);
        vm.recordLogs();
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, providers, URL);
        vm.assertEq(vm.getRecordedLogs().length, 2, "events of document and provider");
    }

    function test_WithoutProviders_TheOwnerIsTheOnlyOne() public {
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, new address[](0), URL);
        vm.assertTrue(registry.isDIDProvider(did, OWNER), "the owner");
        vm.assertFalse(registry.isDIDProvider(did, PROVIDER), "anybody else");
    }

    function test_WithTheZeroAddressAsProvider_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, did, address(0)));
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, _providers(address(0)), URL);
    }

    function test_WithAUrlOf2048Bytes_ItRegisters() public {
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), _text(2048));
        _assertRegister(did, OWNER, CHECKSUM, 1, 100);
    }

    function test_WithAUrlOf2049Bytes_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        vm.prank(OWNER);
        registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), _text(2049));
    }

    function test_GivenTheCallerRegisteredTheSeedBefore_ItReverts() public {
        _register();
        vm.expectRevert(abi.encodeWithSelector(DIDExists.selector, did));
        _register();
    }

    function test_GivenSomebodyElseRegisteredTheSeed_ItIsAnotherDID() public {
        vm.prank(STRANGER);
        bytes32 other = registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), URL);
        vm.assertNotEq(other, did, "the DID derives from its creator");
        _register();
        _assertRegister(did, OWNER, CHECKSUM, 1, 100);
        _assertRegister(other, STRANGER, CHECKSUM, 1, 100);
    }

    function test_For_ItRegistersTheAssetForTheOwner() public {
        bytes32 registered = _registerFor(OWNER);
        vm.assertEq(registered, registry.hashDID(SEED, PROVIDER));
        _assertRegister(registered, OWNER, CHECKSUM, 1, 100);
    }

    function test_For_ItEmitsTheTransferToo() public {
        bytes32 expected = registry.hashDID(SEED, PROVIDER);
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDAttributeRegistered(expected, OWNER, CHECKSUM, URL, 1, 0);
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDOwnershipTransferred(expected, PROVIDER, OWNER);
        _registerFor(OWNER);
    }

    function test_For_TheCallerCanDoNothingWithTheAsset() public {
        bytes32 registered = _registerFor(OWNER);
        vm.assertFalse(registry.isDIDProvider(registered, PROVIDER), "provider");
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, registered, PROVIDER, OWNER));
        vm.prank(PROVIDER);
        registry.transferDIDOwnership(registered, PROVIDER);
    }

    function test_For_WithTheZeroAddressAsOwner_ItReverts() public {
        bytes32 expected = registry.hashDID(SEED, PROVIDER);
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, expected, address(0)));
        _registerFor(address(0));
    }

    function test_For_GivenTheCallerRegisteredTheSeedBefore_ItReverts() public {
        bytes32 registered = _registerFor(OWNER);
        vm.expectRevert(abi.encodeWithSelector(DIDExists.selector, registered));
        _registerFor(STRANGER);
        vm.assertEq(registry.getDIDOwner(registered), OWNER);
    }

    function _registerFor(address owner) private returns (bytes32) {
        vm.prank(PROVIDER);
        return registry.registerAttributeFor(SEED, CHECKSUM, new address[](0), URL, owner);
    }
}
