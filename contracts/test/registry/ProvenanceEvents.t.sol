// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import "../../src/DIDErrors.sol";
import {Provenance} from "../../src/Provenance.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// used(provId, did, agentId, activityId, attributes)
/// ├── when owner, provider or delegate calls, it emits Used with its author
/// ├── when a stranger calls, it reverts NotDIDAgent
/// ├── when a former delegate calls, it reverts NotDIDAgent
/// ├── with attributes of 2048 bytes, it emits
/// └── with attributes of 2049 bytes, it reverts ValueTooLong
///
/// wasDerivedFrom(provId, newDid, usedDid, agentId, activityId, attributes)
/// ├── when an agent of both assets calls, it emits WasDerivedFrom with its author
/// ├── when an agent of the new asset only calls, it reverts NotDIDAgent
/// ├── when an agent of the used asset only calls, it reverts NotDIDAgent
/// └── with attributes of 2049 bytes, it reverts ValueTooLong
///
/// wasAssociatedWith(provId, did, agentId, activityId, attributes)
/// ├── when owner, provider or delegate calls, it emits WasAssociatedWith with its author
/// ├── when a stranger calls, it reverts NotDIDAgent
/// └── with attributes of 2049 bytes, it reverts ValueTooLong
contract ProvenanceEventsTest is Registry {
    bytes32 private constant STATEMENT = keccak256("statement");
    bytes32 private constant ACTIVITY = keccak256("activity");
    address private constant AGENT = address(0x0666);
    string private constant ATTRIBUTES = "stage 0";

    bytes32 private derived;

    function setUp() public override {
        super.setUp();
        _register();
        vm.prank(OWNER);
        registry.addDIDProvenanceDelegate(did, DELEGATE);
        // The provider of the asset makes a new asset for a stranger and stays its provider.
        vm.prank(PROVIDER);
        derived =
            registry.registerAttributeFor(keccak256("result"), CHECKSUM, _providers(PROVIDER), URL, STRANGER);
    }

    function test_Used_ItEmitsForOwnerProviderAndDelegate() public {
        address[3] memory authors = [OWNER, PROVIDER, DELEGATE];
        for (uint256 i = 0; i < authors.length; ++i) {
            vm.expectEmit(address(registry));
            emit Provenance.Used(did, AGENT, ACTIVITY, STATEMENT, authors[i], ATTRIBUTES);
            _used(authors[i], ATTRIBUTES);
        }
    }

    function test_Used_WhenAStrangerCalls_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, STRANGER));
        _used(STRANGER, ATTRIBUTES);
    }

    function test_Used_WhenAFormerDelegateCalls_ItReverts() public {
        vm.prank(OWNER);
        registry.removeDIDProvenanceDelegate(did, DELEGATE);
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, DELEGATE));
        _used(DELEGATE, ATTRIBUTES);
    }

    function test_Used_WithAttributesOf2048Bytes_ItEmits() public {
        vm.expectEmit(address(registry));
        emit Provenance.Used(did, AGENT, ACTIVITY, STATEMENT, OWNER, _text(2048));
        _used(OWNER, _text(2048));
    }

    function test_Used_WithAttributesOf2049Bytes_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        _used(OWNER, _text(2049));
    }

    function test_WasDerivedFrom_ItEmitsForAnAgentOfBoth() public {
        vm.expectEmit(address(registry));
        emit Provenance.WasDerivedFrom(derived, did, AGENT, ACTIVITY, STATEMENT, PROVIDER, ATTRIBUTES);
        _derive(PROVIDER, ATTRIBUTES);
    }

    function test_WasDerivedFrom_WhenAnAgentOfTheNewAssetOnlyCalls_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, STRANGER));
        _derive(STRANGER, ATTRIBUTES);
    }

    function test_WasDerivedFrom_WhenAnAgentOfTheUsedAssetOnlyCalls_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, derived, OWNER));
        _derive(OWNER, ATTRIBUTES);
    }

    function test_WasDerivedFrom_WithAttributesOf2049Bytes_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        _derive(PROVIDER, _text(2049));
    }

    function test_WasAssociatedWith_ItEmitsForOwnerProviderAndDelegate() public {
        address[3] memory authors = [OWNER, PROVIDER, DELEGATE];
        for (uint256 i = 0; i < authors.length; ++i) {
            vm.expectEmit(address(registry));
            emit Provenance.WasAssociatedWith(did, AGENT, ACTIVITY, STATEMENT, authors[i], ATTRIBUTES);
            _associate(authors[i], ATTRIBUTES);
        }
    }

    function test_WasAssociatedWith_WhenAStrangerCalls_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, STRANGER));
        _associate(STRANGER, ATTRIBUTES);
    }

    function test_WasAssociatedWith_WithAttributesOf2049Bytes_ItReverts() public {
        vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, 2049, 2048));
        _associate(OWNER, _text(2049));
    }

    function _used(address author, string memory attributes) private {
        vm.prank(author);
        registry.used(STATEMENT, did, AGENT, ACTIVITY, attributes);
    }

    function _derive(address author, string memory attributes) private {
        vm.prank(author);
        registry.wasDerivedFrom(STATEMENT, derived, did, AGENT, ACTIVITY, attributes);
    }

    function _associate(address author, string memory attributes) private {
        vm.prank(author);
        registry.wasAssociatedWith(STATEMENT, did, AGENT, ACTIVITY, attributes);
    }
}
