// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Provenance} from "../../src/Provenance.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// addDIDProvider(did, provider)
/// ├── when the owner calls, it adds the provider and emits DIDProviderAdded
/// ├── a second time, it changes nothing
/// ├── with the zero address, it reverts InvalidAccount
/// ├── when a provider calls, it reverts NotDIDOwner
/// └── given the asset is not registered, it reverts NotDIDOwner
///
/// removeDIDProvider(did, provider)
/// ├── when the owner calls, it removes the provider and emits DIDProviderRemoved
/// ├── given it was not a provider, it changes nothing
/// └── when a provider calls, it reverts NotDIDOwner
///
/// isDIDProvider(did, account)
/// ├── it is true for owner and providers only
/// └── it is false for the zero address, registered or not
///
/// addDIDProvenanceDelegate(did, delegate)
/// ├── when the owner calls, it adds the delegate and emits DIDProvenanceDelegateAdded
/// ├── a second time, it changes nothing
/// ├── with the zero address, it reverts InvalidAccount
/// └── when a provider calls, it reverts NotDIDOwner
///
/// removeDIDProvenanceDelegate(did, delegate)
/// ├── when the owner calls, it removes the delegate and emits DIDProvenanceDelegateRemoved
/// ├── given it was not a delegate, it changes nothing
/// └── when the delegate calls, it reverts NotDIDOwner
contract DIDProvidersTest is Registry {
    function setUp() public override {
        super.setUp();
        _register();
    }

    function test_AddProvider_ItAddsAndEmits() public {
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDProviderAdded(did, DELEGATE);
        vm.prank(OWNER);
        registry.addDIDProvider(did, DELEGATE);
        vm.assertTrue(registry.isDIDProvider(did, DELEGATE), "provider");
    }

    function test_AddProvider_ASecondTime_ItChangesNothing() public {
        vm.recordLogs();
        vm.prank(OWNER);
        registry.addDIDProvider(did, PROVIDER);
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
    }

    function test_AddProvider_WithTheZeroAddress_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, did, address(0)));
        vm.prank(OWNER);
        registry.addDIDProvider(did, address(0));
    }

    function test_AddProvider_WhenAProviderCalls_ItReverts() public {
        _expectNotOwner(PROVIDER);
        registry.addDIDProvider(did, DELEGATE);
    }

    function test_AddProvider_GivenTheAssetIsNotRegistered_ItReverts() public {
        bytes32 none = keccak256("none");
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, none, OWNER, address(0)));
        vm.prank(OWNER);
        registry.addDIDProvider(none, DELEGATE);
    }

    function test_RemoveProvider_ItRemovesAndEmits() public {
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDProviderRemoved(did, PROVIDER);
        vm.prank(OWNER);
        registry.removeDIDProvider(did, PROVIDER);
        vm.assertFalse(registry.isDIDProvider(did, PROVIDER), "provider");
    }

    function test_RemoveProvider_GivenItWasNone_ItChangesNothing() public {
        vm.recordLogs();
        vm.prank(OWNER);
        registry.removeDIDProvider(did, STRANGER);
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_RemoveProvider_WhenAProviderCalls_ItReverts() public {
        _expectNotOwner(PROVIDER);
        registry.removeDIDProvider(did, PROVIDER);
    }

    function test_IsDIDProvider_ItIsTrueForOwnerAndProvidersOnly() public view {
        vm.assertTrue(registry.isDIDProvider(did, OWNER), "owner");
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
        vm.assertFalse(registry.isDIDProvider(did, STRANGER), "stranger");
        vm.assertFalse(registry.isDIDProvider(keccak256("none"), OWNER), "an asset that is not registered");
    }

    function test_IsDIDProvider_ItIsFalseForTheZeroAddress() public view {
        vm.assertFalse(registry.isDIDProvider(did, address(0)), "registered");
        vm.assertFalse(registry.isDIDProvider(keccak256("none"), address(0)), "not registered");
    }

    function test_AddDelegate_ItAddsAndEmits() public {
        vm.expectEmit(address(registry));
        emit Provenance.DIDProvenanceDelegateAdded(did, DELEGATE);
        _addDelegate();
        vm.assertTrue(registry.isProvenanceDelegate(did, DELEGATE), "delegate");
        vm.assertFalse(registry.isDIDProvider(did, DELEGATE), "provider");
    }

    function test_AddDelegate_ASecondTime_ItChangesNothing() public {
        _addDelegate();
        vm.recordLogs();
        _addDelegate();
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_AddDelegate_WithTheZeroAddress_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(InvalidAccount.selector, did, address(0)));
        vm.prank(OWNER);
        registry.addDIDProvenanceDelegate(did, address(0));
    }

    function test_AddDelegate_WhenAProviderCalls_ItReverts() public {
        _expectNotOwner(PROVIDER);
        registry.addDIDProvenanceDelegate(did, DELEGATE);
    }

    function test_RemoveDelegate_ItRemovesAndEmits() public {
        _addDelegate();
        vm.expectEmit(address(registry));
        emit Provenance.DIDProvenanceDelegateRemoved(did, DELEGATE);
        vm.prank(OWNER);
        registry.removeDIDProvenanceDelegate(did, DELEGATE);
        vm.assertFalse(registry.isProvenanceDelegate(did, DELEGATE), "delegate");
    }

    function test_RemoveDelegate_GivenItWasNone_ItChangesNothing() public {
        vm.recordLogs();
        vm.prank(OWNER);
        registry.removeDIDProvenanceDelegate(did, STRANGER);
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_RemoveDelegate_WhenTheDelegateCalls_ItReverts() public {
        _addDelegate();
        _expectNotOwner(DELEGATE);
        registry.removeDIDProvenanceDelegate(did, DELEGATE);
    }

    function _addDelegate() private {
        vm.prank(OWNER);
        registry.addDIDProvenanceDelegate(did, DELEGATE);
    }

    function _expectNotOwner(address sender) private {
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, sender, OWNER));
        vm.prank(sender);
    }
}
