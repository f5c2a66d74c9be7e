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
