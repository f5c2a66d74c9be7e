// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InvalidAccount, NotDIDAgent, ValueTooLong} from "./DIDErrors.sol";

/// @title Provenance of assets
/// @notice Statements about where assets come from (W3C PROV). They are only events: a reader sees who stated what, and
/// with what authority at that time.
abstract contract Provenance {
    /// @notice The most bytes of a url, and of the attributes of a provenance event.
    uint256 public constant MAX_VALUE_LENGTH = 2048;

    /// @dev The accounts besides owner and providers that may state the provenance of an asset.
    mapping(bytes32 did => mapping(address account => bool)) private _delegates;

    /// @notice An address may state the provenance of an asset.
    /// @param did the asset
    /// @param delegate the address
    event DIDProvenanceDelegateAdded(bytes32 indexed did, address indexed delegate);

    /// @notice An address may no longer state the provenance of an asset.
    /// @param did the asset
    /// @param delegate the address
    event DIDProvenanceDelegateRemoved(bytes32 indexed did, address indexed delegate);

    /// @notice W3C PROV: an activity used an asset.
    /// @param did the asset
    /// @param agentId the agent responsible for the activity
    /// @param activityId the activity
    /// @param provId id of this statement, chosen by its author
    /// @param author the account that states it
    /// @param attributes further information
    event Used(
        bytes32 indexed did,
        address indexed agentId,
        bytes32 indexed activityId,
        bytes32 provId,
        address author,
        string attributes
    );

    /// @notice W3C PROV: an asset was made from another.
    /// @param newDid the asset that was made
    /// @param usedDid the asset from which it was made
    /// @param agentId the agent responsible for the activity
    /// @param activityId the activity
    /// @param provId id of this statement, chosen by its author
    /// @param author the account that states it
    /// @param attributes further information
    event WasDerivedFrom(
        bytes32 indexed newDid,
        bytes32 indexed usedDid,
        address indexed agentId,
        bytes32 activityId,
        bytes32 provId,
        address author,
        string attributes
    );

    /// @notice W3C PROV: an agent took part in an activity on an asset.
    /// @param did the asset
    /// @param agentId the agent that took part
    /// @param activityId the activity
    /// @param provId id of this statement, chosen by its author
    /// @param author the account that states it
    /// @param attributes further information
    event WasAssociatedWith(
        bytes32 indexed did,
        address indexed agentId,
        bytes32 indexed activityId,
        bytes32 provId,
        address author,
        string attributes
    );

    /// @notice Lets an address state the provenance of an asset. Its owner calls it; a second time changes nothing.
    /// @param did the asset
    /// @param delegate the address
    function addDIDProvenanceDelegate(bytes32 did, address delegate) external {
        _requireOwner(did);
        if (delegate == address(0)) revert InvalidAccount(did, delegate);
        if (_delegates[did][delegate]) return;
        _delegates[did][delegate] = true;
        emit DIDProvenanceDelegateAdded(did, delegate);
    }

    /// @notice Stops an address from stating the provenance of an asset. Its owner calls it.
    /// @param did the asset
    /// @param delegate the address
    function removeDIDProvenanceDelegate(bytes32 did, address delegate) external {
        _requireOwner(did);
        if (!_delegates[did][delegate]) return;
        _delegates[did][delegate] = false;
        emit DIDProvenanceDelegateRemoved(did, delegate);
    }

    /// @notice States that an activity used an asset. An owner, provider or delegate of the asset calls it.
    /// @param provId id of the statement
    /// @param did the asset
    /// @param agentId the agent responsible for the activity
    /// @param activityId the activity
    /// @param attributes further information
    function used(bytes32 provId, bytes32 did, address agentId, bytes32 activityId, string calldata attributes)
        external
    {
        _requireAgent(did);
        _requireLength(attributes);
        emit Used(did, agentId, activityId, provId, msg.sender, attributes);
    }

    /// @notice States that an asset was made from another. An owner, provider or delegate of both calls it, so that
    /// nobody can give a stranger's asset ancestors or descendants.
    /// @param provId id of the statement
    /// @param newDid the asset that was made
    /// @param usedDid the asset from which it was made
    /// @param agentId the agent responsible for the activity
    /// @param activityId the activity
    /// @param attributes further information
    function wasDerivedFrom(
        bytes32 provId,
        bytes32 newDid,
        bytes32 usedDid,
        address agentId,
        bytes32 activityId,
        string calldata attributes
    ) external {
        _requireAgent(newDid);
        _requireAgent(usedDid);
        _requireLength(attributes);
        emit WasDerivedFrom(newDid, usedDid, agentId, activityId, provId, msg.sender, attributes);
    }

    /// @notice States that an agent took part in an activity on an asset. An owner, provider or delegate calls it.
    /// @param provId id of the statement
    /// @param did the asset
    /// @param agentId the agent that took part
    /// @param activityId the activity
    /// @param attributes further information
    function wasAssociatedWith(
        bytes32 provId,
        bytes32 did,
        address agentId,
        bytes32 activityId,
        string calldata attributes
    ) external {
        _requireAgent(did);
        _requireLength(attributes);
        emit WasAssociatedWith(did, agentId, activityId, provId, msg.sender, attributes);
    }

    /// @notice True if an address may state the provenance of an asset as a delegate.
    /// @param did the asset
    /// @param account the address
    /// @return whether it is a delegate
    function isProvenanceDelegate(bytes32 did, address account) external view returns (bool) {
        return _delegates[did][account];
    }

    /// @notice True if an address owns or provides a registered asset; never true for the zero address.
    /// @param did the asset
    /// @param account the address
    /// @return whether agreements on the asset may name it as provider
    function isDIDProvider(bytes32 did, address account) public view virtual returns (bool);

    /// @dev Reverts unless the caller owns the asset.
    function _requireOwner(bytes32 did) internal view virtual;

    /// @dev Reverts if a text is too long for an event.
    function _requireLength(string calldata text) internal pure {
        uint256 length = bytes(text).length;
        if (length > MAX_VALUE_LENGTH) revert ValueTooLong(length, MAX_VALUE_LENGTH);
    }

    /// @dev Reverts unless the caller is an owner, provider or delegate of the asset.
    function _requireAgent(bytes32 did) private view {
        if (isDIDProvider(did, msg.sender) || _delegates[did][msg.sender]) return;
        revert NotDIDAgent(did, msg.sender);
    }
}
