// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Deployed} from "./Deployed.sol";
import {vm} from "./Vm.sol";

/// @notice A registry, the people who use it, and an asset of the owner that the provider provides.
abstract contract Registry {
    address internal constant OWNER = address(0x0111);
    address internal constant PROVIDER = address(0x0222);
    address internal constant DELEGATE = address(0x0333);
    address internal constant STRANGER = address(0x0444);
    bytes32 internal constant SEED = keccak256("seed");
    bytes32 internal constant CHECKSUM = keccak256("ddo");
    string internal constant URL = "https://metadata.example/api/v1/metadata/assets/ddo/{did}";

    DIDRegistry internal registry;
    bytes32 internal did;

    function setUp() public virtual {
        vm.roll(100);
        registry = Deployed.registry();
        did = registry.hashDID(SEED, OWNER);
    }

    function _register() internal returns (bytes32) {
        vm.prank(OWNER);
        return registry.registerAttribute(SEED, CHECKSUM, _providers(PROVIDER), URL);
    }

    function _providers(address provider) internal pure returns (address[] memory providers) {
        providers = new address[](1);
        providers[0] = provider;
    }

    function _text(uint256 length) internal pure returns (string memory) {
        return string(new bytes(length));
    }

    function _assertRegister(bytes32 what, address owner, bytes32 checksum, uint256 version, uint256 number)
        internal
        view
    {
        DIDRegistry.Register memory register = registry.getDIDRegister(what);
        vm.assertEq(register.owner, owner);
        vm.assertEq(register.checksum, checksum);
        vm.assertEq(uint256(register.version), version, "version");
        vm.assertEq(uint256(register.blockNumber), number, "block of the document");
    }
}
