// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An asset to register.
struct Registration {
    /// Hash of the checksums of the asset's document; with the creator it gives the DID.
    bytes32 didSeed;
    /// Hash of the document.
    bytes32 checksum;
    /// The accounts besides the creator that may provide the asset.
    address[] providers;
    /// Where the document is.
    string url;
}

/// @notice A new version of an asset's document.
struct Update {
    /// The asset.
    bytes32 did;
    /// Hash of the new document.
    bytes32 checksum;
    /// Where the new document is.
    string url;
    /// Number of the new version: the current one plus one.
    uint256 version;
}

/// @notice EIP-712 hashes of the requests that an owner signs and somebody else sends.
library RegistryRequests {
    bytes private constant REGISTRATION =
        "Registration(bytes32 didSeed,bytes32 checksum,address[] providers,string url)";
    bytes private constant UPDATE = "Update(bytes32 did,bytes32 checksum,string url,uint256 version)";

    /// @notice EIP-712 type hash of {Registration}.
    bytes32 internal constant REGISTRATION_TYPEHASH = keccak256(REGISTRATION);

    /// @notice EIP-712 type hash of {Update}.
    bytes32 internal constant UPDATE_TYPEHASH = keccak256(UPDATE);

    /// @notice EIP-712 type hash of a batch of registrations.
    bytes32 internal constant REGISTRATIONS_TYPEHASH = keccak256(
        abi.encodePacked("Registrations(address creator,Registration[] items,uint256 deadline)", REGISTRATION)
    );

    /// @notice EIP-712 type hash of a batch of updates.
    bytes32 internal constant UPDATES_TYPEHASH =
        keccak256(abi.encodePacked("Updates(address owner,Update[] items,uint256 deadline)", UPDATE));

    /// @notice EIP-712 type hash of a transfer of ownership.
    bytes32 internal constant TRANSFER_TYPEHASH =
        keccak256("Transfer(bytes32 did,address newOwner,uint256 changes,uint256 deadline)");

    /// @notice EIP-712 type hash of a change of a provider.
    bytes32 internal constant PROVIDER_TYPEHASH =
        keccak256("ProviderChange(bytes32 did,address provider,bool allowed,uint256 changes,uint256 deadline)");

    /// @notice EIP-712 struct hash of a batch of registrations.
    /// @param creator the account that signs
    /// @param items the assets
    /// @param deadline last second, in Unix time, in which the batch may be sent
    /// @return the struct hash, without the domain
    function hash(address creator, Registration[] calldata items, uint256 deadline) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            Registration calldata item = items[i];
            bytes32 providers = keccak256(abi.encodePacked(item.providers));
            bytes32 url = keccak256(bytes(item.url));
            hashes[i] = keccak256(abi.encode(REGISTRATION_TYPEHASH, item.didSeed, item.checksum, providers, url));
        }
        bytes32 list = keccak256(abi.encodePacked(hashes));
        return keccak256(abi.encode(REGISTRATIONS_TYPEHASH, creator, list, deadline));
    }

    /// @notice EIP-712 struct hash of a batch of updates.
    /// @param owner the account that signs
    /// @param items the new versions
    /// @param deadline last second, in Unix time, in which the batch may be sent
    /// @return the struct hash, without the domain
    function hash(address owner, Update[] calldata items, uint256 deadline) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            Update calldata item = items[i];
            bytes32 url = keccak256(bytes(item.url));
            hashes[i] = keccak256(abi.encode(UPDATE_TYPEHASH, item.did, item.checksum, url, item.version));
        }
        bytes32 list = keccak256(abi.encodePacked(hashes));
        return keccak256(abi.encode(UPDATES_TYPEHASH, owner, list, deadline));
    }
}
