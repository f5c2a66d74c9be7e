// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Registration, Update} from "../../src/RegistryRequests.sol";
import {vm} from "./Vm.sol";

/// @notice Signs requests to the registry as a wallet does: from the texts of EIP-712, not from the contract's library.
library Requests {
    string private constant REGISTRATION =
        "Registration(bytes32 didSeed,bytes32 checksum,address[] providers,string url)";
    string private constant UPDATE = "Update(bytes32 did,bytes32 checksum,string url,uint256 version)";

    function registrations(DIDRegistry registry, uint256 key, Registration[] memory items, uint256 deadline)
        internal
        view
        returns (bytes memory)
    {
        return sign(key, registrationsDigest(registry, vm.addr(key), items, deadline));
    }

    function registrationsDigest(
        DIDRegistry registry,
        address creator,
        Registration[] memory items,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes memory list = "";
        for (uint256 i = 0; i < items.length; ++i) {
            bytes memory providers = "";
            for (uint256 j = 0; j < items[i].providers.length; ++j) {
                providers = bytes.concat(providers, abi.encode(items[i].providers[j]));
            }
            list = bytes.concat(
                list,
                keccak256(
                    abi.encode(
                        keccak256(bytes(REGISTRATION)),
                        items[i].didSeed,
                        items[i].checksum,
                        keccak256(providers),
                        keccak256(bytes(items[i].url))
                    )
                )
            );
        }
        string memory what = "Registrations(address creator,Registration[] items,uint256 deadline)";
        bytes32 kind = keccak256(bytes(string.concat(what, REGISTRATION)));
        return _digest(registry, abi.encode(kind, creator, keccak256(list), deadline));
    }

    function updates(DIDRegistry registry, uint256 key, Update[] memory items, uint256 deadline)
        internal
        view
        returns (bytes memory)
    {
        return sign(key, updatesDigest(registry, vm.addr(key), items, deadline));
    }

    function updatesDigest(DIDRegistry registry, address owner, Update[] memory items, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes memory list = "";
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 url = keccak256(bytes(items[i].url));
            bytes memory item =
                abi.encode(keccak256(bytes(UPDATE)), items[i].did, items[i].checksum, url, items[i].version);
            list = bytes.concat(list, keccak256(item));
        }
        bytes32 kind =
            keccak256(bytes(string.concat("Updates(address owner,Update[] items,uint256 deadline)", UPDATE)));
        return _digest(registry, abi.encode(kind, owner, keccak256(list), deadline));
    }

    function transfer(
        DIDRegistry registry,
        uint256 key,
        bytes32 did,
        address newOwner,
        uint256 changes,
        uint256 deadline
    ) internal view returns (bytes memory) {
        return sign(key, transferDigest(registry, did, newOwner, changes, deadline));
    }

    function transferDigest(DIDRegistry registry, bytes32 did, address newOwner, uint256 changes, uint256 deadline)
        internal
        view
        returns (bytes32)
    {
        bytes32 kind = keccak256("Transfer(bytes32 did,address newOwner,uint256 changes,uint256 deadline)");
        return _digest(registry, abi.encode(kind, did, newOwner, changes, deadline));
    }

    function provider(
        DIDRegistry registry,
        uint256 key,
        bytes32 did,
        address account,
        bool allowed,
        uint256 changes,
        uint256 deadline
    ) internal view returns (bytes memory) {
        return sign(key, providerDigest(registry, did, account, allowed, changes, deadline));
    }

    function providerDigest(
        DIDRegistry registry,
        bytes32 did,
        address account,
        bool allowed,
        uint256 changes,
        uint256 deadline
    ) internal view returns (bytes32) {
        bytes32 kind =
            keccak256("ProviderChange(bytes32 did,address provider,bool allowed,uint256 changes,uint256 deadline)");
        return _digest(registry, abi.encode(kind, did, account, allowed, changes, deadline));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function one(Registration memory item) internal pure returns (Registration[] memory items) {
        items = new Registration[](1);
        items[0] = item;
    }

    function one(Update memory item) internal pure returns (Update[] memory items) {
        items = new Update[](1);
        items[0] = item;
    }

    function _digest(DIDRegistry registry, bytes memory request) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DIDRegistry"),
                keccak256("1"),
                block.chainid,
                address(registry)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(request)));
    }
}
