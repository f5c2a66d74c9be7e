// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NotDIDAgent, NotDIDOwner, ValueTooLong} from "../../src/DIDErrors.sol";
import {DIDRegistry} from "../../src/DIDRegistry.sol";
import {Provenance} from "../../src/Provenance.sol";
import {Registry} from "../support/Registry.sol";
import {vm} from "../support/Vm.sol";

/// Every call of the registry with any arguments from any caller: allowed calls succeed, and nothing else changes.
contract RegistryFuzzTest is Registry {
    uint256 private constant LONGEST = 2048;

    function testFuzz_ARegistrationBelongsToItsCaller(
        address caller,
        bytes32 seed,
        bytes32 checksum,
        address provider,
        uint16 length
    ) public {
        vm.assume(caller != address(0) && provider != address(0));
        string memory url = _text(uint256(length) % (LONGEST + 200));
        bool fits = bytes(url).length <= LONGEST;
        if (!fits) vm.expectRevert(abi.encodeWithSelector(ValueTooLong.selector, bytes(url).length, LONGEST));
        vm.prank(caller);
        registry.registerAttribute(seed, checksum, _providers(provider), url);
        bytes32 made = registry.hashDID(seed, caller);
        vm.assertEq(made, keccak256(abi.encode(seed, caller)));
        vm.assertEq(registry.getDIDOwner(made), fits ? caller : address(0));
        vm.assertEq(registry.isDIDProvider(made, provider), fits, "provider");
        if (fits) _assertRegister(made, caller, checksum, 1, 100);
    }

    function testFuzz_ARegistrationForSomebodyGivesItsCallerNothing(
        address caller,
        address owner,
        bytes32 seed,
        bytes32 checksum
    ) public {
        vm.assume(caller != owner && caller != PROVIDER);
        bool possible = owner != address(0);
        vm.prank(caller);
        try registry.registerAttributeFor(seed, checksum, _providers(PROVIDER), URL, owner) returns (bytes32 made) {
            vm.assertTrue(possible, "registered for nobody");
            vm.assertEq(made, registry.hashDID(seed, caller));
            _assertRegister(made, owner, checksum, 1, 100);
            vm.assertFalse(registry.isDIDProvider(made, caller), "caller");
        } catch {
            vm.assertFalse(possible, "refused");
        }
    }

    function testFuzz_ASeedIsRegisteredOncePerCaller(address first, address second, bytes32 seed) public {
        vm.assume(first != address(0) && second != address(0));
        vm.prank(first);
        registry.registerAttribute(seed, CHECKSUM, new address[](0), URL);
        vm.prank(second);
        try registry.registerAttribute(seed, ~CHECKSUM, new address[](0), URL) {
            vm.assertTrue(first != second, "twice");
        } catch {
            vm.assertTrue(first == second, "blocked by another");
        }
        _assertRegister(registry.hashDID(seed, first), first, CHECKSUM, 1, 100);
    }

    function testFuzz_OnlyTheOwnerChangesAnAsset(address caller, bytes32 checksum, address account, uint8 which)
        public
    {
        _register();
        vm.assume(caller != OWNER);
        bytes[6] memory calls = [
            abi.encodeCall(DIDRegistry.updateAttribute, (did, checksum, URL)),
            abi.encodeCall(DIDRegistry.transferDIDOwnership, (did, account)),
            abi.encodeCall(DIDRegistry.addDIDProvider, (did, account)),
            abi.encodeCall(DIDRegistry.removeDIDProvider, (did, PROVIDER)),
            abi.encodeCall(Provenance.addDIDProvenanceDelegate, (did, account)),
            abi.encodeCall(Provenance.removeDIDProvenanceDelegate, (did, account))
        ];
        vm.prank(caller);
        (bool done, bytes memory answer) = address(registry).call(calls[which % 6]);
        vm.assertFalse(done, "changed by a stranger");
        vm.assertEq(keccak256(answer), keccak256(abi.encodeWithSelector(NotDIDOwner.selector, did, caller, OWNER)));
        _assertRegister(did, OWNER, CHECKSUM, 1, 100);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "provider");
    }

    function testFuzz_AnUpdateIsTheNextVersionOfItsBlock(bytes32 checksum, uint8 updates, uint32 blocks) public {
        _register();
        uint256 versions = 1 + updates % 8;
        for (uint256 i = 0; i < versions; ++i) {
            vm.roll(101 + uint256(blocks) + i);
            vm.prank(OWNER);
            registry.updateAttribute(did, keccak256(abi.encode(checksum, i)), URL);
        }
        bytes32 newest = keccak256(abi.encode(checksum, versions - 1));
        _assertRegister(did, OWNER, newest, versions + 1, 100 + uint256(blocks) + versions);
    }

    function testFuzz_ATransferMovesEveryRightButNothingElse(address next, bytes32 checksum) public {
        vm.assume(next != address(0) && next != OWNER && next != PROVIDER);
        _register();
        vm.prank(OWNER);
        registry.transferDIDOwnership(did, next);
        _assertRegister(did, next, CHECKSUM, 1, 100);
        vm.assertTrue(registry.isDIDProvider(did, PROVIDER), "providers stay");
        vm.assertFalse(registry.isDIDProvider(did, OWNER), "the former owner");
        vm.expectRevert(abi.encodeWithSelector(NotDIDOwner.selector, did, OWNER, next));
        vm.prank(OWNER);
        registry.updateAttribute(did, checksum, URL);
        vm.prank(next);
        registry.updateAttribute(did, checksum, URL);
        _assertRegister(did, next, checksum, 2, 100);
    }

    function testFuzz_ProvidersAndDelegatesAreSets(address[6] memory accounts, uint64 choices) public {
        _register();
        vm.startPrank(OWNER);
        for (uint256 i = 0; i < 24; ++i) {
            uint256 choice = choices >> (2 * i);
            address account = accounts[(choices >> i) % 6];
            if (account == address(0) || account == OWNER) continue;
            if (choice & 3 == 0) registry.addDIDProvider(did, account);
            if (choice & 3 == 1) registry.removeDIDProvider(did, account);
            if (choice & 3 == 2) registry.addDIDProvenanceDelegate(did, account);
            if (choice & 3 == 3) registry.removeDIDProvenanceDelegate(did, account);
            bool isProvider = registry.isDIDProvider(did, account);
            bool isDelegate = registry.isProvenanceDelegate(did, account);
            if (choice & 2 == 0) vm.assertEq(isProvider, choice & 1 == 0, "provider");
            else vm.assertEq(isDelegate, choice & 1 == 0, "delegate");
        }
        vm.stopPrank();
    }

    function testFuzz_ProvenanceIsStatedByThoseWithARightOnly(address caller, bytes32 id, uint8 which, uint16 length)
        public
    {
        _register();
        vm.prank(OWNER);
        registry.addDIDProvenanceDelegate(did, DELEGATE);
        address[4] memory people = [OWNER, PROVIDER, DELEGATE, caller];
        address author = people[which % 4];
        bool allowed = author == OWNER || author == PROVIDER || author == DELEGATE;
        string memory attributes = _text(uint256(length) % (LONGEST + 200));
        bool fits = bytes(attributes).length <= LONGEST;
        bytes[3] memory calls = [
            abi.encodeCall(Provenance.used, (id, did, caller, id, attributes)),
            abi.encodeCall(Provenance.wasDerivedFrom, (id, did, did, caller, id, attributes)),
            abi.encodeCall(Provenance.wasAssociatedWith, (id, did, caller, id, attributes))
        ];
        vm.prank(author);
        (bool done, bytes memory answer) = address(registry).call(calls[which % 3]);
        vm.assertEq(done, allowed && fits, "stated");
        bytes memory refusal = allowed
            ? abi.encodeWithSelector(ValueTooLong.selector, bytes(attributes).length, LONGEST)
            : abi.encodeWithSelector(NotDIDAgent.selector, did, author);
        vm.assertEq(keccak256(answer), done ? keccak256("") : keccak256(refusal));
    }

    function testFuzz_ADerivationNeedsARightInBothAssets(address author, bytes32 seed) public {
        vm.assume(author != address(0) && author != OWNER && author != PROVIDER);
        _register();
        vm.prank(author);
        bytes32 own = registry.registerAttribute(seed, CHECKSUM, new address[](0), URL);
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, author));
        vm.prank(author);
        registry.wasDerivedFrom(seed, own, did, author, seed, "");
        vm.expectRevert(abi.encodeWithSelector(NotDIDAgent.selector, did, author));
        vm.prank(author);
        registry.wasDerivedFrom(seed, did, own, author, seed, "");
    }
}
