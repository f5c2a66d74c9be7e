// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// updateAttribute(did, checksum, url)
/// ├── when the owner calls
/// │   ├── it stores the checksum as the next version of this block
/// │   ├── it emits DIDAttributeRegistered with the new url
/// │   ├── it keeps owner and providers
/// │   └── with a url of 2049 bytes, it reverts ValueTooLong
/// ├── when a provider calls
/// │   └── it reverts NotDIDOwner
/// └── given the asset is not registered
///     └── it reverts NotDIDOwner
contract UpdateAttributeTest is Registry {
    bytes32 private constant NEXT = keccak256("next ddo");

    function test_ItStoresTheNextVersion() public {
        _register();
        vm.roll(105);
        _update(OWNER);
        _assertRegister(did, OWNER, NEXT, 2, 105);
        _update(OWNER);
        _assertRegister(did, OWNER, NEXT, 3, 105);
    }

    function test_ItEmitsDIDAttributeRegistered() public {
        _register();
        vm.expectEmit(address(registry));
        emit DIDRegistry.DIDAttributeRegistered(did, OWNER, NEXT, "https://elsewhere", 2, 100);
        _update(OWNER);
    }

    function test_ItKeepsOwnerAndProviders() public {
        _register();
        _update(OWNER);
        vm.assertEq(registry.getDIDOwner(did), OWNER);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
    }

    function test_WithAUrlOf2049Bytes_ItReverts() public {
        _register();
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        vm.prank(OWNER);
        registry.updateAttribute(did, NEXT, _text(2049));
    }

    function test_WhenAProviderCalls_ItReverts() public {
        _register();
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, PROVIDER, OWNER));
        _update(PROVIDER);
    }

    function test_GivenTheAssetIsNotRegistered_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, OWNER, address(0)));
        _update(OWNER);
    }

    function _update(address sender) private {
        vm.prank(sender);
        registry.updateAttribute(did, NEXT, "https://elsewhere");
    }
}
