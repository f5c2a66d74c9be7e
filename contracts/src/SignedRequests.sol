// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {DeadlinePassed, InvalidSignature} from "./AgreementErrors.sol";
import {ChangesMismatch, NotDIDOwner} from "./DIDErrors.sol";
import {Registration, RegistryRequests, Update} from "./RegistryRequests.sol";

/// @title Requests to the registry that an owner signed
/// @notice Anybody may send them, so their owner needs no coin. A request to register works once: afterwards the DID is
/// taken. A request to update names the version that it makes. A request to transfer an asset or to change a provider
/// names the number of such changes before it, so it is void once the owner changed anything, even back.
abstract contract SignedRequests is EIP712 {
    constructor() EIP712("DIDRegistry", "1") {}

    /// @notice Registers assets of an account that signed the batch; anybody may send it. An asset that is registered
    /// already with the same document is skipped, so a batch that two people send does not fail.
    /// @param creator the account that signed; it owns the assets, and their DIDs derive from it
    /// @param items the assets
    /// @param deadline last second, in Unix time, in which the batch may be sent
    /// @param signature of the creator; of ERC-1271 if it is a contract
    function registerAttributesBySignature(
        address creator,
        Registration[] calldata items,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireSignature(creator, RegistryRequests.hash(creator, items, deadline), deadline, signature);
        for (uint256 i = 0; i < items.length; ++i) {
            _registerOnce(items[i], creator);
        }
    }

    /// @notice Replaces the documents of assets whose owner signed the batch; anybody may send it.
    /// @param owner the account that signed and owns every asset of the batch
    /// @param items the new versions, each the next one of its asset
    /// @param deadline last second, in Unix time, in which the batch may be sent
    /// @param signature of the owner; of ERC-1271 if it is a contract
    function updateAttributesBySignature(
        address owner,
        Update[] calldata items,
        uint256 deadline,
        bytes calldata signature
    ) external {
        _requireSignature(owner, RegistryRequests.hash(owner, items, deadline), deadline, signature);
        for (uint256 i = 0; i < items.length; ++i) {
            _updateNext(items[i], owner);
        }
    }

    /// @notice Gives an asset away, as its owner signed; anybody may send it.
    /// @param did the asset
    /// @param newOwner the owner from now on
    /// @param changes the number of changes before this one, as {getDIDRegister} returns it
    /// @param deadline last second, in Unix time, in which the request may be sent
    /// @param signature of the owner; of ERC-1271 if it is a contract
    function transferDIDOwnershipBySignature(
        bytes32 did,
        address newOwner,
        uint256 changes,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 request = keccak256(abi.encode(RegistryRequests.TRANSFER_TYPEHASH, did, newOwner, changes, deadline));
        _requireChange(did, changes, request, deadline, signature);
        _transfer(did, newOwner);
    }

    /// @notice Lets an address provide an asset, or no longer, as its owner signed; anybody may send it.
    /// @param did the asset
    /// @param provider the address
    /// @param allowed true adds it, false removes it
    /// @param changes the number of changes before this one, as {getDIDRegister} returns it
    /// @param deadline last second, in Unix time, in which the request may be sent
    /// @param signature of the owner; of ERC-1271 if it is a contract
    function setDIDProviderBySignature(
        bytes32 did,
        address provider,
        bool allowed,
        uint256 changes,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes32 request =
            keccak256(abi.encode(RegistryRequests.PROVIDER_TYPEHASH, did, provider, allowed, changes, deadline));
        _requireChange(did, changes, request, deadline, signature);
        if (allowed) _addProvider(did, provider);
        else _removeProvider(did, provider);
    }

    /// @dev Registers an asset unless it is registered with the same document.
    function _registerOnce(Registration calldata item, address creator) internal virtual;

    /// @dev Replaces the document of an asset of the owner by the next version.
    function _updateNext(Update calldata item, address owner) internal virtual;

    /// @dev Writes the owner and counts the change.
    function _transfer(bytes32 did, address newOwner) internal virtual;

    /// @dev Adds a provider unless it already is one, and counts the change.
    function _addProvider(bytes32 did, address provider) internal virtual;

    /// @dev Removes a provider if it is one, and counts the change.
    function _removeProvider(bytes32 did, address provider) internal virtual;

    /// @dev The owner of an asset, zero if it is not registered, and how often owner or providers changed.
    function _ownerAndChanges(bytes32 did) internal view virtual returns (address owner, uint256 changes);

    /// @dev Reverts unless the owner of the asset signed the request, and nothing changed since.
    function _requireChange(
        bytes32 did,
        uint256 changes,
        bytes32 request,
        uint256 deadline,
        bytes calldata signature
    ) private view {
        (address owner, uint256 current) = _ownerAndChanges(did);
        if (owner == address(0)) revert NotDIDOwner(did, msg.sender, address(0));
        if (changes != current) revert ChangesMismatch(did, changes, current);
        _requireSignature(owner, request, deadline, signature);
    }

    /// @dev Reverts unless the account signed the request and its deadline has not passed.
    function _requireSignature(address signer, bytes32 request, uint256 deadline, bytes calldata signature)
        private
        view
    {
        if (block.timestamp > deadline) revert DeadlinePassed(block.timestamp, deadline);
        bytes32 digest = _hashTypedDataV4(request);
        if (!SignatureChecker.isValidSignatureNowCalldata(signer, digest, signature)) revert InvalidSignature(signer);
    }
}
