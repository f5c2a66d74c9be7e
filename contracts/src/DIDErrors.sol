// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice The DID is already registered.
/// @param did the DID
error DIDExists(bytes32 did);

/// @notice The caller does not own the DID.
/// @param did the DID
/// @param actual the caller
/// @param expected its owner, or zero if it is not registered
error NotDIDOwner(bytes32 did, address actual, address expected);

/// @notice The caller is neither owner nor provider nor delegate of the DID.
/// @param did the DID
/// @param actual the caller
error NotDIDAgent(bytes32 did, address actual);

/// @notice The zero address cannot own or provide a DID.
/// @param did the DID
/// @param account the address
error InvalidAccount(bytes32 did, address account);

/// @notice The text is too long.
/// @param actual its length in bytes
/// @param maximum the most bytes allowed
error ValueTooLong(uint256 actual, uint256 maximum);

/// @notice The update is not the next version of the document.
/// @param did the DID
/// @param actual the version that the update names
/// @param expected the next version
error VersionMismatch(bytes32 did, uint256 actual, uint256 expected);

/// @notice The owner or a provider changed since the request was signed.
/// @param did the DID
/// @param actual the number of changes that the request names
/// @param expected the number of changes until now
error ChangesMismatch(bytes32 did, uint256 actual, uint256 expected);
