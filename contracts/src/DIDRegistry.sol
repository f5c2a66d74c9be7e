// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DIDExists, InvalidAccount, NotDIDOwner, VersionMismatch} from "./DIDErrors.sol";
import {Provenance} from "./Provenance.sol";
import {Registration, Update} from "./RegistryRequests.sol";
import {SignedRequests} from "./SignedRequests.sol";

/// @title Registry of assets
/// @notice Records who owns an asset, who provides it, and which version of its document is current. The url of the
/// document is in the event of the block that {getDIDRegister} returns.
contract DIDRegistry is Provenance, SignedRequests {
    /// @notice The current record of an asset.
    struct Register {
        /// The account that controls it; zero if it is not registered.
        address owner;
        /// The block whose DIDAttributeRegistered event has the url of the document.
        uint40 blockNumber;
        /// How often the document was registered or updated.
        uint24 version;
        /// How often the owner or a provider changed since the registration.
        uint32 changes;
        /// Hash of the current document.
        bytes32 checksum;
    }

    /// @dev Owner and document of each asset.
    mapping(bytes32 did => Register) private _registers;

    /// @dev The accounts besides the owner that provide it.
    mapping(bytes32 did => mapping(address account => bool)) private _providers;

    /// @notice A document was registered or updated.
    /// @param did the asset
    /// @param owner its owner
    /// @param checksum hash of the document
    /// @param value url of the document
    /// @param version 1 for the first
    /// @param previousBlock the block of the version before; 0 for the first
    event DIDAttributeRegistered(
        bytes32 indexed did,
        address indexed owner,
        bytes32 indexed checksum,
        string value,
        uint256 version,
        uint256 previousBlock
    );

    /// @notice An asset has a new owner.
    /// @param did the asset
    /// @param previousOwner the owner before; the creator, if it was registered for another account
    /// @param newOwner the owner from now on
    event DIDOwnershipTransferred(bytes32 indexed did, address indexed previousOwner, address indexed newOwner);

    /// @notice An address may provide an asset: agreements may name it as provider.
    /// @param did the asset
    /// @param provider the address
    event DIDProviderAdded(bytes32 indexed did, address indexed provider);

    /// @notice An address may no longer provide an asset.
    /// @param did the asset
    /// @param provider the address
    event DIDProviderRemoved(bytes32 indexed did, address indexed provider);

    /// @notice Registers an asset of the caller.
    /// @param didSeed hash of the checksums of the asset's document
    /// @param checksum hash of the document
    /// @param providers the accounts besides the owner that may provide the asset
    /// @param url where the document is
    /// @return did the asset: {hashDID} of seed and caller, so nobody can take it first
    function registerAttribute(bytes32 didSeed, bytes32 checksum, address[] calldata providers, string calldata url)
        external
        returns (bytes32 did)
    {
        did = _register(hashDID(didSeed, msg.sender), checksum, providers, url, msg.sender);
    }

    /// @notice Registers an asset that another account owns from the start. The DID derives from the caller.
    /// @param didSeed hash of the checksums of the asset's document
    /// @param checksum hash of the document
    /// @param providers the accounts besides the owner that may provide the asset
    /// @param url where the document is
    /// @param owner the owner, who need not be online
    /// @return did the asset: {hashDID} of seed and caller
    function registerAttributeFor(
        bytes32 didSeed,
        bytes32 checksum,
        address[] calldata providers,
        string calldata url,
        address owner
    ) external returns (bytes32 did) {
        did = _register(hashDID(didSeed, msg.sender), checksum, providers, url, owner);
        emit DIDOwnershipTransferred(did, msg.sender, owner);
    }

    /// @notice Replaces the document of an asset. Its owner calls it.
    /// @param did the asset
    /// @param checksum hash of the new document
    /// @param url where the new document is
    function updateAttribute(bytes32 did, bytes32 checksum, string calldata url) external {
        _requireOwner(did);
        _setDocument(did, msg.sender, checksum, url);
    }

    /// @notice Gives an asset away. Its owner calls it; the new owner need not be online. Providers and delegates stay.
    /// @param did the asset
    /// @param newOwner the owner from now on
    function transferDIDOwnership(bytes32 did, address newOwner) external {
        _requireOwner(did);
        _transfer(did, newOwner);
    }

    /// @notice Lets an address provide an asset. Its owner calls it; a second time changes nothing.
    /// @param did the asset
    /// @param provider the address
    function addDIDProvider(bytes32 did, address provider) external {
        _requireOwner(did);
        _addProvider(did, provider);
    }

    /// @notice Removes a provider of an asset. Its owner calls it. Existing agreements do not change.
    /// @param did the asset
    /// @param provider the address
    function removeDIDProvider(bytes32 did, address provider) external {
        _requireOwner(did);
        _removeProvider(did, provider);
    }

    /// @notice The current record of an asset; all zero if it is not registered.
    /// @param did the asset
    /// @return owner, block of the current document, version, changes of owner and providers, checksum
    function getDIDRegister(bytes32 did) external view returns (Register memory) {
        return _registers[did];
    }

    /// @notice The owner of an asset; zero if it is not registered.
    /// @param did the asset
    /// @return the owner
    function getDIDOwner(bytes32 did) external view returns (address) {
        return _registers[did].owner;
    }

    /// @inheritdoc Provenance
    function isDIDProvider(bytes32 did, address account) public view override returns (bool) {
        if (account == address(0)) return false;
        return _registers[did].owner == account || _providers[did][account];
    }

    /// @notice The DID of an asset.
    /// @param didSeed hash of the checksums of the asset's document
    /// @param creator the account that registers it
    /// @return keccak256(abi.encode(didSeed, creator))
    function hashDID(bytes32 didSeed, address creator) public pure returns (bytes32) {
        return keccak256(abi.encode(didSeed, creator));
    }

    /// @inheritdoc SignedRequests
    function _registerOnce(Registration calldata item, address creator) internal override {
        bytes32 did = hashDID(item.didSeed, creator);
        if (_registers[did].owner != address(0) && _registers[did].checksum == item.checksum) return;
        _register(did, item.checksum, item.providers, item.url, creator);
    }

    /// @dev Writes the record of a new asset.
    function _register(
        bytes32 did,
        bytes32 checksum,
        address[] calldata providers,
        string calldata url,
        address owner
    ) private returns (bytes32) {
        if (_registers[did].owner != address(0)) revert DIDExists(did);
        if (owner == address(0)) revert InvalidAccount(did, owner);

        _setDocument(did, owner, checksum, url);
        for (uint256 i = 0; i < providers.length; ++i) {
            _writeProvider(did, providers[i]);
        }
        return did;
    }

    /// @dev Writes owner and document, and raises the version by one.
    function _setDocument(bytes32 did, address owner, bytes32 checksum, string calldata url) private {
        _requireLength(url);
        Register memory register = _registers[did];
        uint256 previousBlock = register.blockNumber;
        register.owner = owner;
        register.blockNumber = uint40(block.number);
        register.version += 1;
        register.checksum = checksum;
        _registers[did] = register;
        emit DIDAttributeRegistered(did, owner, checksum, url, register.version, previousBlock);
    }

    /// @inheritdoc SignedRequests
    function _updateNext(Update calldata item, address owner) internal override {
        _requireOwner(item.did, owner);
        uint256 next = uint256(_registers[item.did].version) + 1;
        if (item.version != next) revert VersionMismatch(item.did, item.version, next);
        _setDocument(item.did, owner, item.checksum, item.url);
    }

    /// @inheritdoc SignedRequests
    function _transfer(bytes32 did, address newOwner) internal override {
        if (newOwner == address(0)) revert InvalidAccount(did, newOwner);
        Register storage register = _registers[did];
        address previousOwner = register.owner;
        register.owner = newOwner;
        register.changes += 1;
        emit DIDOwnershipTransferred(did, previousOwner, newOwner);
    }

    /// @inheritdoc SignedRequests
    function _addProvider(bytes32 did, address provider) internal override {
        if (_writeProvider(did, provider)) _registers[did].changes += 1;
    }

    /// @inheritdoc SignedRequests
    function _removeProvider(bytes32 did, address provider) internal override {
        if (!_providers[did][provider]) return;
        _providers[did][provider] = false;
        _registers[did].changes += 1;
        emit DIDProviderRemoved(did, provider);
    }

    /// @dev Writes a provider; false if it already was one.
    function _writeProvider(bytes32 did, address provider) private returns (bool added) {
        if (provider == address(0)) revert InvalidAccount(did, provider);
        if (_providers[did][provider]) return false;
        _providers[did][provider] = true;
        emit DIDProviderAdded(did, provider);
        return true;
    }

    /// @inheritdoc SignedRequests
    function _ownerAndChanges(bytes32 did) internal view override returns (address owner, uint256 changes) {
        return (_registers[did].owner, _registers[did].changes);
    }

    /// @inheritdoc Provenance
    function _requireOwner(bytes32 did) internal view override {
        _requireOwner(did, msg.sender);
    }

    /// @dev Reverts unless the account owns the asset.
    function _requireOwner(bytes32 did, address account) private view {
        address owner = _registers[did].owner;
        if (account != owner) revert NotDIDOwner(did, account, owner);
    }
}
